"""Writes diabetes.csv, the table that scikit-learn ships."""

from sklearn.datasets import load_diabetes

load_diabetes(as_frame=True, scaled=False).frame.to_csv("diabetes.csv", index=False)
