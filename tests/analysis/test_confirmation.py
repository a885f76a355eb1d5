"""The winner and the current parameters on further splits, as reports see them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.confirmation import FIXED, FurtherLimits, no_further
from tunesmith.analysis.decision import open_contest
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.data.row_blocks import blocks_of, in_text
from tunesmith.history import FURTHER, Failure, FoldResult, TrialLog
from tunesmith.ledger.recorded_study import RecordedConfirm, RecordedStudy
from tunesmith.ledger.records import StudyRecord
from tunesmith.testing.fold_scores import simulate
from tunesmith.testing.records import make_record
from tunesmith.types import StopReason

N_FOLDS = 5
TRUTH = np.array([0.7, 0.75, 0.8, 0.81, 0.8])
SCORES = simulate(TRUTH, N_FOLDS, np.random.default_rng(0), noise=0.01).round(4).tolist()
POINTS = [{"max_depth": depth} for depth in range(1, 6)]
GATE = Policy(has_gate=True, keeps=True, confirm=RecordedConfirm(fits=40))


def record(
    gain: float | None, n_repeats: int = 4, noise: float = 0.01, **further: FoldResult
) -> StudyRecord:
    """Study whose trial 0 has the current parameters; trial 3 wins and gains on further splits."""
    found = make_record(POINTS, SCORES)
    definition: Mapping[str, Any] = {**found.head.definition, "incumbent": {"max_depth": 1}}
    found = replace(found, head=replace(found.head, definition=definition))
    best = found.history.best()
    assert best is not None
    if gain is None:
        return found
    rng = np.random.default_rng(1)
    draws = rng.normal(0, noise, n_repeats * N_FOLDS)
    current = [FoldResult(FURTHER - i, {"score": 0.7}) for i in range(len(draws))]
    chosen = [FoldResult(FURTHER - i, {"score": 0.7 + gain + d}) for i, d in enumerate(draws)]
    return replace(found, further={0: tuple(current), best.number: tuple(chosen)})


def decided(found: StudyRecord, policy: Policy = GATE) -> Summary:
    return summarise(found, policy, with_effects=False)


@pytest.mark.parametrize(
    ("gain", "verdict", "words"),
    [
        (0.1, "adopt", "more than chance"),
        (-0.1, "keep", "smaller than asked for"),
        (0.001, "indistinguishable", "this data cannot decide"),
    ],
)
def test_further_splits_decide(gain: float, verdict: str, words: str) -> None:
    summary = decided(record(gain))
    assert summary.gate is not None
    assert summary.confirmed is not None
    assert summary.gate.verdict == summary.confirmed.verdict == verdict
    assert words in summary.gate.reason
    # What is clear after the first repeat needs no other, although others are known.
    assert summary.confirmed.n_repeats == 1
    assert summary.confirmed.n_scores == 2 * N_FOLDS
    assert summary.confirmed.low < summary.confirmed.gain < summary.confirmed.high


def test_the_margin_of_practical_equivalence() -> None:
    found = record(0.001, noise=0.002)
    margin = replace(GATE, confirm=RecordedConfirm(fits=40, within=0.05))
    for policy in (margin, replace(GATE, min_improvement=0.05)):
        summary = decided(found, policy)
        assert summary.gate is not None
        assert summary.gate.verdict == "equal"
        assert summary.gate.holds_back


def test_unfinished_repeats_decide_nothing() -> None:
    found = record(0.014, 1, noise=0.02)
    summary = decided(found)
    assert summary.confirmed is not None
    assert summary.confirmed.verdict == "indistinguishable"
    assert "not finished" in summary.confirmed.reason
    # Half a repeat is none.
    cut = {number: results[:3] for number, results in found.further.items()}
    assert decided(replace(found, further=cut)).confirmed is None


def test_a_failed_fit_decides_nothing() -> None:
    found = record(0.1)
    broken = FoldResult(FURTHER, {}, failure=Failure("ValueError", "no"))
    further = {number: (broken, *results[1:]) for number, results in found.further.items()}
    summary = decided(replace(found, further=further))
    assert summary.gate is not None
    assert (summary.gate.verdict, summary.gate.is_open) == ("indistinguishable", False)
    assert "failed" in summary.gate.reason


def test_rows_in_an_order_that_matters_decide_nothing() -> None:
    found = record(0.1)
    easy = {n: tuple(raised(r) for r in results) for n, results in found.further.items()}
    found = replace(found, further=easy)
    for cv, verdict in (({"folds": 5}, "indistinguishable"), ({"shuffle": True}, "adopt")):
        file = {**found.definition["file"], "objective": {"estimator": "a.B", "cv": cv}}
        (run,) = found.runs
        provenance = {**run.provenance, "definition": {**found.definition, "file": file}}
        ordered = replace(found, runs=(replace(run, provenance=provenance),))
        summary = decided(ordered)
        assert summary.gate is not None
        assert summary.gate.verdict == verdict
        assert ("the order of the rows matters" in summary.gate.reason) == (verdict != "adopt")


def raised(result: FoldResult) -> FoldResult:
    return replace(result, scores={name: score + 0.2 for name, score in result.scores.items()})


def test_an_interrupted_run_adopts_nothing_before_its_further_splits() -> None:
    whole = record(None)
    (run,) = whole.runs
    stopped = replace(whole, runs=(replace(run, stopped_by=StopReason.of_signal(15)),))
    summary = decided(stopped)
    assert summary.gate is not None
    assert (summary.gate.verdict, summary.gate.is_open) == ("indistinguishable", False)
    assert "the further splits are not finished" in summary.gate.reason


def test_without_further_splits_the_folds_of_the_search_decide() -> None:
    summary = decided(record(None))
    assert summary.confirmed is None
    assert summary.gate is not None
    assert summary.gate.verdict == "adopt"
    assert "`tunesmith run` has not made them yet" in summary.gate.reason
    # The usual share allows one repeat after the smallest search.
    few = decided(record(None), replace(GATE, confirm=RecordedConfirm(fits="30%")))
    assert few.gate is not None
    assert "`tunesmith run` has not made them yet" in few.gate.reason
    for fits in (3, 0, "1%"):
        closed = decided(record(None), replace(GATE, confirm=RecordedConfirm(fits=fits)))
        assert closed.gate is not None
        assert (closed.gate.verdict, closed.gate.is_open) == ("indistinguishable", False)
        assert "nothing is adopted without further splits: one repeat takes" in closed.gate.reason
    off = decided(record(0.001), replace(GATE, confirm=None))
    assert off.gate is not None
    assert (off.confirmed, off.gate.verdict) == (None, "adopt")
    assert "further" not in off.gate.reason


def test_a_contest_needs_a_gate_and_another_trial_than_the_current_one() -> None:
    found = record(None)
    sections: dict[str, Any] = {"gate": {}, "confirm": {"fits": 40}}

    def opened(current: Any, **changes: Any) -> Any:
        recorded = RecordedStudy.of({"file": {**sections, **changes}})
        return open_contest(found.history, recorded, found.metrics, current)

    best = found.history.best()
    assert best is not None
    contest = opened({"max_depth": 1})
    assert (contest.chosen, contest.reference) == (best.number, 0)
    assert not contest.is_decided([], [])
    assert opened(None) is None
    assert opened(best.params) is None
    assert opened({"max_depth": 1}, gate=None) is None
    assert opened({"max_depth": 1}, confirm="off") is None
    assert opened({"max_depth": 1}, confirm={"fits": 9}) is None


@pytest.mark.parametrize(
    ("objective", "reason"),
    [
        ({"estimator": "a.B", "cv": {"folds": 5}}, ""),
        ({"estimator": "a.B", "cv": {"method": "time_series"}}, "time_series"),
        ({"estimator": "a.B", "cv": {"method": "auto", "column": "fold"}}, "predefined"),
        ({"estimator": "a.B", "cv": {"method": "predefined"}}, "memory"),
        ({"metric": [{"name": "loss"}], "cv": {"folds": 5}}, "function"),
        ({"estimator": "a.B", "data": {"path": ["d.csv"]}, "cv": {"column": "f"}}, "predefined"),
        ({"estimator": "a.B", "cv": {"method": "auto", "splitter": "a.Own"}}, "splitter"),
        ({"command": ["train"], "data": {"path": ["d.csv"]}, "cv": {"folds": 5}}, ""),
        ({"command": ["train"], "data": None, "seeds": 5}, "program"),
        ({"command": ["train"], "data": {"path": ["d.csv"]}, "seeds": 2}, "program"),
    ],
)
def test_studies_whose_rows_cannot_be_split_anew(objective: dict[str, Any], reason: str) -> None:
    recorded = RecordedStudy.of({"file": {"objective": objective}})
    assert no_further(recorded) == FIXED.get(reason, "")


def test_folds_of_the_search_are_not_taken_for_further_ones() -> None:
    found = record(0.1)
    (run,) = found.runs
    content = {**found.definition, "no_further": "five groups are five folds"}
    provenance = {**run.provenance, "definition": content}
    summary = decided(replace(found, runs=(replace(run, provenance=provenance),)))
    assert summary.confirmed is None
    assert summary.gate is not None
    assert "without further splits: five groups are five folds" in summary.gate.reason


def test_limits_are_a_share_of_the_searched_folds() -> None:
    history = record(None).history
    for fits, n_most in (("100%", 2), ("30%", 1), ("29%", 0), (1000, 20), ("200%", 5)):
        limits = FurtherLimits.of(RecordedConfirm(fits), RecordedStudy.of({}), history, {})
        assert limits is not None
        assert (limits.n_most, limits.n_folds) == (n_most, N_FOLDS)
        assert bool(limits.blocker) == (n_most == 0)


def test_limits_know_that_few_groups_have_few_splits() -> None:
    history, recorded = record(None).history, RecordedStudy.of({"n_further": 4})
    limits = FurtherLimits.of(RecordedConfirm(1000), recorded, history, {})
    assert limits is not None
    assert limits.n_most == 4


# -- parts of the rows -----------------------------------------------------------------------------

ROWS = np.arange(200)


def with_parts(found: StudyRecord, luck: float, n_trials: int = 40) -> StudyRecord:
    """Give all scores parts, in which the rows of the winner have this luck."""
    rng = np.random.default_rng(2)

    def told(result: FoldResult, size: float) -> FoldResult:
        text = in_text(size / 200 * rng.standard_normal(200), blocks_of(ROWS, 200))
        return replace(result, parts=text)

    trials = [
        replace(trial, folds=tuple(told(fold, 0.1) for fold in trial.folds))
        for trial in found.history.completed
    ]
    log = TrialLog(found.history.objectives, trials=list(trials))
    for trial in trials[:n_trials]:
        log.tell(trial)
    further = {
        number: tuple(told(result, luck if number else 1e-3) for result in results)
        for number, results in found.further.items()
    }
    return replace(found, history=log.view(), further=further)


def many(gain: float, noise: float) -> StudyRecord:
    """A study of ten trials, since fewer tell no reliability."""
    found = record(gain, noise=noise)
    points = [{"max_depth": depth} for depth in range(1, 11)]
    wide = make_record(points, [*SCORES, *SCORES])
    return replace(found, history=wide.history)


def test_the_parts_of_the_rows_decide_where_all_have_them() -> None:
    """Folds that scatter hide a gain which all rows share."""
    plain = many(0.06, noise=0.12)
    assert decided(plain).gate.verdict != "adopt"  # type: ignore[union-attr]
    sure, unsure = (with_parts(plain, luck) for luck in (1e-3, 3.0))
    errors = [decided(found).confirmed.error for found in (sure, plain, unsure)]  # type: ignore[union-attr]
    assert errors == sorted(errors)
    assert errors[0] < errors[1] / 1.2


def test_the_rows_tell_the_noise_also_where_most_trials_are_worse_than_the_current_one() -> None:
    """Then nothing tells the reliability, and the level is the strict one."""
    bad = [score - 0.3 for score in SCORES[0]]
    points = [{"max_depth": depth} for depth in range(1, 11)]
    scores = [SCORES[0], bad, bad, SCORES[3], *[bad] * 6]
    plain = replace(record(0.06, noise=0.12), history=make_record(points, scores).history)
    sure, unsure = (with_parts(plain, luck) for luck in (1e-3, 3.0))
    errors = [decided(found).confirmed.error for found in (sure, plain, unsure)]  # type: ignore[union-attr]
    assert errors == sorted(set(errors))


@pytest.mark.parametrize("side", ["search", "further", "damaged"])
def test_the_rule_is_the_usual_one_where_parts_are_missing(side: str) -> None:
    plain = many(0.03, noise=0.03)
    expected, found = decided(plain).confirmed, with_parts(plain, 3.0)
    assert decided(found).confirmed != expected
    if side == "search":
        found = replace(found, history=plain.history)
    else:
        text = "" if side == "further" else "0000"
        first, *others = found.further[0]
        further = {**found.further, 0: (replace(first, parts=text), *others)}
        found = replace(found, further=further)
    assert decided(found).confirmed == expected


def test_large_studies_are_decided_without_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = many(0.03, noise=0.03)
    monkeypatch.setattr("tunesmith.analysis.confirmation.MOST_WITH_PARTS", 9)
    assert decided(with_parts(plain, 3.0)).confirmed == decided(plain).confirmed
