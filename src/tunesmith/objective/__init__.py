"""Objectives, which score params: estimators by cross-validation, and training programs."""
