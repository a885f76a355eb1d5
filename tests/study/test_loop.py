"""The loop over a plain function: real ledger, real executors."""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith import registry
from tunesmith.execute.executor import WorkerDiedError
from tunesmith.execute.fork_server import ForkServer
from tunesmith.execute.processes import ProcessExecutor
from tunesmith.execute.serial import SerialExecutor
from tunesmith.history import FoldResult, History, Metric, Trial, TrialLog
from tunesmith.ledger.ledger import Ledger
from tunesmith.search.criteria.scores import Patience, TargetScore
from tunesmith.search.stopping import AnyOf, Criterion, MaxTime, MaxTrials
from tunesmith.space import Categorical, Float, Int, SearchSpace
from tunesmith.study.loop import Outcome, Study, unique_start
from tunesmith.study.progress import Progress
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import ALL_TRIED, Fit, Params, State

SPACE = SearchSpace.of({"x": Float(-1, 1), "n": Int(1, 20), "kind": Categorical(("a", "b", None))})
SMALL = SearchSpace.of({"n": Int(1, 6)})


def bowl(params: Params, fold: int) -> float:
    x, n = float(params.get("x", 0.0)), int(params.get("n", 1))  # type: ignore[arg-type]
    return -((x - 0.3) ** 2) - abs(n - 7) / 50 + fold / 1000 - (params.get("kind") == "a") * 0.1


def slow_bowl(params: Params, fold: int) -> float:
    """Durations that reverse the order in which fits end."""
    time.sleep(0.01 * (hash(str(params)) % 3) * (fold == 0))
    return bowl(params, fold)


def run(
    location: Path,
    *,
    sampler: str = "tpe",
    criterion: Criterion | None = None,
    space: SearchSpace = SPACE,
    objective: FunctionObjective | None = None,
    executor: Any = None,
    start: Any = (),
    observer: Any = None,
    restart: bool = False,
    window: int = 8,
) -> Outcome:
    objective = objective or FunctionObjective(bowl, n_folds=3)
    built = registry.load("samplers", sampler)(seed=7)
    strategy = SamplerStrategy(space, built, name=sampler, seed=7, window=window, start=start)
    executor = executor or SerialExecutor(objective.evaluate)
    with Ledger.open(location) as ledger, executor:
        head = ledger.begin_study(
            "s",
            sampler,
            {},
            context=objective.context,
            metrics=objective.metrics,
            objectives=objective.objectives,
            restart=restart,
        )
        run_id = ledger.begin_run(head.id, {})
        recorder = LedgerRecorder(ledger, head.id, run_id, since_run=run_id if restart else None)
        log = ledger.log(head.id)
        study = Study(
            strategy=strategy,
            objective=objective,
            criterion=criterion or MaxTrials(30),
            log=log,
            recorder=recorder,
            executor=executor,
            **({"observer": observer} if observer else {}),
        )
        try:
            return study.run()
        finally:
            ledger.forget_pending(head.id, len(log.completed))


def listed(history: History) -> list[tuple[str, list[float]]]:
    return [(t.key, t.scores("score").tolist()) for t in history]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, list[float]]]:
    return listed(run(tmp_path_factory.mktemp("reference") / "l.db").history)


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    """Of all runs: its start is what costs most of one."""
    with ForkServer() as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("n_workers", [2, 8])
def test_the_same_trials_for_any_number_of_workers(
    tmp_path: Path, fork_server: ForkServer, reference: list[Any], n_workers: int
) -> None:
    objective = FunctionObjective(slow_bowl, n_folds=3)
    executor = ProcessExecutor(objective.evaluate, n_workers=n_workers, fork_server=fork_server)
    found = run(tmp_path / "l.db", objective=objective, executor=executor)
    assert listed(found.history) == reference


@pytest.mark.parametrize("n_first", [1, 5, 13, 29])
def test_the_same_trials_after_an_interruption(
    tmp_path: Path, reference: list[Any], n_first: int
) -> None:
    class PowerCut(BaseException):
        pass

    def cut(progress: Progress) -> None:
        if progress.n_completed >= n_first:
            raise PowerCut

    with pytest.raises(PowerCut):
        run(tmp_path / "l.db", observer=cut)
    resumed = run(tmp_path / "l.db")
    assert listed(resumed.history) == reference
    assert resumed.n_evaluated == 3 * (30 - n_first)


