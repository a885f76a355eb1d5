"""Families of estimators of which one fit holds the fits of other candidates."""
