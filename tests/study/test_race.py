"""Races over folds: the rule, and the same trials whatever the workers, crashes and ledgers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith import registry
from tunesmith.execute.processes import ProcessExecutor
from tunesmith.execute.serial import SerialExecutor
from tunesmith.history import Failure, FoldResult, History, Metric, Trial, TrialLog
from tunesmith.ledger.ledger import Ledger
from tunesmith.search.criteria.scores import Patience
from tunesmith.search.stopping import Criterion, MaxFits, MaxTrials
from tunesmith.space import Float, Int, SearchSpace
from tunesmith.study.loop import Outcome, Study
from tunesmith.study.race import (
    FoldRule,
    Race,
    lead,
    noise_around,
    raced_window,
    with_estimates,
)
from tunesmith.study.recorder import LedgerRecorder
from tunesmith.study.strategy import FixedList, SamplerStrategy
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Fit, OutcomeConstraint, Params, State

SPACE = SearchSpace.of({"x": Float(0, 1), "n": Int(1, 6)})
N_FOLDS = 5
SHARED = np.random.default_rng(5).normal(size=N_FOLDS)


def score(params: Params, fold: int) -> float:
    """A bowl with large effects of folds, which all points share, and small ones of their own."""
    x, n = float(str(params["x"])), int(str(params["n"]))
    own = np.random.default_rng([round(x * 1e9), n, fold]).normal()
    found: float = round(1 - (x - 0.3) ** 2 - abs(n - 4) / 20 + 0.1 * SHARED[fold] + 0.02 * own, 9)
    return found


def run(
    location: Path,
    *,
    sampler: str = "gp",
    trials: int = 30,
    n_workers: int = 0,
    races: bool = True,
    name: str = "s",
    criterion: Criterion | None = None,
    shared: str = "",
    window: int = 2,
    objective: Any = None,
    start: Sequence[tuple[str, Params]] = (),
) -> Outcome:
    objective = objective or FunctionObjective(score, n_folds=N_FOLDS, shared=shared)
    built = registry.load("samplers", sampler)(seed=3)
    sampling = SamplerStrategy(
        SPACE, built, name=sampler, seed=3, window=window, start=tuple(start)
    )
    strategy = Race(sampling, n_start=len(start)) if races else sampling
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
        return Study(
            strategy=strategy,
            objective=objective,
            criterion=criterion or MaxTrials(trials),
            log=ledger.log(head.id),
            recorder=recorder,
            executor=executor,
        ).run()


def listed(history: History) -> list[Any]:
    return [
        (t.key, t.proposed, t.state, t.n_left_out, t.n_points, [f.scores for f in t.folds])
        for t in history
    ]


def listed_best(history: History) -> Any:
    best = history.best()
    assert best is not None
    return best.number, [fold.scores for fold in best.folds]


def raced(history: History) -> list[Trial]:
    return [trial for trial in history if trial.is_raced]


def test_weak_trials_stop_and_the_winner_stays(tmp_path: Path) -> None:
    for sampler in ("random", "sobol"):
        whole = run(tmp_path / f"{sampler}-whole.db", sampler=sampler, races=False).history
        history = run(tmp_path / f"{sampler}.db", sampler=sampler).history
        assert [t.params for t in history] == [t.params for t in whole]
        assert listed_best(history) == listed_best(whole)
        assert history.n_evaluations < 0.8 * whole.n_evaluations
        stopped = raced(history)
        assert {trial.state for trial in stopped} == {State.PRUNED}
        assert all(len(t.folds) + t.n_left_out == N_FOLDS and t.folds for t in stopped)
        assert history.n_conclusive[-1] == len(history)


@pytest.mark.parametrize(("sampler", "workers"), [("gp", (0, 3)), ("random", (0, 1, 2, 4))])
def test_the_trials_are_the_same_for_any_number_of_workers(
    tmp_path: Path, sampler: str, workers: tuple[int, ...]
) -> None:
    found = [
        listed(run(tmp_path / f"{n}.db", sampler=sampler, trials=18, n_workers=n).history)
        for n in workers
    ]
    assert all(one == found[0] for one in found)
    assert any(n_left_out for _, _, _, n_left_out, _, _ in found[0])


def test_a_resumed_study_has_the_same_trials(tmp_path: Path) -> None:
    whole = listed(run(tmp_path / "whole.db", trials=20).history)
    for n in (9, 17, 20):
        history = run(tmp_path / "l.db", trials=n).history
    assert listed(history) == whole
    with Ledger.open(tmp_path / "l.db") as ledger:
        assert listed(ledger.load("s").history) == whole


def test_known_folds_beyond_the_stop_are_not_part_of_a_trial(tmp_path: Path) -> None:
    fresh = listed(run(tmp_path / "fresh.db", sampler="random").history)
    run(tmp_path / "l.db", sampler="random", races=False, name="whole")
    reused = run(tmp_path / "l.db", sampler="random")
    assert reused.n_evaluated == 0
    assert listed(reused.history) == fresh


def test_what_a_race_left_out_is_evaluated_where_it_is_needed(tmp_path: Path) -> None:
    first = run(tmp_path / "l.db", sampler="random").history
    again = run(tmp_path / "l.db", sampler="random", races=False, name="whole")
    assert again.n_evaluated == sum(trial.n_left_out for trial in first) > 0


class Ends:
    """A criterion that raises, as a kill would, after some trials."""

    def __init__(self, n: int) -> None:
        self.n = n

    def is_spent(self, history: History, elapsed_s: float) -> str | None:
        if history.n_completed >= self.n:
            raise RuntimeError("killed")
        return None


def test_after_a_crash_the_trials_are_the_same(tmp_path: Path) -> None:
    whole = listed(run(tmp_path / "whole.db", trials=16).history)
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path / "l.db", n_workers=2, criterion=Ends(9))
    assert listed(run(tmp_path / "l.db", trials=16, n_workers=2).history) == whole


def test_the_best_submodel_candidate_decides(tmp_path: Path) -> None:
    found = [
        listed(run(tmp_path / f"{n}.db", sampler="random", shared="n", n_workers=n).history)
        for n in (0, 3)
    ]
    assert found[0] == found[1]
    alone = listed(run(tmp_path / "whole.db", sampler="random", shared="n", races=False).history)
    for stopped, whole in zip(found[0], alone, strict=True):
        if not stopped[3]:
            assert stopped == whole
    assert any(one[3] for one in found[0])


def test_starting_points_and_the_first_trials_run_to_their_end(tmp_path: Path) -> None:
    start = [("current", {"n": 1, "x": 1.0}), ("defaults", {"n": 1, "x": 0.9})]
    history = run(tmp_path / "l.db", sampler="random", start=start).history
    assert not any(trial.is_raced for trial in history[:5])


def test_evaluations_that_were_made_count_as_fits(tmp_path: Path) -> None:
    outcome = run(tmp_path / "l.db", sampler="random", criterion=MaxFits(100))
    history = outcome.history
    assert history.n_evaluations >= 100 > history.n_evaluations - len(history[-1].folds)
    assert len(history) > 20


def test_stopped_trials_count_for_patience(tmp_path: Path) -> None:
    ends = [
        len(run(tmp_path / f"{r}.db", sampler="random", races=r, criterion=Patience(12)).history)
        for r in (True, False)
    ]
    assert ends[0] == ends[1]


class Failing(FunctionObjective):
    """Fails on the second fold of some points."""

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        (params,) = fit.candidates
        if fit.fold == 1 and int(str(params["n"])) == 4:
            return [FoldResult(1, {}, failure=Failure("ValueError", "no"))]
        return super().evaluate(fit)


def test_failed_folds_fail_a_trial_as_without_a_race(tmp_path: Path) -> None:
    objective = Failing(score, n_folds=N_FOLDS)
    pair = [
        run(tmp_path / f"{r}.db", sampler="random", races=r, objective=objective).history
        for r in (True, False)
    ]
    assert listed_best(pair[0]) == listed_best(pair[1])
    assert pair[0].n_failed > 0
    for trial, whole in zip(*pair, strict=True):
        scores = [fold.scores for fold in whole.folds]
        assert [fold.scores for fold in trial.folds] == scores[: len(trial.folds)]
        assert trial.is_raced or trial.state is whole.state


def test_fits_of_a_stopped_trial_are_dropped(tmp_path: Path) -> None:
    outcome = run(tmp_path / "l.db", sampler="random")
    # One worker takes folds in order, so that nothing beyond a stop is evaluated.
    assert outcome.n_evaluated == outcome.history.n_evaluations


# -- the rule ----------------------------------------------------------------------------------

gains = st.lists(st.floats(-1, 1).map(lambda x: round(x, 3)), min_size=2, max_size=10)


@given(gains, st.floats(0, 1), st.data())
def test_a_trial_that_is_no_worse_so_far_never_stops(
    best: list[float], noise: float, data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, len(best) - 1))
    above = [b + data.draw(st.floats(0.001, 1)) for b in best[:n]]
    assert not FoldRule(tuple(best), noise)(above)


@given(gains, st.data())
def test_a_trial_above_every_fold_of_the_best_never_stops(
    best: list[float], data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, len(best) - 1))
    first = [data.draw(st.floats(max(best), 2)) for _ in range(n)]
    assert not FoldRule(tuple(best), 0.001)(first)


def test_the_chance_is_that_of_a_simulation() -> None:
    """Differences of one trial around their own mean, of which some folds are seen."""
    rng, best, noise, n = np.random.default_rng(0), [0.0] * 5, 1.0, 2
    means = rng.uniform(-20, 20, size=400_000)
    scores = means[:, None] + rng.normal(scale=noise, size=(len(means), 5))
    _, deviation = lead([0.0] * n, best, noise)
    seen = scores[:, :n].mean(axis=1)
    near = np.abs(seen + 1.6449 * deviation) < 0.05
    assert np.mean(scores[near].mean(axis=1) > 0) == pytest.approx(0.05, abs=0.01)


def test_noise_is_that_of_differences() -> None:
    rng = np.random.default_rng(1)
    shared = rng.normal(scale=5, size=8)
    best = shared + rng.normal(scale=0.3, size=8)
    others = best + rng.normal(size=(300, 1)) + rng.normal(scale=0.4, size=(300, 8))
    assert noise_around(best, others) == pytest.approx(0.4, rel=0.1)
    assert noise_around(best, best[None, :]) == 0.0
    assert noise_around(best * 1e300, others * 1e300) == pytest.approx(0.4e300, rel=0.1)


def log_of(*rows: Sequence[float]) -> TrialLog:
    log = TrialLog((Metric("score"),))
    for number, row in enumerate(rows):
        trial = log.ask({"x": number / 10, "n": 1}, f"{number}", "random")
        folds = [FoldResult(fold, {"score": one}) for fold, one in enumerate(row)]
        log.tell(trial.completed(folds, 3))
    return log


class Seeing(SamplerStrategy):
    """Keeps the history that it was shown."""

    def propose(self, log: TrialLog) -> tuple[str, Params] | None:
        object.__setattr__(self, "seen", list(log.completed))
        return super().propose(log)


def test_samplers_see_a_stopped_trial_with_the_lift_of_its_missing_folds() -> None:
    proposing = Seeing(SPACE, registry.load("samplers", "gp")(seed=1), name="gp", seed=1, window=1)
    log = log_of([1.0, 3.0, 5.0], [2.0, 4.0, 9.0], [0.5])
    Race(proposing).propose(log)
    seen = proposing.seen[2]  # type: ignore[attr-defined]
    assert seen.state is State.COMPLETE
    # The complete ones have the means 1.5, 3.5 and 7 on the folds.
    assert seen.scores("score").tolist() == [0.5, 2.5, 6.0]
    assert log.completed[2].is_raced


def test_a_trial_that_violates_a_constraint_stops_no_other() -> None:
    log = TrialLog((Metric("score"),), (OutcomeConstraint.read("cost <= 1"),))
    race = Race(FixedList([{"n": n} for n in range(9)], "grid", 1))
    rng = np.random.default_rng(0)
    for number in range(8):
        rule = race.stop_rule(log, log.ask({"n": number}, str(number), "grid"))
        if number:
            # Before the others, a trial with the best scores, which cannot win.
            assert rule is None or rule.best[0] < 5
        base = 10.0 if number == 0 else 1.0
        scores = base + rng.normal(scale=0.01, size=5)
        folds = [
            FoldResult(fold, {"score": float(score), "cost": base})
            for fold, score in enumerate(scores)
        ]
        log.tell(log.trials[number].completed(folds, 5))
    assert race.stop_rule(log, log.ask({"n": 8}, "8", "grid")) is not None


def test_stopped_trials_get_estimates_of_all_metrics() -> None:
    log = TrialLog((Metric("score"),), (OutcomeConstraint.read("cost <= 1"),))
    for number, n in enumerate((3, 3, 3, 1)):
        log.ask({"n": number}, str(number), "grid")
        folds = [
            FoldResult(fold, {"score": number + fold, "cost": fold / 10}, fit_time_s=2.0)
            for fold in range(n)
        ]
        log.tell(log.trials[number].completed(folds, 3))
    stopped = list(with_estimates(log.view()).completed)[3]
    assert stopped.scores("cost").tolist() == pytest.approx([0.0, 0.1, 0.2])
    assert stopped.outcome("fit_time") == pytest.approx(2.0)


@pytest.mark.parametrize(("shared", "expected"), [("", 2), ("n", 8), ("other", 2)])
def test_a_race_without_a_model_looks_ahead_by_folds_unless_trials_share_fits(
    shared: str, expected: int
) -> None:
    objective = FunctionObjective(score, n_folds=N_FOLDS, shared=shared)
    points: list[Params] = [{"x": 0.5, "n": n} for n in range(1, 7)]
    assert raced_window(FixedList(points, "grid"), objective) == expected
    assert raced_window(FixedList([], "grid"), objective) == 2
