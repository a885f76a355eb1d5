"""Writes cells.csv: the breast cancer table that scikit-learn ships."""

from sklearn.datasets import load_breast_cancer

load_breast_cancer(as_frame=True).frame.to_csv("cells.csv", index=False)
