"""The model, for tuning and for training alike."""

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

WORDS = ["plan", "payment"]
NUMBERS = ["months", "support_calls", "days_away", "price"]


def build() -> Pipeline:
    """A fresh model. Everything that it learns from values, it learns inside a fold."""
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="unknown"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    columns = ColumnTransformer([("words", words, WORDS), ("numbers", "passthrough", NUMBERS)])
    # Gaps in numbers need nothing: this estimator has a branch of its own for them.
    trees = HistGradientBoostingClassifier(early_stopping=False, max_iter=100, random_state=0)
    return Pipeline([("columns", columns), ("trees", trees)])
