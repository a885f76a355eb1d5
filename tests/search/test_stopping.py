"""Stopping criteria: the contract, and what each one means."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.config.stop import ConvergenceSpec, StopSection
from tunesmith.history import Failure, FoldResult, History, TrialLog
from tunesmith.search.criteria.scores import Convergence, Patience, TargetScore
from tunesmith.search.stopping import (
    AllOf,
    AnyOf,
    Criterion,
    FirstFailures,
    MaxFits,
    MaxTime,
    MaxTrials,
    build,
    trial_limit,
)
from tunesmith.space import Box, Float, SearchSpace
from tunesmith.testing.stopping import StoppingContract, history_of, log_of
from tunesmith.types import State

SPACE = SearchSpace((Box({"x": Float(0.0, 1.0)}),))
RISING = [[0.1 * n, 0.1 * n + 0.02, 0.1 * n - 0.01] for n in range(8)]
FLAT_AFTER_THREE = [*RISING[:3], [0.1] * 3, [], [0.2] * 3]
"""The best is trial 2; three more trials bring nothing."""


class TestMaxTrials(StoppingContract):
    def make(self) -> Criterion:
        return MaxTrials(4)

    def spent(self) -> Sequence[Sequence[float]]:
        return RISING[:4]


class TestMaxFits(StoppingContract):
    def make(self) -> Criterion:
        return MaxFits(10)

    def spent(self) -> Sequence[Sequence[float]]:
        return RISING[:4]


class TestMaxTime(StoppingContract):
    def make(self) -> Criterion:
        return MaxTime(10.0)

    def spent(self) -> Sequence[Sequence[float]]:
        return RISING[:4]

    def going(self) -> Sequence[Sequence[float]]:
        return RISING


class TestTargetScore(StoppingContract):
    def make(self) -> Criterion:
        return TargetScore(0.3)

    def mirrored(self) -> Criterion:
        return TargetScore(-0.3)

    def spent(self) -> Sequence[Sequence[float]]:
        return RISING[:4]


class TestPatience(StoppingContract):
    def make(self) -> Criterion:
        return Patience(3)

    def spent(self) -> Sequence[Sequence[float]]:
        return FLAT_AFTER_THREE


class TestConvergence(StoppingContract):
    def make(self) -> Criterion:
        return Convergence(window=3)

    def spent(self) -> Sequence[Sequence[float]]:
        return FLAT_AFTER_THREE


class TestFirstFailures(StoppingContract):
    def make(self) -> Criterion:
        return FirstFailures(4)

    def spent(self) -> Sequence[Sequence[float]]:
        return [[]] * 4


class TestAnyOf(StoppingContract):
    def make(self) -> Criterion:
        return AnyOf((MaxTrials(100), Patience(3)))

    def spent(self) -> Sequence[Sequence[float]]:
        return FLAT_AFTER_THREE


class TestAllOf(StoppingContract):
    def make(self) -> Criterion:
        return AllOf((MaxTrials(6), Patience(3)))

    def spent(self) -> Sequence[Sequence[float]]:
        return FLAT_AFTER_THREE


def reason(criterion: Criterion, history: History, elapsed_s: float = 0.0) -> str | None:
    return criterion.is_spent(history, elapsed_s)


def test_reasons_read_well() -> None:
    assert reason(MaxTrials(4), history_of(RISING)) == "4 trials"
    assert reason(MaxFits(12), history_of(RISING)) == "12 fits"
    assert reason(MaxTime(90), history_of(()), 91.0) == "90 seconds"
    assert reason(TargetScore(0.6), history_of(RISING)) == "score reached the target 0.6"
    assert reason(Patience(2), history_of(FLAT_AFTER_THREE)) == "no better score in 2 trials"
    both = AllOf((MaxTrials(2), Patience(2)))
    assert reason(both, history_of(FLAT_AFTER_THREE)) == "2 trials and no better score in 2 trials"


def test_time_alone_ends_a_study_without_trials() -> None:
    assert reason(MaxTime(5), history_of(()), 5.0)


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 6))
def test_patience_counts_the_trials_since_the_best(levels: list[int], n: int) -> None:
    """Equal scores are no improvement; level 0 stands for a failure."""
    spent = reason(Patience(n), history_of([[level] * 3 if level else [] for level in levels]))
    best = max(levels, default=0)
    since = len(levels) - (levels.index(best) + 1 if best else 0)
    assert (spent is not None) == (since >= n)


def test_small_budgets_use_up_no_patience() -> None:
    log = TrialLog(history_of(()).objectives)
    for state in (State.COMPLETE, *[State.PRUNED] * 30, State.COMPLETE, State.COMPLETE):
        trial = log.ask({}, str(len(log.trials)), "test")
        score = 0.5 if state is State.COMPLETE else 0.4
        metric = log.objectives[0].name
        log.tell(replace(trial.completed([FoldResult(0, {metric: score})]), state=state))
    assert reason(Patience(3), log.view()) is None
    assert reason(Patience(2), log.view()) == "no better score in 2 trials"
    assert reason(Convergence(3), log.view()) is None
    assert reason(Convergence(2), log.view(31)) is None
    assert reason(Convergence(2), log.view()) is not None


def test_a_target_is_reached_by_the_mean_not_by_a_fold() -> None:
    assert reason(TargetScore(0.9), history_of([[1.0, 0.5, 0.9]])) is None
    assert reason(TargetScore(0.79), history_of([[1.0, 0.5, 0.9]]))


def test_convergence_sees_through_effects_that_folds_have_on_every_trial() -> None:
    """Folds differ by 0.2; every later trial is better by a steady 0.01 in each of them."""
    folds = (0.5, 0.6, 0.7)
    steady = [[fold + 0.01 * n for fold in folds] for n in range(6)]
    assert reason(Convergence(window=3), history_of(steady)) is None


def test_convergence_calls_a_gain_noise_that_only_some_folds_show() -> None:
    noisy = [[0.5, 0.6, 0.7]] * 3 + [[0.7, 0.5, 0.63]] * 3
    assert reason(Convergence(window=3), history_of(noisy)) == (
        "the gain of the last 3 trials is below the folds' noise"
    )


def test_convergence_with_one_fold_waits_for_no_gain_at_all() -> None:
    assert reason(Convergence(window=2), history_of([[0.1], [0.2], [0.3]])) is None
    assert reason(Convergence(window=2), history_of([[0.3], [0.2], [0.1]]))


def test_first_failures_name_their_kinds_and_stay_the_reason() -> None:
    log = TrialLog(log_of(()).objectives)
    for number, kind in enumerate(("timeout", "ValueError", "timeout")):
        trial = log.ask({"n": number}, str(number), "test")
        log.tell(trial.completed([FoldResult(0, {}, failure=Failure(kind, "x"))]))
    expected = "the first 2 trials all failed (ValueError, timeout)"
    assert reason(FirstFailures(2), log.view()) == expected
    assert reason(FirstFailures(4), log.view()) is None


def test_one_success_among_the_first_is_enough() -> None:
    rows: list[list[float]] = [[], [0.5] * 3, [], []]
    assert reason(FirstFailures(3), history_of([*rows, [], []])) is None


def test_composition_nests() -> None:
    inner = AnyOf((MaxTrials(3), TargetScore(9.0)))
    nested = AllOf((inner, MaxTime(10)))
    assert reason(nested, history_of(RISING), 9.0) is None
    assert reason(nested, history_of(RISING[:2]), 11.0) is None
    assert reason(nested, history_of(RISING), 11.0) == "3 trials and 10 seconds"


def test_nothing_composed_never_ends() -> None:
    assert reason(AnyOf(()), history_of(RISING), 1e9) is None
    assert reason(AllOf(()), history_of(RISING), 1e9) is None


def test_build_makes_every_criterion_of_the_configuration() -> None:
    stop = StopSection(
        trials=100,
        fits=400,
        time=60.0,
        target=0.9,
        patience=20,
        convergence=ConvergenceSpec(window=30),
        any=(StopSection(trials=7),),
        all=(StopSection(trials=50), StopSection(patience=5, target=0.8)),
        first_failures=3,
    )
    assert build(stop, SPACE) == AnyOf(
        (
            MaxTrials(100),
            MaxFits(400),
            MaxTime(60.0),
            TargetScore(0.9),
            Patience(20),
            Convergence(30),
            MaxTrials(7),
            AllOf((MaxTrials(50), AnyOf((TargetScore(0.8), Patience(5))))),
            FirstFailures(3),
        )
    )


def test_a_target_of_zero_counts() -> None:
    criterion = build(StopSection(target=0.0), SPACE)
    assert reason(criterion, history_of([[0.0, 0.0, 0.0]])) == "score reached the target 0"


@pytest.mark.parametrize(
    ("criterion", "limit"),
    [
        (MaxTrials(100), 100),
        (Patience(5), None),
        (AnyOf((MaxTrials(100), Patience(5), AnyOf((MaxTrials(40),)))), 40),
        (AllOf((MaxTrials(100), MaxTrials(40))), 100),
        (AllOf((MaxTrials(100), Patience(5))), None),
        (AnyOf((MaxTrials(100), AllOf((MaxTrials(7), MaxTime(1))))), 100),
        (AnyOf(()), None),
        (AllOf(()), None),
        (build(StopSection(trials=12), SPACE), 12),
        (build(StopSection(), SPACE), None),
    ],
)
def test_no_trial_is_asked_that_is_certain_to_be_dropped(
    criterion: Criterion, limit: int | None
) -> None:
    assert trial_limit(criterion) == limit
