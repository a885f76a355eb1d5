"""Choice among several metrics: on the front, by a rule that is named."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.choice.preference import Preference
from tunesmith.analysis.chosen import chosen_trial
from tunesmith.analysis.decision import decide, fit_times
from tunesmith.analysis.ranking import ranked
from tunesmith.analysis.summary import summarise
from tunesmith.config.model import PreferenceSection
from tunesmith.history import FoldResult, History, Metric, TrialLog
from tunesmith.ledger.recorded_study import RecordedPreference, Selection
from tunesmith.ledger.records import StudyRecord
from tunesmith.testing.records import make_record

METRICS = (Metric("recall"), Metric("cost", "minimize"))
SELECTIONS = get_args(Selection)
RULES = (
    Preference(),
    Preference("knee"),
    Preference("weights", (("recall", 1.0), ("cost", 0.1))),
    Preference("weights", (("cost", 1.0),)),
)


def record(
    means: Sequence[tuple[float, ...]], metrics: tuple[Metric, ...] = METRICS
) -> StudyRecord:
    """A study of which each trial has these means, in folds that differ by fold and by trial."""
    made = make_record([{"max_depth": n} for n in range(1, len(means) + 1)], metrics=metrics)
    log, rng = TrialLog(metrics), np.random.default_rng(len(means))
    for trial, row in zip(made.history, means, strict=True):
        # Sums of eighths are exact, so that means are as given.
        spread = rng.permutation([-0.125, 0.0, 0.0, 0.125])
        asked = log.ask(trial.params, trial.key, trial.origin)
        folds = [
            FoldResult(
                fold,
                {m.name: mean + float(s) for m, mean in zip(metrics, row, strict=True)},
                fit_time_s=float(rng.random()),
            )
            for fold, s in enumerate(spread)
        ]
        log.tell(asked.completed(folds))
    return replace(made, history=log.view())


def dominates(left: Any, right: Any, history: History) -> bool:
    gains = [(m.sign * left.mean(m.name), m.sign * right.mean(m.name)) for m in history.objectives]
    return all(a >= b for a, b in gains) and any(a > b for a, b in gains)


def assert_never_dominated(found: StudyRecord) -> None:
    ranking, times = ranked(found.history, found.metrics), fit_times(found.history)
    for rule in RULES:
        for selection in SELECTIONS:
            policy = Policy(selection=selection, preference=rule)
            made = decide(ranking, found.objectives, policy, ratio=0.25, times=times)
            for number in (made.chosen.number, *made.choices.values()):
                chosen, history = found.history[number], found.history
                assert not any(dominates(t, chosen, history) for t in history.successful)


def test_one_standard_error_picks_no_trial_that_others_beat_in_all() -> None:
    # The simplest one is within the noise of the best, and worse in both metrics.
    found = record([(0.90, 5.0), (0.93, 4.0), (0.94, 3.0), (0.94, 6.0)])
    assert summarise(found, Policy(selection="one_se"), with_effects=False).chosen.number == 2  # type: ignore[union-attr]
    assert_never_dominated(found)


GRID = st.integers(0, 5).map(lambda n: n / 8)


@settings(max_examples=30)
@given(st.lists(st.tuples(GRID, GRID), min_size=1, max_size=14))
def test_no_chosen_trial_is_dominated(means: list[tuple[float, ...]]) -> None:
    assert_never_dominated(record(means))


@settings(max_examples=20)
@given(st.lists(st.tuples(GRID, GRID, GRID), min_size=1, max_size=10))
def test_nor_with_three_metrics(means: list[tuple[float, ...]]) -> None:
    assert_never_dominated(record(means, (*METRICS, Metric("f1"))))


def best(found: StudyRecord, rule: Preference) -> int:
    return summarise(found, Policy(preference=rule), with_effects=False).choices["best"]


FRONT = [(0.9375, 9.0), (0.875, 3.0), (0.5, 1.0), (0.9375, 9.5), (0.375, 3.0)]


def test_each_rule_chooses_by_its_words() -> None:
    found = record(FRONT)
    assert best(found, Preference()) == 0
    assert best(found, Preference("knee")) == 1
    assert best(found, Preference("weights", (("recall", 1.0), ("cost", 0.0001)))) == 0
    assert best(found, Preference("weights", (("recall", 1.0), ("cost", 0.1)))) == 1
    assert best(found, Preference("weights", (("recall", 1.0), ("cost", 1.0)))) == 2


def test_further_metrics_break_ties_of_the_first() -> None:
    found = record([(0.875, 5.0), (0.875, 4.0), (0.875, 4.0)])
    assert best(found, Preference()) == 1
    assert found.history.best() is not None
    assert found.history.best().number == 1  # type: ignore[union-attr]


def test_the_ends_of_a_front_without_a_knee_are_told_apart_by_the_first_metric() -> None:
    assert best(record([(0.125, 1.0), (0.375, 3.0), (0.25, 2.0)]), Preference("knee")) == 1


def test_metrics_that_are_equal_everywhere_leave_the_first_trial() -> None:
    assert best(record([(0.125, 1.0)] * 3), Preference("knee")) == 0


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("selection", SELECTIONS)
def test_the_trial_that_is_held_out_is_the_one_that_is_written(rule: Any, selection: Any) -> None:
    found = record(FRONT)
    section = {"rule": rule.rule} if rule.rule != "weights" else {"weights": dict(rule.weights)}
    file = {**found.definition["file"], "selection": selection, "preference": section}
    head = replace(found.head, definition={**found.definition, "file": file})
    run = {**found.runs[0].provenance, "definition": head.definition}
    found = replace(found, head=head, runs=(replace(found.runs[0], provenance=run),))
    trial = chosen_trial(found.history, found.recorded, found.metrics)
    assert trial is not None
    assert trial.number == summarise(found, with_effects=False).choices[selection]


def test_what_is_recorded_reads_as_what_was_configured() -> None:
    for content in ({}, {"rule": "knee"}, {"weights": {"recall": 1.0}}):
        section = PreferenceSection.model_validate(content)
        recorded = RecordedPreference.of(section.model_dump(mode="json"))
        assert Preference.of(recorded) == Preference.of(section)


@pytest.mark.parametrize("content", [None, 3, {"rule": []}, {"weights": {"a": "x", "b": -1}}])
def test_a_recorded_rule_that_no_version_wrote_is_the_usual_one(content: Any) -> None:
    assert Preference.of(RecordedPreference.of(content)) == Preference()
