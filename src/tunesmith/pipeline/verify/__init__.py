"""Verification that the files of a study agree with each other, with Git and with DVC."""
