"""Budgets by promotion: who goes on, and that nothing but told trials decides it."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith import registry
from tunesmith.execute.fork_server import ForkServer
from tunesmith.execute.processes import ProcessExecutor
from tunesmith.execute.serial import SerialExecutor
from tunesmith.history import History, Metric, Trial
from tunesmith.ledger.ledger import Ledger
from tunesmith.search.budget import Budgets, Rule
from tunesmith.search.stopping import MaxTrials
from tunesmith.space import Categorical, Float, SearchSpace
from tunesmith.study.loop import Outcome, Study
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.study.successive_halving import PROMOTED, SuccessiveHalving
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import EXHAUSTED, Params, State

SPACE = SearchSpace.of({"x": Float(0.0, 1.0)})
NINE = SearchSpace.of({"x": Categorical(tuple(i / 10 for i in range(9)))})
LOSS = Metric("loss", "minimize")


def learning(params: Params, fold: int) -> float:
    """A loss that falls with epochs towards the distance of x to 0.3."""
    x, epochs = float(params["x"]), int(params["epochs"])  # type: ignore[arg-type]
    return abs(x - 0.3) + 1.0 / epochs + fold / 1000


def slow_learning(params: Params, fold: int) -> float:
    """Durations that reverse the order in which fits end."""
    time.sleep(0.01 * (hash(str(params)) % 3))
    return learning(params, fold)


def run(
    location: Path,
    *,
    budgets: Budgets,
    space: SearchSpace = SPACE,
    sampler: str = "random",
    trials: int = 60,
    start: Any = (),
    n_workers: int = 0,
    fork_server: ForkServer | None = None,
    observer: Any = None,
) -> Outcome:
    objective = FunctionObjective(
        slow_learning if n_workers else learning, n_folds=2, metrics=(LOSS,)
    )
    built = registry.load("samplers", sampler)(seed=3)
    strategy = SuccessiveHalving(
        SamplerStrategy(space, built, name=sampler, seed=3, window=8, start=start),
        "epochs",
        budgets,
    )
    executor: Any = (
        ProcessExecutor(objective.evaluate, n_workers=n_workers, fork_server=fork_server)
        if n_workers
        else SerialExecutor(objective.evaluate)
    )
    with Ledger.open(location) as ledger, executor:
        head = ledger.begin_study(
            "s", "i", {}, context={}, metrics=objective.metrics, objectives=objective.objectives
        )
        recorder = LedgerRecorder(ledger, head.id, ledger.begin_run(head.id, {}))
        log = ledger.log(head.id)
        extra = {"observer": observer} if observer else {}
        study = Study(
            strategy=strategy,
            objective=objective,
            criterion=MaxTrials(trials),
            log=log,
            recorder=recorder,
            executor=executor,
            **extra,
        )
        try:
            return study.run()
        finally:
            ledger.forget_untold(head.id, len(log.told))


def listed(history: History) -> list[tuple[str, str, str, list[float]]]:
    return [(t.key, t.origin, t.state.value, t.scores("loss").tolist()) for t in history]


def n_at(history: History) -> dict[int, int]:
    return dict(sorted(Counter(int(t.params["epochs"]) for t in history.told).items()))  # type: ignore[arg-type]


def test_all_of_a_grid_begin_small_and_the_best_go_on(tmp_path: Path) -> None:
    found = run(
        tmp_path / "l.db", budgets=Budgets(1, 9, rule="halving"), space=NINE, sampler="grid"
    )
    assert found.stopped_by == EXHAUSTED
    assert n_at(found.history)[1] == 9
    finals = [trial for trial in found.history if trial.state is State.COMPLETE]
    assert [trial.params["x"] for trial in finals][-1] == 0.3
    assert {trial.params["epochs"] for trial in finals} == {9}
    best = found.history.best()
    assert best is not None
    assert best.params == {"x": 0.3, "epochs": 9}


def test_one_in_factor_goes_on(tmp_path: Path) -> None:
    found = run(tmp_path / "l.db", budgets=Budgets(1, 9, rule="halving"), trials=120)
    counts = n_at(found.history)
    assert list(counts) == [1, 3, 9]
    assert counts[3] == pytest.approx(counts[1] / 3, abs=3)
    assert counts[9] == pytest.approx(counts[3] / 3, abs=2)
    promoted = [trial for trial in found.history if trial.origin == PROMOTED]
    assert all(trial.params["epochs"] in (3, 9) for trial in promoted)


def test_who_goes_on_was_good_enough_when_that_was_decided(tmp_path: Path) -> None:
    history = run(tmp_path / "l.db", budgets=Budgets(1, 9, rule="halving"), trials=80).history
    for trial in history:
        if trial.origin != PROMOTED:
            continue
        moments = range(max(0, trial.number - 7), trial.number + 1)
        assert any(was_good_enough(trial, history[:n]) for n in moments)


def was_good_enough(trial: Trial, told: list[Trial]) -> bool:
    budget = int(trial.params["epochs"]) // 3  # type: ignore[arg-type]
    others = [t for t in told if t.params["epochs"] == budget]
    own = [t for t in others if t.params["x"] == trial.params["x"]]
    losses = sorted(t.scores("loss").mean() for t in others)
    return bool(own) and own[0].scores("loss").mean() in losses[: len(losses) // 3]


def test_only_the_full_budget_is_complete(tmp_path: Path) -> None:
    history = run(tmp_path / "l.db", budgets=Budgets(1, 9)).history
    states = {(trial.params["epochs"] == 9, trial.state) for trial in history}
    assert states == {(True, State.COMPLETE), (False, State.PRUNED)}
    with Ledger.open(tmp_path / "l.db") as ledger:
        assert listed(ledger.load("s").history) == listed(history)


def test_starting_points_have_the_full_budget_at_once(tmp_path: Path) -> None:
    start = (("current", {"x": 0.9}),)
    history = run(tmp_path / "l.db", budgets=Budgets(1, 9), start=start, trials=12).history
    assert history[0].params == {"x": 0.9, "epochs": 9}
    assert history[0].state is State.COMPLETE


@pytest.mark.parametrize("rule", ["hyperband", "halving", "median"])
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_same_trials_after_an_interruption(tmp_path: Path, rule: Rule, sampler: str) -> None:
    class PowerCut(BaseException):
        pass

    def cut(progress: Any) -> None:
        if progress.n_told >= 23:
            raise PowerCut

    budgets = Budgets(1, 9, rule=rule)
    settings: dict[str, Any] = {"budgets": budgets, "sampler": sampler, "trials": 36}
    whole = run(tmp_path / "whole.db", **settings)
    with pytest.raises(PowerCut):
        run(tmp_path / "l.db", observer=cut, **settings)
    assert listed(run(tmp_path / "l.db", **settings).history) == listed(whole.history)


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    """Of all runs: its start is what costs most of one."""
    with ForkServer() as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("space", [SPACE, NINE], ids=["continuum", "grid"])
def test_the_same_trials_for_any_number_of_workers(
    tmp_path: Path, fork_server: ForkServer, space: SearchSpace
) -> None:
    sampler = "random" if space is SPACE else "grid"
    found = [
        listed(
            run(
                tmp_path / f"{n}.db",
                budgets=Budgets(1, 9),
                space=space,
                sampler=sampler,
                n_workers=n,
                fork_server=fork_server,
                trials=40,
            ).history
        )
        for n in (1, 3)
    ]
    assert found[0] == found[1]
