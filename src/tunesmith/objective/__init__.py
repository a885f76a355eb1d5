"""What is scored, and how: estimators by cross-validation."""
