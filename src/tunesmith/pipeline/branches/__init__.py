"""Branches that hand over: an experiment is a branch to tune on and one to train on."""
