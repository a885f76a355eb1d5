"""One sentence, which agrees with what was written."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.current.not_compared import NotCompared
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.config.model import BestSection, OutputsSection
from tunesmith.history import Metric
from tunesmith.ledger.records import StudyRecord
from tunesmith.parameters.texts import read_parameters
from tunesmith.reporting.wording.headline import headline
from tunesmith.reporting.wording.words import MARKDOWN, PLAIN
from tunesmith.runs.outputs import write_outputs
from tunesmith.testing.records import make_record

DEPTHS = [{"max_depth": depth} for depth in (1, 2, 3, 4)]
CLEAR = [[0.50, 0.52, 0.51], [0.60, 0.62, 0.611], [0.55, 0.57, 0.56], [0.70, 0.72, 0.712]]
NOISY = [[0.50, 0.70, 0.60], [0.60, 0.52, 0.71], [0.66, 0.50, 0.60], [0.72, 0.52, 0.64]]
OPEN, HOLDING = Policy(), Policy(has_gate=True, keeps=True)


def record(scores: list[list[float]], current: Any = None, **options: Any) -> StudyRecord:
    found = make_record(DEPTHS, scores, **options)
    definition = {**found.head.definition, "incumbent": current}
    return replace(found, head=replace(found.head, definition=definition))


def summary(found: StudyRecord, policy: Policy = OPEN) -> Summary:
    return summarise(found, policy, with_effects=False)


ONE, THREE, FOUR, NONE = {"max_depth": 1}, {"max_depth": 3}, {"max_depth": 4}, {"max_depth": 99}
G, K = "; the gain over the current parameters is ", "Kept the current parameters: "
M = "best mean of 4 trials"
CASES: list[tuple[list[list[float]], Any, Policy, str]] = [
    (CLEAR, None, OPEN, "Wrote trial 3: best mean of 4 trials; there were no parameters to comp"),
    (CLEAR, ONE, OPEN, f"Wrote trial 3: {M}{G}+0.2007"),
    (NOISY, THREE, OPEN, f"Wrote trial 3: {M}{G}+0.04"),
    (NOISY, THREE, HOLDING, f"{K}the gain of trial 3 ({M}) over them is +0.04"),
    (CLEAR, FOUR, HOLDING, f"{K}{M}, as trial 3."),
    (CLEAR, FOUR, OPEN, f"{K}{M}, as trial 3."),
    (CLEAR, NONE, HOLDING, f"{K}they could not be evaluated"),
    (CLEAR, NONE, OPEN, f"Wrote trial 3: {M}; the current parameters could not be"),
    (
        CLEAR,
        ONE,
        replace(HOLDING, min_improvement=0.5),
        f"{K}the gain of trial 3 ({M}) over them is +0.2007, surely less than the 0.5 that you ask",
    ),
    (
        CLEAR,
        FOUR,
        replace(OPEN, selection="simplest", within=1.0),
        "Wrote trial 0: simplest that is shown to be at most 1 worse than the best of 4 trials;",
    ),
    ([[0.5]] * 4, None, OPEN, "Wrote trial 0: first of 4 trials that all scored the same;"),
]


@pytest.mark.parametrize(("scores", "current", "policy", "words"), CASES)
def test_it_agrees_with_what_is_written(
    scores: list[list[float]], current: Any, policy: Policy, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "b.yaml"
    if current is not None:
        path.write_text(f"max_depth: {current['max_depth']}\n")
    found = record(scores, current)
    made = summary(found, policy)
    text = headline(made, PLAIN)
    assert text.startswith(words)
    outputs = OutputsSection(best=BestSection(path="b.yaml"))
    write_outputs(found, tmp_path, outputs, summary=made)
    params, _ = read_parameters(path)
    assert made.chosen is not None
    if text.startswith("Kept"):
        assert params == current
    else:
        assert params == made.chosen.params


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (NotCompared("failed", "Memory|Error", 2), " (their trial 2 failed: `Memory\\|Error`), so"),
        (NotCompared("failed", "", 2), " (their trial 2 failed), so"),
        (NotCompared("stopped", "", 2), " (their trial 2 was stopped before its last fold), so"),
        (NotCompared("unknown", "<b>"), " (the space has no `<b>`), so"),
        (NotCompared("lacking", "x"), " (they lack `x`), so"),
        (NotCompared("value", "x"), " (the space does not hold their value of `x`), so"),
        (NotCompared("outside"), " (they lie outside the space), so"),
        (NotCompared("untried"), " (the search ended before it tried them), so"),
        (None, "evaluated, so"),
    ],
)
def test_it_says_why_they_could_not_be_evaluated(why: NotCompared | None, words: str) -> None:
    for policy in (HOLDING, OPEN):
        made = replace(summary(record(CLEAR, NONE), policy), not_compared=why)
        assert words in headline(made, MARKDOWN)


@pytest.mark.parametrize(("scores", "current", "policy", "words"), CASES)
def test_it_is_one_sentence(
    scores: list[list[float]], current: Any, policy: Policy, words: str
) -> None:
    text = headline(summary(record(scores, current), policy), MARKDOWN)
    assert re.fullmatch(r"\*\*[^*]+\*\*: [^\n]+\.", text)
    assert ". " not in text
    assert words


def test_noise_is_called_noise() -> None:
    for policy, end in ((OPEN, " and could still be noise."), (HOLDING, " and could be noise.")):
        assert headline(summary(record(NOISY, THREE), policy), PLAIN).endswith(end)


def test_without_a_result_it_says_why() -> None:
    failed = summarise(make_record(DEPTHS[:2], ["no memory"] * 2), with_effects=False)
    assert headline(failed, PLAIN) == "Wrote nothing: all 2 trials failed."
    assert headline(summarise(make_record([])), PLAIN) == "Wrote nothing: no trial is complete."


def test_while_the_search_is_on_nothing_was_written() -> None:
    running = replace(summary(record(CLEAR)), n_pending=2)
    text = headline(running, PLAIN)
    assert text.startswith("So far, trial 3 leads: best mean of 4 trials; ")


def test_an_edited_file_is_left_alone() -> None:
    edited = replace(summary(record(CLEAR, ONE)), is_kept=True)
    assert headline(edited, PLAIN).startswith(
        "Left the best-parameters file as it was: it was written or edited"
    )


@pytest.mark.parametrize(("n", "words"), [(1, "front of 1 trial;"), (2, "front of 2 trials;")])
def test_trials_of_a_front_are_counted_in_words(n: int, words: str) -> None:
    metrics = (Metric("recall"), Metric("fit_time", "minimize"))
    found = make_record(DEPTHS[:n], [[0.5, 0.75], [0.75, 1.0]][:n], metrics=metrics, n_objectives=2)
    assert f"chosen from the Pareto {words}" in headline(summary(found), PLAIN)
