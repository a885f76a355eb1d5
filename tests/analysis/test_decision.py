from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.chosen import chosen_trial
from tunesmith.analysis.decision import fold_ratio
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.config.model import BestSection, OutputsSection
from tunesmith.history import Metric
from tunesmith.ledger.recorded_study import RecordedFolds
from tunesmith.ledger.records import StudyRecord
from tunesmith.parameters.texts import read_parameters
from tunesmith.runs.outputs import write_outputs
from tunesmith.testing.fold_scores import simulate
from tunesmith.testing.records import make_record

DEPTHS = [{"max_depth": depth} for depth in (1, 2, 3, 4, 5, 6)]
TRUTH = np.array([0.5, 0.7, 0.8, 0.81, 0.811, 0.8])
SCORES = simulate(TRUTH, 5, np.random.default_rng(0), noise=0.004).round(4).tolist()
GATE = Policy(has_gate=True, keeps=True)


def record(current: Any = None, **options: Any) -> StudyRecord:
    found = make_record(DEPTHS, SCORES, **options)
    return with_current(found, current)


def with_current(found: StudyRecord, current: Any) -> StudyRecord:
    definition = {**found.head.definition, "incumbent": current}
    return replace(found, head=replace(found.head, definition=definition))


def decided(found: StudyRecord, policy: Policy = GATE) -> Summary:
    return summarise(found, policy, with_effects=False)


def test_the_choices_differ_and_are_ties() -> None:
    summary = decided(record())
    assert summary.best is not None
    assert set(summary.ties.numbers) <= {2, 3, 4, 5}
    assert summary.choices["best"] == summary.best.number == summary.ties.numbers[0]
    assert summary.choices["simplest"] in summary.ties.numbers
    # A tenth of the gain over the median trial, since nothing else was tried.
    medians = np.median([trial.means["score"] for trial in summary.ranking])
    assert summary.margin == pytest.approx(0.1 * (summary.best.means["score"] - medians))


@pytest.mark.parametrize("selection", ["best", "one_se", "simplest", "fastest"])
def test_what_is_chosen_is_written(tmp_path: Path, selection: Any) -> None:
    found = record()
    file = {**found.definition["file"], "selection": selection}
    provenance = {**found.runs[0].provenance, "definition": {**found.definition, "file": file}}
    found = replace(found, runs=(replace(found.runs[0], provenance=provenance),))
    summary = summarise(found, with_effects=False)
    trial = chosen_trial(found.history, found.recorded, found.metrics)
    assert summary.chosen is not None
    assert trial is not None
    assert trial.number == summary.chosen.number == summary.choices[selection]
    write_outputs(found, tmp_path, OutputsSection(best=BestSection(path="b.yaml")))
    params, meta = read_parameters(tmp_path / "b.yaml")
    assert params == summary.chosen.params
    assert (meta or {}).get("selection", "best") == selection


def test_fast_ones_are_told_by_the_clock() -> None:
    """Trials of the record take equally long but for one."""
    found = record()
    slow = list(found.history.completed)
    fast = replace(slow[3], folds=tuple(replace(f, fit_time_s=0.01) for f in slow[3].folds))
    history = type(found.history).of(found.objectives, [*slow[:3], fast, *slow[4:]])
    wide = replace(GATE, within=1.0)
    assert decided(replace(found, history=history), wide).choices["fastest"] == 3


def test_minimized_scores_are_corrected_upwards() -> None:
    losses = (1 - np.array(SCORES)).tolist()
    found = make_record(DEPTHS, losses, metrics=[Metric("loss", "minimize")])
    summary = decided(found)
    assert summary.best is not None
    assert summary.optimism is not None
    assert summary.optimism.bias >= 0
    assert summary.optimism.score == pytest.approx(
        summary.best.means["loss"] + summary.optimism.bias
    )
    assert summary.optimism.low < summary.optimism.score < summary.optimism.high


# -- the gate ----------------------------------------------------------------------------------


def test_without_parameters_in_force_anything_is_adopted() -> None:
    gate = decided(record()).gate
    assert gate is not None
    assert (gate.verdict, gate.reason) == ("adopt", "there were no current parameters")


@pytest.mark.parametrize(
    ("current", "least", "verdict"),
    [
        ({"max_depth": 1}, 0.0, "adopt"),
        ({"max_depth": 1}, 0.9, "keep"),
        ({"max_depth": 4}, 0.0, "indistinguishable"),
        ({"max_depth": 99}, 0.0, "unknown"),
    ],
)
def test_the_current_parameters_are_found_whoever_proposed_it(
    current: Any, least: float, verdict: str
) -> None:
    gate = decided(record(current), replace(GATE, min_improvement=least)).gate
    assert gate is not None
    assert gate.verdict == verdict
    assert gate.is_open == (verdict == "adopt")


def test_the_best_itself_in_force_is_kept() -> None:
    summary = decided(record())
    assert summary.best is not None
    gate = decided(record(dict(summary.best.params))).gate
    assert gate is not None
    assert gate.verdict == "keep"
    assert gate.reason == "it is no better than the current parameters"


def test_an_older_ledger_has_the_current_parameters_among_the_trials() -> None:
    found = make_record(DEPTHS, SCORES, origins=["current"])
    gate = decided(found).gate
    assert gate is not None
    assert (gate.verdict, gate.reference) == ("adopt", 0)


def test_no_result_no_verdict() -> None:
    summary = decided(make_record(DEPTHS[:1], ["no"]))
    assert summary.gate is None
    assert summary.chosen is None


# -- what is written ---------------------------------------------------------------------------


def write(found: StudyRecord, folder: Path, *, keeps: bool = True) -> str:
    policy = replace(GATE, keeps=keeps)
    summary = summarise(found, policy, with_effects=False)
    write_outputs(found, folder, OutputsSection(best=BestSection(path="b.yaml")), summary=summary)
    return (folder / "b.yaml").read_text()


def test_what_is_kept_stays_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("max_depth: 4 # by hand\n")
    assert write(record({"max_depth": 4}), tmp_path) == "max_depth: 4 # by hand\n"
    assert "max_depth: 4" not in write(record({"max_depth": 4}), tmp_path, keeps=False)


def test_what_an_earlier_run_had_adopted_is_taken_back(tmp_path: Path) -> None:
    adopted = write(record({"max_depth": 1}), tmp_path)
    assert "max_depth: 1" not in adopted
    assert "max_depth: 4\n" in write(record({"max_depth": 4}), tmp_path)
    assert write(record({"max_depth": 1}), tmp_path) == adopted


def test_what_somebody_edited_since_is_left_alone(tmp_path: Path) -> None:
    edited = write(record({"max_depth": 1}), tmp_path).replace("max_depth: ", "max_depth: 1")
    (tmp_path / "b.yaml").write_text(edited)
    assert write(record({"max_depth": 4}), tmp_path) == edited


@pytest.mark.parametrize(
    ("cv", "n_folds", "ratio"),
    [
        ({}, 5, 1 / 4),
        ({"method": "stratified", "repeats": 3}, 15, 1 / 4),
        ({"method": "shuffle_split"}, 5, 1 / 9),
        ({"method": "time_series"}, 2, 3 / 4),
        ({"method": "predefined"}, 1, 1.0),
    ],
)
def test_test_rows_per_training_row(cv: dict[str, Any], n_folds: int, ratio: float) -> None:
    assert fold_ratio(RecordedFolds.of(cv), n_folds) == pytest.approx(ratio)