def test_a_finished_study_evaluates_nothing_again(tmp_path: Path) -> None:
    first = run(tmp_path / "l.db")
    again = run(tmp_path / "l.db")
    assert (first.n_evaluated, again.n_evaluated) == (90, 0)
    assert listed(again.history) == listed(first.history)


def test_more_trials_evaluate_only_what_is_new(tmp_path: Path, reference: list[Any]) -> None:
    assert run(tmp_path / "l.db", criterion=MaxTrials(12)).n_evaluated == 36
    more = run(tmp_path / "l.db")
    assert more.n_evaluated == 54
    assert listed(more.history) == reference


def test_another_strategy_reuses_what_is_known(tmp_path: Path) -> None:
    run(tmp_path / "l.db", sampler="grid", space=SMALL)
    other = run(tmp_path / "l.db", sampler="random", space=SMALL)
    assert other.stopped_by == ALL_TRIED
    assert (other.n_evaluated, other.n_reused) == (0, 18)


def test_restart_evaluates_everything_anew(tmp_path: Path) -> None:
    run(tmp_path / "l.db", sampler="grid", space=SMALL)
    assert run(tmp_path / "l.db", sampler="grid", space=SMALL, restart=True).n_evaluated == 18


def test_a_criterion_ends_the_study_at_the_trial_that_met_it(tmp_path: Path) -> None:
    criterion = AnyOf((MaxTrials(200), Patience(5)))
    stopped = run(tmp_path / "l.db", criterion=criterion)
    best = stopped.history.best()
    assert best is not None
    assert len(stopped.history) == best.number + 6
    assert stopped.stopped_by.text == "no better score in 5 trials"
    with Ledger.open(tmp_path / "l.db") as ledger:
        assert len(ledger.load("s").history) == best.number + 6


def test_going_on_after_a_target_gives_the_undisturbed_trials(
    tmp_path: Path, reference: list[Any]
) -> None:
    stopped = run(tmp_path / "l.db", criterion=AnyOf((MaxTrials(30), TargetScore(-0.2))))
    assert len(stopped.history) < 30
    assert listed(run(tmp_path / "l.db").history) == reference


def test_time_changes_only_where_the_trials_end(tmp_path: Path, reference: list[Any]) -> None:
    objective = FunctionObjective(slow_bowl, n_folds=3)
    found = listed(run(tmp_path / "l.db", criterion=MaxTime(0.3), objective=objective).history)
    assert len(found) > 0
    assert found[:30] == reference[: len(found)]


def test_starting_points_come_first_and_once(tmp_path: Path) -> None:
    start, notes = unique_start(
        SMALL, [("defaults", {"n": 4}), ("current", {"n": 4.0}), ("start_with", {"n": 99})]
    )
    assert notes == ["a point of `start_with` is not tried first: `n`: 99 is outside [1, 6]"]
    assert unique_start(SMALL, [("defaults", {"n": 99})], ("defaults",)) == ((), [])
    found = run(tmp_path / "l.db", sampler="grid", space=SMALL, start=start).history
    assert [t.params["n"] for t in found] == [4, 1, 2, 3, 5, 6]
    assert [t.origin for t in found] == ["defaults", *["grid"] * 5]


class Sized(FunctionObjective):
    """One whose fits take longer with ``n``."""

    def size(self, candidates: Any) -> float:
        return float(max(params["n"] for params in candidates))


class Noting(SerialExecutor):
    """Notes what it is given."""

    def __init__(self, *given: Any, n_workers: int) -> None:
        super().__init__(*given)
        self.n_workers = n_workers
        self.noted: list[Fit] = []

    def submit(self, item: Any) -> Any:
        self.noted.append(item)
        return super().submit(item)


@pytest.mark.parametrize(
    ("sampler", "n_workers", "limit", "expected"),
    [
        ("grid", 1, 99, [1, 2, 3, 4, 5, 6]),
        ("grid", 2, 99, [6, 5, 4, 3, 2, 1]),
        ("grid", 2, 4, [4, 3, 2, 1]),
        ("tpe", 2, 4, None),
    ],
)
def test_the_last_fits_begin_with_the_largest_where_results_change_nothing(
    tmp_path: Path, sampler: str, n_workers: int, limit: int, expected: list[int] | None
) -> None:
    objective = Sized(bowl)
    executor = Noting(objective.evaluate, n_workers=n_workers)
    found = run(
        tmp_path / "l.db",
        sampler=sampler,
        space=SMALL,
        objective=objective,
        executor=executor,
        criterion=MaxTrials(limit),
    ).history
    asked = [trial.params["n"] for trial in found]
    assert [fit.candidates[0]["n"] for fit in executor.noted] == (expected or asked)
    assert [trial.number for trial in found] == list(range(len(found)))
    if sampler == "grid":
        assert asked == [*range(1, len(asked) + 1)]


