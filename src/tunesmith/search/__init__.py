"""Strategies that propose params, and criteria that end a study."""
