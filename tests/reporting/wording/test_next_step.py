"""What to do now, each step from a statement of the same report."""

from dataclasses import replace
from typing import Any

import pytest

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.analysis.trends import Edge
from tunesmith.reporting.markdown import render
from tunesmith.reporting.page.content import best_rows
from tunesmith.reporting.wording.next_step import next_step
from tunesmith.reporting.wording.words import MARKDOWN, PLAIN
from tunesmith.search.further_gain import Outlook
from tunesmith.testing.records import make_record

DEPTHS = [{"max_depth": depth} for depth in (1, 2, 3, 4)]
CLEAR = [[0.50, 0.52, 0.51], [0.60, 0.62, 0.611], [0.55, 0.57, 0.56], [0.70, 0.72, 0.712]]
NOISY = [[0.50, 0.70, 0.60], [0.60, 0.52, 0.71], [0.66, 0.50, 0.60], [0.72, 0.52, 0.64]]
OPEN, HOLDING = Policy(), Policy(has_gate=True, keeps=True)


def summary(scores: list[list[float]], depth: int | None = None, policy: Policy = OPEN) -> Summary:
    found = make_record(DEPTHS, scores)
    current = None if depth is None else {"max_depth": depth}
    definition = {**found.head.definition, "incumbent": current}
    found = replace(found, head=replace(found.head, definition=definition))
    return summarise(found, policy, with_effects=False)


@pytest.mark.parametrize(
    ("scores", "depth", "policy", "step"),
    [
        (CLEAR, None, OPEN, "use these parameters"),
        (CLEAR, 1, HOLDING, "use the new parameters"),
        (CLEAR, 4, HOLDING, "stay with the current parameters"),
        (NOISY, 3, HOLDING, "stay with the current parameters, or collect more rows to decide"),
        (CLEAR, 99, HOLDING, "stay with the current parameters until they can be compared"),
        ([[s[0]] for s in NOISY], 3, HOLDING, "stay with the current parameters, or use several"),
        (NOISY, 3, OPEN, "decide whether the change is worth it, since no gate did"),
        (CLEAR, 1, replace(HOLDING, min_improvement=0.5), "stay with the current parameters"),
        ([[0.5] * 3] * 4, 1, OPEN, "find out why these parameters change nothing before"),
    ],
)
def test_it_follows_from_the_verdict(
    scores: list[list[float]], depth: int | None, policy: Policy, step: str
) -> None:
    assert next_step(summary(scores, depth, policy), PLAIN).startswith(f"Next: {step}")


def test_it_names_ends_of_ranges_and_the_forecast() -> None:
    made = summary(CLEAR)
    ends = (
        Edge("max_depth", 4.0, "high", 4.0),
        Edge("<b>", 0.501, "low", 0.5),
        Edge("idle", 1.0, "low", 1.0),
    )
    idle = replace(made.unchanged, alone={"idle": 3})
    made = replace(made, edges=ends, unchanged=idle, outlook=Outlook(20, 0.001, 0.01))
    text = next_step(made, MARKDOWN)
    assert text.startswith("**Next**: use these parameters")
    assert "; try `max_depth` above 4 and `<b>` below 0.5; 20 more trials are hardly" in text
    assert "idle" not in text
    more = replace(made, outlook=Outlook(20, 0.1, 0.01))
    assert "more of them are expected to gain" in next_step(more, PLAIN)
    for silent in (Outlook(20, 0.1, None), Outlook(20, 0.0, 0.1, is_tried=True)):
        assert "trials" not in next_step(replace(made, outlook=silent), PLAIN)


def test_there_is_none_while_the_search_is_on() -> None:
    assert next_step(replace(summary(CLEAR), n_pending=1), PLAIN) == ""


def test_failures_come_first_if_there_is_no_winner() -> None:
    failed = summarise(make_record(DEPTHS[:1], ["no memory"]), OPEN, with_effects=False)
    assert failed.chosen is None
    assert next_step(failed, PLAIN).startswith("Next: mend what the failures below name")


def test_what_was_not_taken_is_not_called_proposed() -> None:
    kept = summary(NOISY, 3, HOLDING)
    text: Any = render(kept)
    assert "## Current parameters, and trial 3, which was not taken" in text
    assert "| parameter | current | trial 3 |" in text
    assert "proposed" not in text
    assert "**4**" not in text
    assert best_rows(kept)["header"][-1] == "trial 3, not taken"
    taken = render(summary(CLEAR, 1, HOLDING))
    assert "## Current → proposed" in taken
    assert "**`4`**" in taken


@pytest.mark.parametrize("policy", [OPEN, HOLDING])
def test_a_winner_that_is_the_current_one_is_called_so(policy: Policy) -> None:
    kept = summary(CLEAR, 4, policy)
    text: Any = render(kept)
    assert "**Kept the current parameters**" in text
    assert "## Current parameters, as in trial 3" in text
    assert "| parameter | current |" in text
    assert "not taken" not in text
    assert "proposed" not in text
    assert "at most 0 worse" not in text
    assert best_rows(kept)["header"][-1] == "current"
