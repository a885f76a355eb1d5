"""A finished study that is run again: what counts as changed, and what does not."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.ledger.ledger import Ledger
from tunesmith.runs.up_to_date import UpToDateCheck
from tunesmith.testing.projects import TUNING, make_project

OWN = """\
from sklearn.tree import DecisionTreeClassifier
from helper import DEPTH

def make():
    return DecisionTreeClassifier(max_depth=DEPTH)
"""
PROGRAM = """\
study: small
objective:
  command: [sh, train.sh]
  params_file: params.yaml
  metrics_pattern: 'score (\\S+)'
  metric: {name: score, direction: maximize}
space: {depth: [1, 2]}
search: {method: grid}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with everything that a study may depend on, and the outputs of a run."""
    text = TUNING.replace("estimator: sklearn.tree.DecisionTreeClassifier", "factory: own:make")
    make_project(tmp_path, text=text)
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "helper.py").write_text("DEPTH = 3\n")
    fill(tmp_path)
    return tmp_path


def fill(root: Path) -> None:
    for name in ("config/best_parameters.yaml", "outputs/tuning_results.md"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(name)
    # Of a ledger that is damaged nothing is known.
    Ledger.open(root / ".tunesmith/ledger.db").close()


def definition(root: Path) -> Definition:
    return load_definition(root / "tuning.yaml")


def check(root: Path) -> UpToDateCheck:
    return UpToDateCheck(definition(root))


def is_known(root: Path) -> bool:
    found = check(root).record()
    return found is not None and (found.text, found.content) == ("done", {"n": 1})


def stamp(root: Path) -> None:
    check(root).put(check(root).files(), "done", {"n": 1})
    assert is_known(root)


def append(name: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text((root / name).read_text() + "\n# more\n1")


@pytest.mark.parametrize(
    "change",
    [
        append("data.csv"),
        append("own.py"),
        append("helper.py"),
        append("outputs/tuning_results.md"),
        append("config/best_parameters.yaml"),
        lambda root: (root / "config/best_parameters.yaml").unlink(),
        lambda root: (root / "data.csv").unlink(),
        lambda root: (root / ".tunesmith/ledger.db").unlink(),
        lambda root: (root / ".tunesmith/ledger.db.small.stamp").write_text("{"),
        lambda root: (root / ".tunesmith/ledger.db.small.stamp").write_text("[]"),
        lambda root: (root / ".tunesmith/ledger.db.small.stamp").write_text('{"inputs": 1}'),
    ],
)
def test_whatever_has_changed_is_looked_at(root: Path, change: Callable[[Path], object]) -> None:
    stamp(root)
    change(root)
    assert not is_known(root)


@pytest.mark.parametrize(
    ("old", "new"),
    [("seed: 3", "seed: 4"), ("trials: 12", "trials: 9"), ("[1, 6]", "[1, 5]"), ("cv: 3", "cv: 4")],
)
def test_another_configuration_is_another_study(root: Path, old: str, new: str) -> None:
    stamp(root)
    path = root / "tuning.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert not is_known(root)


def test_another_ledger_in_the_same_place_is_looked_into(root: Path) -> None:
    stamp(root)
    shutil.copy(root / ".tunesmith/ledger.db", root / "copy")
    os.replace(root / "copy", root / ".tunesmith/ledger.db")  # noqa: PTH105
    assert not is_known(root)


def test_dates_comments_and_workers_do_not_count(root: Path) -> None:
    stamp(root)
    os.utime(root / "data.csv", (1, 1))
    path = root / "tuning.yaml"
    path.write_text(f"# Ann's\n{path.read_text()}execution: {{workers: 1}}\n")
    assert is_known(root)


def test_elsewhere_paths_look_otherwise(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp(root)
    monkeypatch.chdir(root)
    assert not is_known(root)


@pytest.mark.parametrize("ledger", ["sqlite:///x.db", "postgresql://localhost/x"])
def test_a_ledger_on_a_server_is_always_asked(root: Path, ledger: str) -> None:
    found = definition(root)
    found = replace(found, file=found.file.model_copy(update={"ledger": ledger}))
    UpToDateCheck(found).put(UpToDateCheck(found).files(), "done", {})
    assert UpToDateCheck(found).record() is None


def test_a_gate_that_looks_into_git_always_looks(root: Path) -> None:
    (root / "tuning.yaml").write_text((root / "tuning.yaml").read_text() + "gate: {base: main}\n")
    check(root).put(check(root).files(), "done", {"n": 1})
    assert not is_known(root)


def test_what_programs_have_read(tmp_path: Path) -> None:
    (tmp_path / "tuning.yaml").write_text(PROGRAM)
    (tmp_path / "params.yaml").write_text("depth: 1\n")
    fill(tmp_path)
    reading = {"train.sh": "absent"}
    check(tmp_path).put(check(tmp_path).files(), "done", {"n": 1}, reading)
    assert is_known(tmp_path)
    (tmp_path / "train.sh").write_text("echo score 1\n")
    assert not is_known(tmp_path)
    check(tmp_path).put(check(tmp_path).files(), "done", {"n": 1}, reading)
    assert not is_known(tmp_path)


@pytest.mark.parametrize("name", ["train.sh", "params.yaml"])
def test_files_of_a_program(tmp_path: Path, name: str) -> None:
    section = "objective:\n  depends_on: [train.sh]\n"
    (tmp_path / "tuning.yaml").write_text(PROGRAM.replace("objective:\n", section))
    (tmp_path / "train.sh").write_text("echo score 1\n")
    (tmp_path / "params.yaml").write_text("depth: 1\n")
    fill(tmp_path)
    stamp(tmp_path)
    append(name)(tmp_path)
    assert not is_known(tmp_path)


@pytest.mark.parametrize("name", ["data.csv", "helper.py"])
def test_what_changed_while_the_study_ran_is_looked_at_again(root: Path, name: str) -> None:
    before = check(root).files()
    (root / name).write_text((root / name).read_text() + "\n# later\n")
    check(root).put(before, "done", {})
    assert check(root).record() is None


def test_data_that_is_gone_is_not_stamped(root: Path) -> None:
    before = check(root).files()
    (root / "data.csv").unlink()
    assert check(root).files() is None
    check(root).put(before, "done", {})
    check(root).put(None, "done", {})
    assert check(root).record() is None
