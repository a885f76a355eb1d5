import numpy as np
import pytest
from sklearn.metrics import mean_squared_error

from tunesmith.errors import UsageError
from tunesmith.models.answers import FoldAnswers
from tunesmith.models.greedy import Blends, greedy

TRUTH = np.linspace(0, 1, 12)
FOLDS = [slice(0, 6), slice(6, 12)]


def blends_of(*predictions: np.ndarray, sign: int = -1) -> Blends:
    candidates = [[FoldAnswers({"predict": one[fold]}) for fold in FOLDS] for one in predictions]

    def score(model: object, fold: int) -> float:
        predicted = model.predict(None)  # type: ignore[attr-defined]
        return float(mean_squared_error(TRUTH[FOLDS[fold]], predicted))

    return Blends(candidates, score, sign)


def test_opposite_errors_cancel_out() -> None:
    error = np.tile([0.3, -0.3], 6)
    blends = blends_of(TRUTH + error, TRUTH - error, TRUTH + 2)
    assert greedy(blends) == (1, 1, 0)
    assert blends.scores((1, 1, 0)).max() < 1e-20


def test_a_candidate_may_be_added_several_times() -> None:
    blends = blends_of(TRUTH + 0.1, TRUTH - 0.3)
    assert greedy(blends) == (3, 1)


def test_the_best_single_candidate_is_the_least_that_is_found() -> None:
    blends = blends_of(TRUTH + 0.5, TRUTH, TRUTH - 1)
    assert greedy(blends) == (0, 1, 0)


def test_the_number_of_different_candidates_is_bounded() -> None:
    rng = np.random.default_rng(0)
    blends = blends_of(*(TRUTH + rng.normal(0, 1, 12) for _ in range(8)))
    assert sum(n > 0 for n in greedy(blends)) > 2
    assert sum(n > 0 for n in greedy(blends, n_distinct=2)) <= 2


def test_blends_that_cannot_be_scored_are_never_chosen() -> None:
    blends = blends_of(np.full(12, np.nan), TRUTH + 0.2)
    blends.score = lambda model, _fold: float(model.predict(None).sum() * 0)  # type: ignore[attr-defined]
    assert greedy(blends)[0] == 0


def test_equal_candidates_are_added_in_their_order() -> None:
    assert greedy(blends_of(TRUTH, TRUTH)) == (1, 0)


def test_a_refusal_of_the_metric_reaches_the_user() -> None:
    blends = blends_of(TRUTH)

    def refuse(_model: object, _fold: int) -> float:
        raise UsageError("no")

    blends.score = refuse
    with pytest.raises(UsageError):
        greedy(blends)
