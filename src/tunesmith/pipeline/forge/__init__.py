"""Forges: where pull requests and CI jobs live, each behind the same small interface."""
