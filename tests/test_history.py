import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.history import (
    Failure,
    FoldResult,
    History,
    Metric,
    Trial,
    TrialLog,
    mean_of,
    std_of,
)
from tunesmith.types import State

ACCURACY = Metric("accuracy")
LOSS = Metric("loss", "minimize")


def completed(number: int, *scores: float, metric: str = "accuracy") -> Trial:
    folds = [FoldResult(i, {metric: score}) for i, score in enumerate(scores)]
    return Trial(number, {"n": number}, key=f'{{"n":{number}}}', origin="test").completed(folds)


def test_a_trial_is_complete_only_with_a_finite_score_in_every_fold() -> None:
    assert completed(0, 0.5, 0.7).state is State.COMPLETE
    assert completed(0, 0.5, math.inf).state is State.FAILED
    assert completed(0, 0.5, math.nan).state is State.FAILED
    assert completed(0).state is State.FAILED


def test_a_failed_fold_fails_its_trial_and_leaves_no_mean() -> None:
    reason = Failure("ValueError", "bad")
    trial = Trial(0, {}, key="{}", origin="test").completed(
        [FoldResult(1, {"accuracy": 0.9}), FoldResult(0, {}, failure=reason)]
    )
    assert trial.state is State.FAILED
    assert trial.failure is reason
    assert math.isnan(trial.mean("accuracy"))
    assert [fold.fold for fold in trial.folds] == [0, 1]


def test_mean_and_std_are_scikit_learns() -> None:
    scores = np.random.default_rng(0).random(10)
    trial = completed(0, *scores)
    row = np.array([scores])
    assert trial.mean("accuracy") == np.average(row, axis=1)[0]
    assert trial.std("accuracy") == np.sqrt(np.average((row - row.mean()) ** 2, axis=1))[0]


def test_means_of_few_scores_are_numpys_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    for n in [*range(1, 12), 129]:
        for row in rng.normal(size=(200, n)) * 10.0 ** rng.integers(-12, 12, size=(200, n)):
            scores = row.tolist()
            assert mean_of(scores) == float(np.mean(scores))
            assert std_of(scores) == float(np.std(scores))


def test_trials_are_told_in_order() -> None:
    log = TrialLog((ACCURACY,))
    for n in range(2):
        log.ask({"n": n}, f'{{"n":{n}}}', "test")
    with pytest.raises(ValueError, match="trial 0 must be completed before trial 1"):
        log.tell(completed(1, 0.5))


def test_a_view_hides_what_came_later() -> None:
    log = TrialLog((ACCURACY,))
    for n in range(3):
        log.ask({"n": n}, f'{{"n":{n}}}', "test")
    log.tell(completed(0, 0.1))
    early = log.view()
    log.tell(completed(1, 0.9))
    log.ask({"n": 3}, '{"n":3}', "test")

    assert len(early) == 3
    assert [t.state for t in early] == [State.COMPLETE, State.RUNNING, State.RUNNING]
    assert [t.number for t in early.pending] == [1, 2]
    best = early.best()
    assert best is not None
    assert best.number == 0
    assert not early.has('{"n":3}')
    assert log.view().has('{"n":3}')


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30), st.booleans())
def test_the_running_best_is_the_first_of_the_best(scores: list[float], maximize: bool) -> None:
    metric = ACCURACY if maximize else Metric("accuracy", "minimize")
    history = History.of([metric], [completed(n, s) for n, s in enumerate(scores)])
    best = history.best()
    assert best is not None
    extreme = max(scores) if maximize else min(scores)
    assert best.number == scores.index(extreme)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20))
def test_the_front_is_what_nothing_dominates(points: list[tuple[int, int]]) -> None:
    trials = []
    for n, (gain, loss) in enumerate(points):
        fold = FoldResult(0, {"accuracy": float(gain), "loss": float(loss)})
        trials.append(Trial(n, {"n": n}, key=str(n), origin="test").completed([fold]))
    front = {t.number for t in History.of([ACCURACY, LOSS], trials).front()}
    for n, (gain, loss) in enumerate(points):
        beaten = any(g >= gain and c <= loss and (g, c) != (gain, loss) for g, c in points)
        assert (n in front) == (not beaten)


def test_small_budgets_conclude_nothing() -> None:
    stopped = replace(FoldResult(0, {"accuracy": 0.1}), stopped_at=3)
    trials = [
        completed(0, 0.5),
        replace(completed(1, 0.4), state=State.PRUNED),
        Trial(2, {}, key="2", origin="test").completed([stopped]),
        completed(3, math.nan),
    ]
    log = TrialLog((ACCURACY,))
    for trial in trials:
        log.ask(trial.params, trial.key, trial.origin)
        log.tell(trial)
    assert (log.view().n_pruned, list(log.view().n_conclusive)) == (2, [0, 1, 1, 2, 3])
    assert list(log.view(2).n_conclusive) == [0, 1, 1]


def test_failed_trials_are_counted_at_every_moment() -> None:
    trials = [completed(0, 0.5), completed(1, math.nan), completed(2, 0.6), completed(3, math.nan)]
    history = History.of([ACCURACY], trials)
    assert (history.n_failed, history.n_pruned) == (2, 0)
    assert [t.number for t in history.successful] == [0, 2]


NUMBERS = st.floats(-1e150, 1e150) | st.just(math.nan) | st.integers(-5, 5)


@given(st.lists(NUMBERS, min_size=2, max_size=20))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_means_have_the_bits_of_numpys(scores: list[float]) -> None:
    pairs = [
        (mean_of(scores), np.mean(scores)),
        (std_of(scores), np.std(scores)),
        (std_of(scores, 1), np.std(scores, ddof=1)),
        (mean_of(scores[:1]), np.mean(scores[:1])),
        (std_of(np.array(scores), 1), np.std(scores, ddof=1)),
    ]
    for ours, theirs in pairs:
        assert type(ours) is float
        np.testing.assert_array_equal(ours, float(theirs))
