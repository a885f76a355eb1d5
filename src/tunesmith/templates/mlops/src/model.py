"""The model, for tuning and for training alike: what is tuned is what is trained."""

from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


def build() -> Pipeline:
    """A fresh model; its parameters are set from outside."""
    return Pipeline([("scale", StandardScaler()), ("classify", SVC())])
