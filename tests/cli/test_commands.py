"""What the commands print, read by a person and by a program."""

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.cli.conftest import Run

from tunesmith.cli.check import _definition
from tunesmith.ledger.ledger import Ledger

CONDITIONAL = """\
study: pair
objective:
  estimators:
    tree: {estimator: sklearn.tree.DecisionTreeClassifier}
    bayes: {estimator: sklearn.naive_bayes.GaussianNB}
  data: {path: data.csv, target: kind}
  cv: 3
  metric: accuracy
space:
  - {estimator: tree, max_depth: {int: [1, 2]}}
  - {estimator: bayes}
search: {method: grid}
"""


@pytest.mark.parametrize("command", ["status", "trials", "best", "report"])
def test_before_the_first_run_the_next_step_is_named(tunesmith: Run, command: str) -> None:
    done = tunesmith(command)
    assert done.returncode == 2
    assert done.stderr == (
        "study `small` has not been run yet: there is no ledger .tunesmith/ledger.db.\n"
        "  Begin with `tunesmith run`.\n"
    )


@pytest.mark.parametrize("command", ["check", "status", "trials", "best", "report", "doctor"])
def test_every_reading_command_has_json_with_a_version(
    tunesmith: Run, finished: Path, command: str
) -> None:
    done = tunesmith(command, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert document["kind"]


def test_a_subfolder_and_a_linked_project(tunesmith: Run, finished: Path, tmp_path: Path) -> None:
    below = finished / "deep/down"
    below.mkdir(parents=True)
    lost = tunesmith("status", cwd=below)
    assert lost.returncode == 2
    assert f"There is one in a folder above: `-c {finished / 'tuning.yaml'}`." in lost.stderr
    assert tunesmith("status", "-c", "../../tuning.yaml", cwd=below).returncode == 0
    (tmp_path / "link").symlink_to(finished)
    linked = tunesmith("status", cwd=tmp_path / "link")
    assert linked.stdout == tunesmith("status").stdout


# -- check -------------------------------------------------------------------------------------


def test_check_shows_the_plan(tunesmith: Run, snapshot: SnapshotAssertion) -> None:
    assert tunesmith("check").stdout == snapshot


def test_check_knows_what_the_ledger_knows(tunesmith: Run, finished: Path) -> None:
    text = tunesmith("check").stdout
    assert "12 trials of this study finished, 36 scores known" in text


def test_check_shows_each_part_of_a_union(
    tunesmith: Run, project: Path, snapshot: SnapshotAssertion
) -> None:
    (project / "union.yaml").write_text(CONDITIONAL)
    assert tunesmith("check", "-c", "union.yaml").stdout == snapshot


def test_check_counts_folds_and_reads_data_without_project_code(
    tunesmith: Run, project: Path
) -> None:
    (project / "mine.py").write_text("raise SystemExit('project code was run')\n")
    text = (project / "tuning.yaml").read_text()
    text = text.replace("sklearn.tree.DecisionTreeClassifier", "mine.Model")
    (project / "tuning.yaml").write_text(text)
    assert "36 at most (12 trials × 3 folds)" in tunesmith("check").stdout
    (project / "data.csv").unlink()
    done = tunesmith("check")
    assert done.returncode == 2
    assert "data.csv does not exist" in done.stderr


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a", "true", None, True, 0.1], '[a, "true", null, true, 0.1]'),
        ({"int": [1, 9], "when": {"k": ["x:y", 'q"']}}, '{int: [1, 9], when: {k: [x:y, q"]}}'),
    ],
)
def test_definitions_are_written_as_people_write_them(value: object, text: str) -> None:
    assert _definition(value) == text


# -- status ------------------------------------------------------------------------------------


def test_status_says_when_and_why_it_ended(tunesmith: Run, finished: Path) -> None:
    lines = tunesmith("status").stdout.splitlines()
    assert lines[:3] == [
        "  study      small",
        "  state      ended: 12 trials",
        "  trials     12 of 12",
    ]
    assert lines[-1].startswith("  last run   began 20")
    assert ", took " in lines[-1]


def test_status_of_a_study_killed_before_its_first_run_was_noted(
    tunesmith: Run, finished: Path
) -> None:
    with Ledger.open(finished / ".tunesmith/ledger.db") as ledger:
        record = ledger.load("small")
        ledger.begin_study(
            "other", "id", {}, {}, record.metrics, record.history.objectives, restart=False
        )
    text = (finished / "tuning.yaml").read_text().replace("study: small", "study: other")
    (finished / "tuning.yaml").write_text(text)
    done = tunesmith("status")
    assert "the last run was killed; `tunesmith run` continues it" in done.stdout, done.stderr
    assert json.loads(tunesmith("status", "--json").stdout)["last_run"] is None


