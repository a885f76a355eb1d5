"""Trials that stream their progress and are stopped on the way."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith import registry
from tunesmith.execute.processes import ProcessExecutor
from tunesmith.execute.serial import SerialExecutor
from tunesmith.history import FoldResult, History, Metric
from tunesmith.ledger.ledger import Ledger
from tunesmith.search.budget import Budgets
from tunesmith.search.stopping import MaxTrials
from tunesmith.space import Float, SearchSpace
from tunesmith.study.early_stopping import EarlyStopping, held_against
from tunesmith.study.loop import Outcome, Study
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Fit, State

SPACE = SearchSpace.of({"x": Float(0.0, 1.0)})
LOSS = Metric("loss", "minimize")
BUDGETS = Budgets(1, 27, rule="halving")


def final(params: Any, fold: int) -> float:
    return loss(float(params["x"]), 27, fold)


def loss(x: float, step: int, fold: int) -> float:
    return round(abs(x - 0.3) + 1.0 / step + fold / 1000, 6)


@dataclass(frozen=True)
class Streaming(FunctionObjective):
    """Runs 27 steps, unless its thresholds end it before."""

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """As a program would: all values, then held against the thresholds."""
        (params,) = fit.candidates
        x = float(params["x"])  # type: ignore[arg-type]
        course = tuple((step, loss(x, step, fit.fold)) for step in range(1, 28))
        whole = FoldResult(fit.fold, {"loss": course[-1][1]}, progress=course)
        found = held_against(whole, fit.thresholds, LOSS)
        assert found is not None
        return [found]


def run(
    location: Path, *, stops: bool = True, trials: int = 60, n_workers: int = 0, name: str = "s"
) -> Outcome:
    objective = Streaming(final, n_folds=2, metrics=(LOSS,))
    sampling = SamplerStrategy(
        SPACE, registry.load("samplers", "random")(seed=3), name="random", seed=3
    )
    strategy = EarlyStopping(sampling, BUDGETS) if stops else sampling
    executor: Any = (
        ProcessExecutor(objective.evaluate, n_workers=n_workers)
        if n_workers
        else SerialExecutor(objective.evaluate)
    )
    with Ledger.open(location) as ledger, executor:
        head = ledger.begin_study(
            name, "i", {}, context={}, metrics=objective.metrics, objectives=objective.objectives
        )
        recorder = LedgerRecorder(ledger, head.id, ledger.begin_run(head.id, {}))
        log = ledger.log(head.id)
        return Study(
            strategy=strategy,
            objective=objective,
            criterion=MaxTrials(trials),
            log=log,
            recorder=recorder,
            executor=executor,
        ).run()


def listed(history: History) -> list[Any]:
    return [
        (t.key, t.state, [(f.scores, f.progress, f.stopped_at) for f in t.folds]) for t in history
    ]


def test_weak_trials_are_stopped_and_strong_ones_are_not(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole.db", stops=False).history
    stopped = run(tmp_path / "l.db").history
    assert [t.params for t in stopped] == [t.params for t in whole]
    assert stopped.best() == whole.best()
    pruned = [trial for trial in stopped if trial.state is State.PRUNED]
    assert len(pruned) > 30
    spent = sum(fold.progress[-1][0] for trial in stopped for fold in trial.folds)
    assert spent < 0.5 * 27 * 2 * len(stopped)


def test_the_first_ones_have_nobody_to_be_held_against(tmp_path: Path) -> None:
    history = run(tmp_path / "l.db", trials=8).history
    assert {trial.state for trial in history} == {State.COMPLETE}


@pytest.mark.slow
def test_the_same_trials_stop_for_any_number_of_workers(tmp_path: Path) -> None:
    found = [listed(run(tmp_path / f"{n}.db", n_workers=n).history) for n in (1, 3)]
    assert found[0] == found[1]


def test_what_is_known_from_whole_runs_is_cut_off_alike(tmp_path: Path) -> None:
    run(tmp_path / "l.db", stops=False, name="whole")
    reused = run(tmp_path / "l.db")
    assert reused.n_evaluated == 0
    assert listed(reused.history) == listed(run(tmp_path / "fresh.db").history)


def test_what_was_cut_off_is_run_again_where_it_must_be_known(tmp_path: Path) -> None:
    first = run(tmp_path / "l.db").history
    again = run(tmp_path / "l.db", stops=False, name="whole")
    n_cut = sum(fold.stopped_at is not None for trial in first for fold in trial.folds)
    assert again.n_evaluated == n_cut > 0
    assert listed(again.history) == listed(run(tmp_path / "fresh.db", stops=False).history)


courses = st.lists(st.floats(-1, 1).map(lambda x: round(x, 2)), min_size=1, max_size=12)
thresholds_of = st.dictionaries(st.integers(1, 12), st.floats(-1, 1), max_size=4)


@given(courses, thresholds_of, thresholds_of)
def test_cutting_off_twice_is_cutting_off_once_or_not_known(
    scores: list[float], first: dict[int, float], second: dict[int, float]
) -> None:
    course = tuple(enumerate(scores, start=1))
    whole = FoldResult(0, {"score": scores[-1]}, progress=course)
    metric = Metric("score")
    wanted = held_against(whole, second, metric)
    cut = held_against(whole, first, metric)
    assert cut is not None
    again = held_against(cut, second, metric)
    assert again is None or again == wanted
    if cut.stopped_at is None:
        assert again == wanted
    # Stopped later than it would be now, everything that matters is known.
    if wanted is not None and wanted.stopped_at is not None and cut.stopped_at is not None:
        assert (again == wanted) or wanted.stopped_at > cut.stopped_at


def test_a_failure_is_no_course() -> None:
    from tunesmith.history import Failure

    failed = FoldResult(0, {}, failure=Failure("exit", "exited with status 1"))
    assert held_against(failed, {1: 0.0}, LOSS) is failed
    bare = FoldResult(0, {"loss": 1.0})
    assert held_against(bare, {1: 0.0}, LOSS) is bare
    assert held_against(replace(bare, stopped_at=3, progress=((3, 1.0),)), {}, LOSS) is None
