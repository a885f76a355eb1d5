"""Experiments: each is a branch to tune on and a branch to train on."""
