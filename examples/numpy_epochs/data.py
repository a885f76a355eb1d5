"""Writes digits.csv: 8 x 8 pictures of handwritten digits that scikit-learn ships."""

from sklearn.datasets import load_digits

load_digits(as_frame=True).frame.to_csv("digits.csv", index=False)
