"""Writes data/cells.csv: the breast cancer table that scikit-learn ships."""

from pathlib import Path

from sklearn.datasets import load_breast_cancer

frame = load_breast_cancer(as_frame=True).frame
Path("data").mkdir(exist_ok=True)
frame.to_csv("data/cells.csv", index=False)