def test_a_strategy_sees_exactly_the_trials_before_the_window(tmp_path: Path) -> None:
    seen = []

    class Spy:
        def blocker(self, space: SearchSpace) -> None:
            return None

        def suggest(self, space: Any, history: History, n: int, rng: Any) -> list[Params]:
            states = [t.state for t in history]
            seen.append((len(history), states.count(State.COMPLETE)))
            return [{"n": len(history) + 1}]

    space = SearchSpace.of({"n": Int(1, 100)})
    objective = FunctionObjective(bowl)
    with Ledger.open(tmp_path / "l.db") as ledger:
        head = ledger.begin_study(
            "s", "i", {}, context={}, metrics=objective.metrics, objectives=objective.metrics
        )
        recorder = LedgerRecorder(ledger, head.id, ledger.begin_run(head.id, {}))
        Study(
            strategy=SamplerStrategy(space, Spy(), name="spy", seed=0, window=4),
            objective=objective,
            criterion=MaxTrials(10),
            log=TrialLog(objective.metrics),
            recorder=recorder,
            executor=SerialExecutor(objective.evaluate),
        ).run()
    assert seen == [(k, max(0, k - 3)) for k in range(10)]


def test_a_failing_fold_is_data(tmp_path: Path) -> None:
    def moody(params: Params, fold: int) -> float:
        if params["n"] == 3 and fold == 1:
            raise ValueError("three is bad")
        return math.nan if params["n"] == 5 else bowl(params, fold)

    objective = FunctionObjective(moody, n_folds=2)
    found = run(tmp_path / "l.db", sampler="grid", space=SMALL, objective=objective).history
    failed: list[Trial] = [t for t in found if t.state is State.FAILED]
    assert [t.params["n"] for t in failed] == [3, 5]
    assert failed[0].failure is not None
    assert failed[0].failure.kind == "ValueError"
    best = found.best()
    assert best is not None
    assert best.params["n"] == 6


def test_several_objectives_are_a_length(tmp_path: Path) -> None:
    def two(params: Params, fold: int) -> dict[str, float]:
        n = int(params["n"])  # type: ignore[arg-type]
        return {"gain": min(n, 4), "cost": n}

    metrics = (Metric("gain"), Metric("cost", "minimize"))
    objective = FunctionObjective(two, metrics=metrics)
    found = run(tmp_path / "l.db", sampler="tpe", space=SMALL, objective=objective).history
    assert sorted(int(t.params["n"]) for t in found.front()) == [1, 2, 3, 4]  # type: ignore[arg-type]


def test_progress_knows_what_is_reused(tmp_path: Path) -> None:
    run(tmp_path / "l.db", criterion=MaxTrials(10))
    shown: list[Progress] = []
    run(tmp_path / "l.db", criterion=MaxTrials(20), observer=shown.append)
    last = shown[-1]
    assert (last.n_completed, last.n_trials, last.n_evaluated) == (20, 20, 30)
    eta = shown[0].eta_s()
    assert eta is None or np.isfinite(eta)


# -- curves --------------------------------------------------------------------------------------


def curved(**options: Any) -> FunctionObjective:
    """A bowl whose smaller values of `n` come along; its best `n` is 7."""
    return FunctionObjective(bowl, n_folds=3, shared="n", **options)


def points_of(trial: Trial) -> list[Params]:
    """All that a trial's fits score."""
    return curved().submodel_candidates(trial.proposed or trial.params, SPACE)


@pytest.fixture(scope="module", params=["tpe", "random", "gp"])
def sampler(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def curves(sampler: str, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, list[float]]]:
    place = tmp_path_factory.mktemp("curves") / "l.db"
    return listed(run(place, sampler=sampler, objective=curved()).history)


