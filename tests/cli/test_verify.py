"""``verify``: what it prints, and the exit codes that scripts act on."""

import json
from pathlib import Path

from tests.cli.conftest import Run

BEST = "config/best_parameters.yaml"
REPORT = "outputs/tuning_results.md"


def test_what_agrees_is_listed(tunesmith: Run, finished: Path) -> None:
    done = tunesmith("verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"verified: {BEST}, {REPORT} agree with the ledger\n"


def test_every_disagreement_and_the_exit_code(tunesmith: Run, finished: Path) -> None:
    path = finished / BEST
    path.write_text(path.read_text().replace("max_depth: ", "max_depth: 1"))
    report = finished / REPORT
    report.write_text(report.read_text().replace("## ", "## \x1b[31mred ", 1))
    done = tunesmith("verify")
    assert done.returncode == 3
    *lines, last = done.stdout.splitlines()
    assert last == "not verified: 2 disagreements"
    assert lines[0].startswith(f"{BEST}: edited by hand since trial ")
    assert lines[1].startswith("  Expected: trial ")
    assert lines[2] == "  `tunesmith run` restores it, evaluating nothing."
    assert lines[3] == f"{REPORT}: differs from line 7 on"
    found = json.loads(tunesmith("verify", "--json").stdout)
    assert (found["kind"], found["is_verified"], found["source"]) == (
        "verification",
        False,
        "ledger",
    )
    assert [finding["place"] for finding in found["findings"]] == [BEST, REPORT]
    assert tunesmith("run", "-q", "--workers", "1").returncode == 0
    assert tunesmith("verify").returncode == 0


def test_text_of_a_file_reaches_no_terminal(tunesmith: Run, finished: Path) -> None:
    (finished / BEST).write_text('params: {"a\\e[31m": "\\e[0m"}\nmeta: {study: small, trial: 1}\n')
    done = tunesmith("verify")
    assert done.returncode == 3
    assert "\x1b" not in done.stdout


def test_before_the_first_run_there_is_nothing_to_disagree(tunesmith: Run, project: Path) -> None:
    done = tunesmith("verify")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "nothing to verify: the study has left nothing yet"
    assert json.loads(tunesmith("verify", "--json").stdout)["is_verified"] is False


def test_data_that_is_gone_is_said_and_may_be_allowed(tunesmith: Run, finished: Path) -> None:
    (finished / "data.csv").unlink()
    done = tunesmith("verify")
    assert done.returncode == 3
    assert "the data: not verified: data.csv is not here" in done.stdout
    assert done.stdout.splitlines()[-1] == "not verified: 1 thing could not be looked at"
    assert tunesmith("verify", "--allow-missing-data").returncode == 0


def test_folds_evaluated_again(tunesmith: Run, finished: Path) -> None:
    config = finished / "tuning.yaml"
    config.write_text(config.read_text() + "execution: {workers: 1}\n")
    done = tunesmith("verify", "--refit", "2", "--seed", "7")
    assert done.returncode == 0
    assert "2 folds evaluated again, by the project's code (--seed 7)" in done.stdout
    found = json.loads(tunesmith("verify", "--refit", "2", "--json").stdout)["refit"]
    assert (found["n"], found["tolerance"]) == (2, 0.0)
    assert tunesmith("verify", "--refit", "0").returncode == 2


def test_what_code_reads_by_itself_is_named_and_not_certified(
    tunesmith: Run, project: Path
) -> None:
    (project / "own_model.py").write_text(
        "from pathlib import Path\n"
        "from sklearn.tree import DecisionTreeClassifier\n"
        "def make(**params):\n"
        "    Path('depth.txt').read_text()\n"
        "    return DecisionTreeClassifier(**params)\n"
    )
    (project / "depth.txt").write_text("1")
    config = project / "tuning.yaml"
    text = config.read_text()
    old = next(line for line in text.splitlines() if "estimator:" in line)
    config.write_text(text.replace(old, old.partition("estimator")[0] + "factory: own_model.make"))
    assert tunesmith("run", "-q", "--workers", "1").returncode == 0
    for command in ("check", "status", "verify"):
        shown = tunesmith(command).stdout
        assert "not counted: files, variables and modules" in shown, command
        assert "own_model.py:4 (`read_text`)" in shown