# -- trials, best, report, export --------------------------------------------------------------


def test_trials_are_filtered_sorted_and_cut(tunesmith: Run, finished: Path) -> None:
    def numbers(*options: str) -> list[int]:
        document = json.loads(tunesmith("trials", "--json", *options).stdout)
        return [row["params"]["max_depth"] for row in document["trials"]]

    assert sorted(numbers("--filter", "max_depth > 4")) == [5, 5, 6, 6]
    assert numbers("--sort", "max_depth")[:2] == [1, 1]
    assert numbers("--sort", "-max_depth", "--top", "1") == [6]
    assert numbers("--sort", "accuracy") == numbers("--sort", "mean_test_score")
    assert numbers("--sort", "-accuracy") == numbers("--sort", "-mean_test_score")
    assert numbers("--filter", "state == 'failed'") == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sort", "max_dept"), "Did you mean `max_depth`?"),
        (("--filter", "max_dept > 3"), "Did you mean `max_depth`?"),
        (("--filter", "__import__('os')"), "--filter"),
    ],
)
def test_a_wrong_column_is_named(
    tunesmith: Run, finished: Path, options: tuple[str, ...], words: str
) -> None:
    done = tunesmith("trials", *options)
    assert done.returncode == 2
    assert words in done.stderr


def test_markdown_has_one_row_a_trial(tunesmith: Run, finished: Path) -> None:
    assert len(tunesmith("trials", "--md", "--top", "3").stdout.splitlines()) == 5


def test_best_is_the_parameters_file(tunesmith: Run, finished: Path) -> None:
    yaml = tunesmith("best", "--yaml").stdout
    assert yaml == (finished / "config/best_parameters.yaml").read_text()


def test_report_says_what_changed(tunesmith: Run, finished: Path) -> None:
    (finished / "outputs/tuning_results.md").unlink()
    assert tunesmith("report").stdout.splitlines() == [
        "  written    outputs/tuning_results.md",
        "  unchanged  config/best_parameters.yaml",
    ]


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl", "deep/t.csv"])
def test_export_writes_by_the_name(tunesmith: Run, finished: Path, name: str) -> None:
    done = tunesmith("export", "-o", name)
    assert done.stderr == f"12 trials written to {name}\n"
    assert done.stdout == ""
    assert (finished / name).stat().st_size > 0


def test_export_by_a_wrong_name_says_which_are_right(tunesmith: Run, finished: Path) -> None:
    done = tunesmith("export", "-o", "t.parquet")
    assert done.returncode == 2
    assert "End it in .csv, .json, .jsonl, or add --format." in done.stderr
    assert tunesmith("export", "-o", "t.parquet", "--format", "csv").returncode == 0


# -- doctor ------------------------------------------------------------------------------------


def test_doctor_finds_what_is_wrong(tunesmith: Run, project: Path) -> None:
    (project / ".tunesmith").mkdir()
    (project / ".tunesmith/ledger.db").write_text("no database, but quite a long text " * 40)
    done = tunesmith("doctor")
    assert done.returncode == 2
    assert "FAILED  ledger" in done.stdout
    assert done.stdout.endswith("To be mended: plan, ledger.\n")


def test_doctor_without_a_configuration(tunesmith: Run, tmp_path: Path) -> None:
    done = tunesmith("doctor", cwd=tmp_path)
    assert done.returncode == 0
    assert "`tunesmith init` writes one" in done.stdout
    assert done.stdout.endswith("Nothing is wrong.\n")


# -- run ---------------------------------------------------------------------------------------


def test_results_and_progress_go_apart(tunesmith: Run, project: Path) -> None:
    done = tunesmith("run", "--workers", "1", "--trials", "1")
    assert "best: trial 0" in done.stdout
    assert "-> config/best_parameters.yaml" in done.stdout
    assert "1/1 trial" in done.stderr
    assert tunesmith("run", "--workers", "1", "-q").stderr == ""


def test_json_is_ascii_where_the_terminal_is(
    tunesmith: Run, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.cli.common.options.is_utf8", lambda: False)
    assert tunesmith("status", "--json").stdout.isascii()
