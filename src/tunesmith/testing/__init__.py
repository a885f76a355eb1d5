"""Contract suites, one per interface: subclass one to test your own part."""
