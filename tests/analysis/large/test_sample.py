"""A sample has each kind of trial by its share, and the best one."""

import numpy as np
import pytest

from tunesmith.analysis.large import sample as module
from tunesmith.analysis.large.sample import Sample
from tunesmith.analysis.ranking import RankedColumns
from tunesmith.history import Failure, FoldResult, History, Metric, Trial
from tunesmith.ledger.columns import columns_of
from tunesmith.testing.records import make_record

METRIC = Metric("loss", "minimize")
N = 400


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Sample:
    monkeypatch.setattr(module, "N_SAMPLE", 80)
    monkeypatch.setattr(module, "N_LESSONS", 15)
    rng, trials = np.random.default_rng(0), []
    for number in range(N):
        folds = [FoldResult(fold, {"loss": float(rng.random())}) for fold in range(3)]
        if number % 10 == 9:
            folds[1] = FoldResult(1, {}, failure=Failure("E", "m"))
        trial = Trial(number, {"n": number // 2}, key=f"{number}", origin="random")
        trials.append(trial.completed(folds[:2] if number % 10 == 5 else folds, 3))
    record = make_record([{"n": 1}], metrics=(METRIC,))
    object.__setattr__(record, "history", History.of((METRIC,), trials))
    columns = columns_of(trials, ["loss"])
    return Sample(record, columns, RankedColumns.of(columns, [METRIC], [METRIC]))


def test_each_kind_has_its_share(sample: Sample) -> None:
    assert (len(sample), len(sample.ranked)) == (80, 64)
    # Evenly over the ranks: the best one, and no long gap.
    ranks = [trial.rank for trial in sample.ranked]
    assert ranks[0] == 1
    assert max(np.diff(ranks)) <= 6
    assert ranks == sorted(ranks)


def test_as_a_history_it_is_numbered_anew(sample: Sample) -> None:
    history = sample.history
    assert [trial.number for trial in history] == list(range(len(history)))
    # The first complete trials come with those that a race has stopped.
    assert history[0].params == {"n": 0}
    assert history.n_pruned == 8
    assert history.n_failed == 8


def test_the_latest_and_the_best_are_what_forecasts_learn_from(sample: Sample) -> None:
    points = [trial.params["n"] for trial in sample.latest]
    assert points[-1] == (N - 2) // 2
    best = sample.ranking[0].params["n"]
    assert best in points
    assert len(points) < 20 + 15 + 15 + 1
    assert sample.n_tried(frozenset({"n"})) == N // 2
    assert sample.n_tried(frozenset({"other"})) == 1


def test_pictures_have_the_best_ones_as_well(sample: Sample) -> None:
    shown = [trial.number for trial in sample.shown([sample.ranking[-1].number, 9])]
    best = sample.ranking.numbers[: module.N_BEST].tolist()
    assert {*best, 9, sample.ranking[-1].number} <= set(shown)
    assert shown == sorted(set(shown))
