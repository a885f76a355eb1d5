"""One module a tool: ``candidates(source)`` lists the setups that a file holds."""
