"""Share what several commands need."""
