"""The gate as a script meets it: files, exit codes, JSON."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from tunesmith.reporting.wording.terms import unlinked

BEST = "config/best_parameters.yaml"


def in_force(project: Path, text: str) -> Path:
    path = project / BEST
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_without_parameters_in_force_the_gate_is_open(tunesmith: Run, project: Path) -> None:
    assert tunesmith("run", "--gate", "-q", "--workers", "1").returncode == 0
    assert (project / BEST).is_file()
    done = tunesmith("report", "--gate")
    assert done.returncode == 0
    assert "verdict: adopt: there were no current parameters" in done.stdout


def test_a_winner_within_the_noise_is_not_written(tunesmith: Run, project: Path) -> None:
    """Grid search does not try the current parameters first, unless a gate needs them."""
    text = "max_depth: 3\ncriterion: entropy\n"
    path = in_force(project, text)
    done = tunesmith("run", "--gate", "-q", "--workers", "1", "--json")
    assert done.returncode == 4, done.stderr
    gate = json.loads(done.stdout)["gate"]
    assert gate["verdict"] in ("indistinguishable", "keep")
    assert gate["low"] <= gate["gain"] <= gate["high"]
    assert path.read_text() == text
    again = tunesmith("run", "--gate", "-q", "--workers", "1", "--json")
    assert json.loads(again.stdout)["n_fits"] == 0
    assert json.loads(again.stdout)["gate"] == gate
    assert tunesmith("report", "--gate").returncode == 4
    assert path.read_text() == text, "nor by a report that asks the gate"


def test_parameters_outside_the_space_are_not_weighed(tunesmith: Run, project: Path) -> None:
    in_force(project, "max_depth: 40\ncriterion: gini\n")
    done = tunesmith("run", "--gate", "-q", "--workers", "1")
    assert done.returncode == 4
    assert "verdict: not known: the current parameters were not evaluated" in done.stdout


def test_the_base_revision_has_the_parameters_in_force(tunesmith: Run, project: Path) -> None:
    """A branch has changed the file; what counts is what the base has."""
    path = in_force(project, "max_depth: 1\ncriterion: gini\n")
    commit(project)
    path.write_text("max_depth: 3\ncriterion: entropy\n")
    done = tunesmith("run", "--gate", "--base", "HEAD", "-q", "--workers", "1")
    assert done.returncode == 0, done.stdout
    report = (project / "outputs/tuning_results.md").read_text()
    assert "**Wrote trial " in report
    assert "more than chance" in report
    assert "| `max_depth` | `1` |" in report
    assert "max_depth: 3\ncriterion" not in path.read_text()


@pytest.mark.parametrize("base", ["no-such", "--output=x", "a b"])
def test_a_base_that_is_none_is_named(tunesmith: Run, project: Path, base: str) -> None:
    commit(project)
    done = tunesmith("run", f"--base={base}", "-q")
    assert done.returncode == 2
    assert base in done.stderr
    assert not (project / "x").exists()


def commit(project: Path) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "begin"]):
        subprocess.run(["git", *arguments], cwd=project, check=True)


def test_a_comment_is_written_beside_the_report(tunesmith: Run, finished: Path) -> None:
    done = tunesmith("report", "--comment", "comment.md")
    assert done.returncode == 0, done.stderr
    assert "comment.md" in done.stdout
    report = (finished / "outputs/tuning_results.md").read_text()
    assert (finished / "comment.md").read_text() == unlinked(report)


def test_the_section_writes_or_keeps(tunesmith: Run, project: Path) -> None:
    text = "max_depth: 3\ncriterion: entropy\n"
    path = in_force(project, text)
    config = project / "tuning.yaml"
    sections = (
        config.read_text()
        + "gate: {min_improvement: 0.5}\nselection: {rule: simplest, within: 0.1}\n"
    )
    config.write_text(sections)
    assert tunesmith("run", "-q", "--workers", "1").returncode == 0
    assert path.read_text() == text
    config.write_text(sections.replace("improvement: 0.5}", "improvement: 0.5, keep: false}"))
    assert tunesmith("report").returncode == 0
    assert path.read_text() == "max_depth: 2\ncriterion: gini\n", "the winner, and still flat"


@pytest.mark.parametrize("gate", ["{min_improvement: -1}", "{least: 1}", "yes"])
def test_a_wrong_gate_is_refused(tunesmith: Run, project: Path, gate: str) -> None:
    config = project / "tuning.yaml"
    config.write_text(config.read_text() + f"gate: {gate}\n")
    done = tunesmith("check")
    assert done.returncode == 2
    assert "gate" in done.stderr
    assert "Traceback" not in done.stderr
