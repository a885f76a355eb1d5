"""Writes iris.csv, the table that scikit-learn ships: four measures and a class."""

from sklearn.datasets import load_iris

data = load_iris(as_frame=True)
frame = data.frame.rename(columns=lambda name: name.replace(" (cm)", "").replace(" ", "_"))
frame.to_csv("iris.csv", index=False)
