from typing import Any

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from tunesmith.objective.live import LiveBuilder
from tunesmith.objective.objects import Objects
from tunesmith.sharing import grouping
from tunesmith.sharing.grouping import Grouping
from tunesmith.types import Params


@pytest.fixture
def boosting() -> Grouping:
    estimator = HistGradientBoostingClassifier(random_state=0, early_stopping=False)
    return Grouping(LiveBuilder(estimator, Objects()))


def rounds(*values: Any, rate: float = 0.1) -> list[Params]:
    return [{"learning_rate": rate, "max_iter": value} for value in values]


def test_a_fold_is_split_as_the_one_before(boosting: Grouping) -> None:
    candidates = [*rounds(10, 20, 30), *rounds(10, 20, rate=0.5)]
    assert boosting.groups(candidates) == [(0, 1, 2), (3, 4)]
    first = boosting.paths(candidates[:3], 100)
    assert [path.candidates for path in first] == [tuple(candidates[:3])]
    assert boosting.paths(candidates[:3], 100) == first
    assert boosting.paths(candidates[3:], 100) != first


def test_estimators_are_judged_once_for_all_folds(
    boosting: Grouping, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = rounds(10, 20, 30)
    boosting.paths(candidates, 100)
    monkeypatch.setattr(LiveBuilder, "build", None)
    assert boosting.paths(candidates, 100)


def test_equal_values_of_other_types_are_judged_by_themselves(boosting: Grouping) -> None:
    for values in [(1, 2), (1.0, 2), (True, 2), ("1", 2)]:
        shared = boosting.paths(rounds(*values), 100)
        assert bool(shared) == (type(values[0]) is int)


def test_few_judgements_are_kept(boosting: Grouping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MAX_KNOWN", 3)
    for rate in range(1, 9):
        assert boosting.paths(rounds(10, 20, rate=rate / 10), 100)
        assert len(boosting._known) <= 3
