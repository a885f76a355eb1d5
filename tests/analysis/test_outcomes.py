"""What violates a constraint on outcomes never wins, by whichever rule."""

import math
from typing import get_args

import pytest

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.outcomes import ConstrainedOutcome, described, outcomes
from tunesmith.analysis.summary import summarise
from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.ledger.recorded_study import RecordedStudy, Selection
from tunesmith.testing.records import make_record
from tunesmith.types import OutcomeConstraint

PARAMS = [{"max_depth": depth} for depth in (1, 2, 3, 4)]
SCORES = [[0.5, 0.6, 0.5], [0.7, 0.7, 0.8], [0.9, 0.8, 0.9], [0.9, 0.9, 0.9]]
COST = Metric("cost", "minimize")
"""By ``make_record``, the cost of a trial is its score plus 1."""


@pytest.mark.parametrize("selection", get_args(Selection))
def test_no_rule_chooses_what_violates(selection: Selection) -> None:
    record = make_record(
        PARAMS, SCORES, metrics=(Metric("score"), COST), subject_to=["cost <= 1.8"]
    )
    summary = summarise(record, Policy(selection=selection), with_effects=False)
    assert summary.chosen is not None
    assert summary.chosen.number in (0, 1)
    assert {trial.number for trial in summary.ranking} == {0, 1}
    assert not set(summary.ties.numbers) & {2, 3}
    assert [one.trial.number for one in summary.outcomes.violating] == [2, 3]
    assert all(one.is_met for one in summary.outcomes.chosen)


def test_best_so_far_skips_what_violates() -> None:
    record = make_record(
        PARAMS[::-1], SCORES[::-1], metrics=(Metric("score"), COST), subject_to=["cost <= 1.8"]
    )
    best = summarise(record, with_effects=False).best_so_far
    assert [round(b, 3) for b in best[2:]] == [0.733, 0.733]
    assert all(math.isnan(b) for b in best[:2])


def test_no_trial_of_the_front_violates() -> None:
    metrics = (Metric("score"), COST)
    record = make_record(
        PARAMS, SCORES, metrics=metrics, n_objectives=2, subject_to=["score > 0.7", "cost < 1.87"]
    )
    summary = summarise(record, with_effects=False)
    assert {trial.number for trial in summary.front} == {1, 2}
    free = make_record(PARAMS, SCORES, metrics=metrics, n_objectives=2)
    assert len(summarise(free, with_effects=False).front) == 4


def test_the_closest_is_named_if_no_trial_meets_the_constraints() -> None:
    record = make_record(PARAMS, SCORES, subject_to=["score >= 0.95"])
    summary = summarise(record, with_effects=False)
    assert summary.chosen is None
    assert summary.gate is None
    assert [one.trial.number for one in summary.outcomes.violating] == [3, 2, 1, 0]


def test_current_parameters_that_violate_give_way_to_a_worse_score() -> None:
    record = make_record(
        PARAMS,
        SCORES,
        metrics=(Metric("score"), COST),
        origins=["grid", "grid", "grid", "current"],
        subject_to=["cost <= 1.8"],
    )
    policy = Policy(selection="best", has_gate=True, keeps=True)
    summary = summarise(record, policy, with_effects=False)
    assert summary.gate is not None
    assert summary.gate.verdict == "adopt"
    assert summary.gate.reference == 3
    assert "violate" in summary.gate.reason


def test_measured_times_are_outcomes_without_being_metrics() -> None:
    record = make_record(PARAMS, SCORES, subject_to=["fit_time <= 0.05"])
    assert record.history.best() is None
    record = make_record(PARAMS, SCORES, subject_to=["fit_time <= 0.2", "score_time < 0.1"])
    best = record.history.best()
    assert best is not None
    assert best.number == 3


def test_an_outcome_that_is_not_known_is_violated() -> None:
    log = TrialLog((Metric("score"),), (OutcomeConstraint.read("recall >= 0"),))
    trial = log.ask({}, "{}", "grid")
    log.tell(
        trial.completed(
            [FoldResult(0, {"score": 1.0, "recall": 1.0}), FoldResult(1, {"score": 1.0})]
        )
    )
    assert log.view().best() is None
    (found,) = outcomes(log.view(), (Metric("score"),), None).violating
    assert found.outcomes[0].text == "not known"


def test_a_recorded_constraint_that_cannot_be_read_is_met_by_nothing() -> None:
    content = {"file": {"objective": {"subject_to": ["recall is good"]}}}
    (never,) = RecordedStudy.of(content).subject_to
    assert not never.allows(1.0)


@pytest.mark.parametrize(("mean", "shown"), [(0.75, "0.75"), (0.79999, "0.79999"), (0.8, "0.8")])
def test_digits_show_the_side_of_the_bound(mean: float, shown: str) -> None:
    outcome = ConstrainedOutcome(
        constraint="r >= 0.8", metric="r", bound=0.8, mean=mean, error=0.1, is_met=mean >= 0.8
    )
    assert described(outcome) == f"r >= 0.8 ({shown})"
