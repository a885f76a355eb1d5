"""Say what scores mean: pure functions of a study's record."""
