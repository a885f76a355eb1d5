"""scikit-learn's checks of estimators, on our searches."""

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from tunesmith.sklearn import BayesSearchCV, GridSearchCV, RandomizedSearchCV

ALPHAS, CS = {"alpha": [0.1, 1.0]}, {"C": [0.1, 1.0]}
SEARCHES = [
    GridSearchCV(LogisticRegression(), CS, cv=2),
    RandomizedSearchCV(Ridge(), ALPHAS, n_iter=2, cv=2, random_state=0),
    BayesSearchCV(LogisticRegression(), CS, n_iter=2, cv=2, random_state=0),
]


def differing(search: Any) -> dict[str, str]:
    """What scikit-learn's own searches fail, too."""
    if isinstance(search.estimator, Ridge):
        reason = "Ridge takes targets in a column as they are, under scikit-learn's search as well"
        return {"check_supervised_y_2d": reason}
    return {}


@pytest.mark.filterwarnings("default")
@parametrize_with_checks(SEARCHES, expected_failed_checks=differing)  # type: ignore[untyped-decorator]
def test_scikit_learns_checks_pass(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
