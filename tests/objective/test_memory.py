import sys
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer, mean_squared_error
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit, TimeSeriesSplit
from sklearn.svm import SVC

import tunesmith
from tunesmith.errors import UsageError
from tunesmith.objective import memory


@pytest.mark.parametrize(
    ("splitter", "ratio"),
    [
        (KFold(4), 1 / 3),
        (RepeatedKFold(n_splits=4, n_repeats=2, random_state=0), 1 / 3),
        (ShuffleSplit(3, test_size=0.25, random_state=0), 1 / 3),
        (TimeSeriesSplit(3), (1 + 1 / 2 + 1 / 3) / 3),
    ],
)
def test_the_share_of_test_rows_gives_their_ratio(splitter: Any, ratio: float) -> None:
    share = memory.test_share(list(splitter.split(list(range(40)))))
    assert share is not None
    assert share / (1 - share) == pytest.approx(ratio)


def test_metrics_have_the_names_that_people_know() -> None:
    def own(e: Any, X: Any, y: Any) -> float:
        return 1.0

    loss = make_scorer(mean_squared_error, greater_is_better=False)
    given = [None, "roc_auc", make_scorer(accuracy_score), loss, own]
    named = [next(iter(memory.scorers_of(SVC(), one, None)[0])) for one in given]
    assert named == ["accuracy", "roc_auc", "accuracy_score", "neg_mean_squared_error", "own"]
    assert next(iter(memory.scorers_of(Ridge(), None, None)[0])) == "r2"


def test_two_metrics_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two metrics are called `score`"):
        memory.scorers_of(SVC(), [lambda e, X, y: 1, lambda e, X, y: 2], None)
    with pytest.raises(UsageError, match="`accuracy` is named twice"):
        memory.scorers_of(SVC(), "accuracy", "accuracy")


class Odd(LogisticRegression):  # type: ignore[misc]
    """Ends its process, or tries to, if its parameters say so."""

    def fit(self, X: Any, y: Any) -> "Odd":
        if self.C == 2:
            sys.exit(4)
        super().fit(X, y)
        return self


def odd_scorer(estimator: Any, _X: Any, _y: Any) -> Any:
    if estimator.C == 3:
        raise RuntimeError("no licence")
    return {4: "text", 5: float("nan")}.get(estimator.C, 1.0)


@pytest.mark.parametrize(
    "workers", [1, pytest.param(2, marks=pytest.mark.slow, id="in other processes")]
)
def test_fits_and_scorers_that_misbehave_cost_their_trial_alone(workers: int) -> None:
    X, y = [[0.0], [1.0]] * 10, [0, 1] * 10
    result = tunesmith.tune(
        *(Odd(), X, y),
        space={"C": [1, 2, 3, 4, 5]},
        search="grid",
        cv=2,
        metric=odd_scorer,
        workers=workers,
        progress=False,
    )
    assert result.best_params == {"C": 1}
    said = {one.numbers: one.message for one in result.summary.failures}
    assert said[1,] == "SystemExit: the code called sys.exit(4)"
    assert said[2,] == "the scorer raised RuntimeError: no licence"
    assert "scoring must return a number, got text" in said[3,]
    assert said[4,] == "odd_scorer is nan"


class Uncopied:
    def __reduce__(self) -> Any:
        return int, ("no number",)


def test_parameters_that_cannot_be_copied_are_named() -> None:
    given = SVC(class_weight=Uncopied())
    with pytest.raises(UsageError, match="the estimator cannot be cloned: ValueError: invalid"):
        tunesmith.tune(given, [[0.0], [1.0]] * 10, [0, 1] * 10, space={"C": [1, 2]})