def test_each_trial_is_the_best_of_its_curve(tmp_path: Path, sampler: str) -> None:
    found = run(tmp_path / "l.db", sampler=sampler, objective=curved())
    assert len(found.history) == 30
    for trial in found.history:
        means = [np.mean([bowl(params, fold) for fold in range(3)]) for params in points_of(trial)]
        assert trial.mean("score") == max(means)
        assert trial.params == points_of(trial)[int(np.argmax(means))]
        assert trial.n_points == len(means)
    assert any(trial.proposed for trial in found.history)


def test_a_curve_costs_one_fit_a_fold(tmp_path: Path) -> None:
    found = run(tmp_path / "l.db", sampler="tpe", objective=curved())
    n_points = sum(len(points_of(trial)) for trial in found.history)
    assert found.n_fits <= 90
    assert 90 < found.n_evaluated <= 3 * n_points


@pytest.mark.parametrize("n_first", [1, 13])
def test_curves_are_the_same_after_an_interruption(
    tmp_path: Path, sampler: str, curves: list[Any], n_first: int
) -> None:
    class PowerCut(BaseException):
        pass

    def cut(progress: Progress) -> None:
        if progress.n_completed >= n_first:
            raise PowerCut

    with pytest.raises(PowerCut):
        run(tmp_path / "l.db", sampler=sampler, objective=curved(), observer=cut)
    assert listed(run(tmp_path / "l.db", sampler=sampler, objective=curved()).history) == curves


@pytest.mark.slow
def test_curves_are_the_same_for_any_number_of_workers(
    tmp_path: Path, fork_server: ForkServer, sampler: str, curves: list[Any]
) -> None:
    objective = FunctionObjective(slow_bowl, n_folds=3, shared="n")
    executor = ProcessExecutor(objective.evaluate, n_workers=2, fork_server=fork_server)
    found = run(tmp_path / "l.db", sampler=sampler, objective=objective, executor=executor)
    assert listed(found.history) == curves


def test_a_grid_over_a_curve_that_was_scored_makes_no_fit(tmp_path: Path) -> None:
    space = SearchSpace.of({"n": Int(1, 6)})
    first = run(
        tmp_path / "l.db",
        sampler="random",
        space=space,
        objective=curved(),
        criterion=MaxTrials(6),
    )
    assert (first.n_evaluated, first.n_fits) == (18, 3)
    again = run(tmp_path / "l.db", sampler="grid", space=space, objective=curved())
    assert (again.n_evaluated, again.n_reused) == (0, 18)
    assert [trial.n_points for trial in again.history] == [1] * 6


def test_only_what_is_left_of_a_curve_is_evaluated(tmp_path: Path) -> None:
    grid = SearchSpace.of({"n": Int(1, 20, step=2)})
    run(tmp_path / "l.db", sampler="grid", space=grid, objective=curved())
    whole = SearchSpace.of({"n": Int(1, 20)})
    found = run(tmp_path / "l.db", sampler="random", space=whole, objective=curved())
    assert found.n_evaluated == 3 * 10
    assert all(trial.params["n"] == 7 for trial in found.history if (trial.proposed or {}))


def test_starting_points_and_several_objectives_have_no_curve(tmp_path: Path) -> None:
    start, _ = unique_start(SPACE, [("defaults", {"x": 0.0, "n": 20, "kind": "b"})])
    found = run(tmp_path / "l.db", objective=curved(), start=start, criterion=MaxTrials(2))
    assert (found.history[0].n_points, found.history[0].params["n"]) == (1, 20)

    def two(params: Params, fold: int) -> dict[str, float]:
        return {"gain": bowl(params, fold), "cost": 1.0}

    metrics = (Metric("gain"), Metric("cost", "minimize"))
    objective = FunctionObjective(two, metrics=metrics, shared="n", version="2")
    several = run(tmp_path / "m.db", objective=objective).history
    assert {trial.n_points for trial in several} == {1}


def test_a_curve_whose_fit_fails_is_its_proposal_alone(tmp_path: Path) -> None:
    objective = curved()

    def fragile(fit: Fit) -> list[FoldResult]:
        if len(fit.all_candidates) > 1:
            raise WorkerDiedError("killed")
        return objective.evaluate(fit)

    executor = SerialExecutor(fragile)
    found = run(tmp_path / "l.db", objective=objective, executor=executor)
    assert {trial.n_points for trial in found.history} == {1}
    assert found.n_evaluated == found.n_fits == 90
