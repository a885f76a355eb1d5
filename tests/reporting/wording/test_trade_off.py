"""The sentence on the choice among several metrics."""

from dataclasses import replace

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.choice.preference import Preference
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.history import Metric
from tunesmith.reporting.best_text import best_text
from tunesmith.reporting.markdown import render
from tunesmith.reporting.wording.trade_off import trade_off
from tunesmith.testing.records import make_record

METRICS = (Metric("recall"), Metric("fit_time", "minimize"))


def summary(policy: Policy, n_objectives: int = 2) -> Summary:
    # The second metric is the first one plus 1, so that all trials are on the front.
    points = [{"max_depth": depth} for depth in (1, 2, 3)]
    scores = [[0.5, 0.75], [0.75, 1.0], [0.25, 0.5]]
    record = make_record(points, scores, metrics=METRICS, n_objectives=n_objectives)
    return summarise(record, policy, with_effects=False)


def said(policy: Policy) -> str:
    return trade_off(summary(policy), str)


def test_every_rule_is_told_in_one_line() -> None:
    head = "It was chosen from the Pareto front of 3 trials: "
    best = "the best recall, of equals the best fit_time"
    assert said(Policy()) == f"{head}{best}."
    by_weight = Policy(preference=Preference("weights", (("recall", 1.0), ("fit_time", 0.5))))
    assert said(by_weight) == f"{head}the largest 1 × recall − 0.5 × fit_time."
    assert "the knee, which is the largest sum of recall and fit_time" in said(
        Policy(preference=Preference("knee"))
    )
    assert (
        said(Policy(selection="one_se"))
        == f"{head}the simplest of those within one standard error of {best}."
    )


def test_one_metric_has_no_such_line() -> None:
    assert trade_off(summary(Policy(), n_objectives=1), str) == ""


def test_reports_show_all_metrics_of_the_winner_and_the_line() -> None:
    shown = summary(Policy())
    text = render(shown)
    assert "Chosen: `recall` 0.88 ± 0.12, `fit_time` 1.88 ± 0.12" in text
    assert said(Policy()).replace("recall", "`recall`").replace("fit_time", "`fit_time`") in text
    best = text.partition("## Best parameters")[2].partition("##")[0]
    assert "| `recall` |" in best
    assert "| `fit_time` |" in best
    assert "depends on the machine" in text
    assert said(Policy()) in best_text(shown)


def test_durations_that_decide_nothing_are_no_warning() -> None:
    shown = summary(Policy(), n_objectives=1)
    assert "depends on the machine" not in render(replace(shown, front=()))
