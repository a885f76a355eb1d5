"""Budgets by promotion: who goes on, and that nothing but told trials decides it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
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
from tunesmith.search.stopping import Criterion, MaxTime, MaxTrials
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
    criterion: Criterion | None = None,
    clock: Callable[[], float] = time.monotonic,
    window: int = 8,
    function: Any = None,
    metrics: tuple[Metric, ...] = (LOSS,),
    weights: tuple[float, ...] = (),
) -> Outcome:
    usual = slow_learning if n_workers else learning
    objective = FunctionObjective(function or usual, n_folds=2, metrics=metrics)
    built = registry.load("samplers", sampler)(seed=3)
    strategy = SuccessiveHalving(
        SamplerStrategy(space, built, name=sampler, seed=3, window=window, start=start),
        "epochs",
        budgets,
        weights,
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
            criterion=criterion or MaxTrials(trials),
            clock=clock,
            log=log,
            recorder=recorder,
            executor=executor,
            **extra,
        )
        try:
            return study.run()
        finally:
            ledger.forget_pending(head.id, len(log.completed))


def listed(history: History) -> list[tuple[str, str, str, list[float]]]:
    return [(t.key, t.origin, t.state.value, t.scores("loss").tolist()) for t in history]


def n_at(trials: Iterable[Trial]) -> dict[int, int]:
    return dict(sorted(Counter(int(t.params["epochs"]) for t in trials).items()))  # type: ignore[arg-type]


def by_rank(history: History, budgets: Budgets) -> list[Trial]:
    """All trials but the last ones, which are kept for the full budget."""
    return history[: len(history) - budgets.n_kept(len(history))]


def test_all_of_a_grid_begin_small_and_the_best_go_on(tmp_path: Path) -> None:
    found = run(
        tmp_path / "l.db", budgets=Budgets(1, 9, rule="halving"), space=NINE, sampler="grid"
    )
    assert found.stopped_by == EXHAUSTED
    assert n_at(found.history.completed)[1] == 9
    finals = [trial for trial in found.history if trial.state is State.COMPLETE]
    assert [trial.params["x"] for trial in finals][-1] == 0.3
    assert {trial.params["epochs"] for trial in finals} == {9}
    best = found.history.best()
    assert best is not None
    assert best.params == {"x": 0.3, "epochs": 9}


def test_one_in_factor_goes_on(tmp_path: Path) -> None:
    budgets = Budgets(1, 9, rule="halving")
    found = run(tmp_path / "l.db", budgets=budgets, trials=120)
    counts = n_at(by_rank(found.history, budgets))
    assert list(counts) == [1, 3, 9]
    assert counts[3] == pytest.approx(counts[1] / 3, abs=3)
    assert counts[9] == pytest.approx(counts[3] / 3, abs=2)
    promoted = [trial for trial in found.history if trial.origin == PROMOTED]
    assert all(trial.params["epochs"] in (3, 9) for trial in promoted)


def test_who_goes_on_was_good_enough_when_that_was_decided(tmp_path: Path) -> None:
    budgets = Budgets(1, 9, rule="halving")
    history = run(tmp_path / "l.db", budgets=budgets, trials=80).history
    for trial in by_rank(history, budgets):
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


# -- the end of a study ------------------------------------------------------------------------


def test_a_study_that_is_too_short_for_promotions_finishes_its_best_trial(tmp_path: Path) -> None:
    found = run(tmp_path / "l.db", budgets=Budgets(1, 27, rule="halving"), trials=24)
    *others, last = found.history
    assert last.state is State.COMPLETE
    lowest = min(others, key=lambda trial: trial.scores("loss").mean())
    assert last.params == {**lowest.params, "epochs": 27}


@pytest.mark.parametrize("trials", [1, 2, 5, 24])
@pytest.mark.parametrize("rule", ["hyperband", "halving", "median"])
def test_every_study_has_a_trial_with_the_full_budget(
    tmp_path: Path, trials: int, rule: Rule
) -> None:
    found = run(tmp_path / "l.db", budgets=Budgets(1, 81, rule=rule), trials=trials)
    assert found.history.best() is not None
    assert len(found.history) == trials


def test_a_space_with_too_few_points_for_promotions_finishes_the_best(tmp_path: Path) -> None:
    two = SearchSpace.of({"x": Categorical((0.9, 0.4))})
    found = run(tmp_path / "l.db", budgets=Budgets(1, 9, rule="halving"), space=two, sampler="grid")
    assert [t.params for t in found.history.successful] == [{"x": 0.4, "epochs": 9}]
    assert found.stopped_by == EXHAUSTED


def test_no_candidate_that_is_better_than_the_winner_is_left_behind(tmp_path: Path) -> None:
    for budgets in (Budgets(1, 27), Budgets(1, 27, rule="halving")):
        history = run(tmp_path / f"{budgets.rule}.db", budgets=budgets, trials=60).history
        last = {trial.params["x"]: trial for trial in history}
        best = history.best()
        assert best is not None
        left = [t.scores("loss").mean() for t in last.values() if t.state is State.PRUNED]
        assert best.mean("loss") <= min(left)


def test_a_time_limit_keeps_a_share_for_the_end(tmp_path: Path) -> None:
    ticks = iter(range(10_000))
    found = run(
        tmp_path / "l.db",
        budgets=Budgets(1, 27, rule="halving"),
        criterion=MaxTime(200),
        clock=lambda: float(next(ticks)),
        window=2,
    )
    assert found.history.best() is not None
    assert found.history[len(found.history) - 1].params["epochs"] == 27


@pytest.mark.parametrize("rule", ["hyperband", "halving", "median"])
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_same_trials_after_an_interruption(tmp_path: Path, rule: Rule, sampler: str) -> None:
    class PowerCut(BaseException):
        pass

    def cut(progress: Any) -> None:
        if progress.n_completed >= 23:
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


TWO = (LOSS, Metric("size", "minimize"))


def two_sided(params: Params, fold: int) -> dict[str, float]:
    """A loss that is least at x = 1, and a size that is least at x = 0."""
    x, epochs = float(params["x"]), int(params["epochs"])  # type: ignore[arg-type]
    return {"loss": 1 - x + 1.0 / epochs + fold / 1000, "size": x}


def full(outcome: Outcome) -> list[float]:
    return [float(t.params["x"]) for t in outcome.history if t.params["epochs"] == 9]  # type: ignore[arg-type]


def test_with_several_metrics_both_ends_of_the_front_are_promoted(tmp_path: Path) -> None:
    budgets = Budgets(1, 9, rule="halving")
    one = full(run(tmp_path / "one.db", budgets=budgets))
    both = full(run(tmp_path / "two.db", budgets=budgets, function=two_sided, metrics=TWO))
    weighted = run(
        tmp_path / "w.db", budgets=budgets, function=two_sided, metrics=TWO, weights=(1.0, 9.0)
    )
    assert max(abs(x - 0.3) for x in one) < 0.3
    assert min(both) < 0.2
    assert max(both) > 0.8
    # The last trials go to the best of the first metric among those on a front.
    n_kept = budgets.n_kept(60)
    assert max(full(weighted)[:-n_kept]) < 0.3


def test_a_dominated_trial_is_never_promoted_before_the_one_that_dominates_it(
    tmp_path: Path,
) -> None:
    def scored(params: Params, fold: int) -> dict[str, float]:
        x = float(params["x"])  # type: ignore[arg-type]
        return {"loss": abs(x - 0.3) + fold / 1000, "size": abs(x - 0.3) + abs(x - 0.4)}

    budgets = Budgets(1, 9, rule="halving")
    history = run(tmp_path / "a.db", budgets=budgets, function=scored, metrics=TWO).history
    for trial in by_rank(history, budgets):
        if trial.origin != PROMOTED:
            continue
        before = [t for t in history[: trial.number] if t.params["epochs"] == 1]
        last = {t.params["x"]: t for t in history[: trial.number]}
        own = last[trial.params["x"]]
        window = [t for t in before if t.number < trial.number - 8]
        waiting = [t for t in window if last[t.params["x"]] is t]
        if own.params["epochs"] != 1:
            continue
        means = own.scores("loss").mean(), own.scores("size").mean()
        for other in waiting:
            theirs = other.scores("loss").mean(), other.scores("size").mean()
            assert not (theirs[0] < means[0] and theirs[1] < means[1])
