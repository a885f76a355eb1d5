"""An earlier check counts only while nothing that it depends on has changed."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.ledger.ledger import Ledger
from tunesmith.runs.plan.earlier_check import EarlierCheck
from tunesmith.testing.projects import TUNING, make_project

OWN = """\
from sklearn.tree import DecisionTreeClassifier
from helper import DEPTH

def make():
    return DecisionTreeClassifier(max_depth=DEPTH)
"""
CONTENT = {"n_folds": 3}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with everything that a plan may depend on."""
    text = TUNING.replace("estimator: sklearn.tree.DecisionTreeClassifier", "factory: own:make")
    make_project(tmp_path / "project", text=text)
    folder = tmp_path / "project"
    (folder / "own.py").write_text(OWN)
    (folder / "helper.py").write_text("DEPTH = 3\n")
    for name in ("config/best_parameters.yaml", "outputs/tuning_results.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    Ledger.open(folder / ".tunesmith/ledger.db").close()
    (tmp_path / "packages").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.chdir(folder)
    return folder


def check(name: str = "tuning.yaml") -> EarlierCheck:
    # It names the part of the test that is on.
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    path = Path(name)
    return EarlierCheck(load_definition(path), path)


def is_known(name: str = "tuning.yaml") -> bool:
    found = check(name).answer(check(name).signature())
    return found is not None and (found.text, found.content) == ("valid", CONTENT)


@pytest.fixture
def known(root: Path) -> Path:
    check().put(check().signature(), "valid", CONTENT)
    assert is_known()
    return root


def append(name: str, text: str = "\n# more\n1") -> Callable[[Path], object]:
    return lambda root: (root / name).write_text((root / name).read_text() + text)


def installed(name: str, entry_points: str = "") -> Callable[[Path], object]:
    def install(root: Path) -> None:
        place = root.parent / "packages" / f"{name}.dist-info"
        place.mkdir()
        if entry_points:
            (place / "entry_points.txt").write_text(entry_points)

    return install


def used(root: Path) -> None:
    with Ledger.open(root / ".tunesmith/ledger.db") as ledger:
        ledger.begin_study("other", "identity", {}, context={}, metrics=(), objectives=())


PART = "[tunesmith.samplers]\nown = own:Sampler\n"
CHANGES: dict[str, Callable[[Path], object]] = {
    "the data": append("data.csv"),
    "data of the same size and time": lambda root: _same_size_and_time(root / "data.csv"),
    "code": append("own.py"),
    "code that code imports": append("helper.py"),
    "the number of workers": append("tuning.yaml", "execution: {workers: 3}\n"),
    "the study": append("tuning.yaml", "gate: {}\n"),
    "the best parameters": append("config/best_parameters.yaml"),
    "an output": append("outputs/tuning_results.md"),
    "an output that is gone": lambda root: (root / "outputs/tuning_results.md").unlink(),
    "the ledger": used,
    "a ledger in use": lambda root: (root / ".tunesmith/ledger.db-wal").write_bytes(b""),
    "another ledger": lambda root: _replaced(root / ".tunesmith/ledger.db"),
    "no ledger": lambda root: (root / ".tunesmith/ledger.db").unlink(),
    "an installed package": installed("some-1.0"),
    "a package that adds parts": installed("some-1.0", PART),
    "a broken answer": lambda root: _answer(root).write_text("{"),
    "an answer nested too deep": lambda root: _answer(root).write_text("[" * 100_000),
    "an answer of another kind": lambda root: _answer(root).write_text("[]"),
}


def _same_size_and_time(path: Path) -> None:
    before, text = path.stat(), path.read_text()
    path.write_text(text[:-2] + ("1" if text[-2] != "1" else "2") + text[-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


def _replaced(path: Path) -> None:
    shutil.copy(path, path.with_name("copy.db"))
    path.with_name("copy.db").replace(path)


def _answer(root: Path) -> Path:
    return root / ".tunesmith/ledger.db.small.check"


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_needs_a_new_check(known: Path, name: str) -> None:
    assert is_known()
    CHANGES[name](known)
    assert not is_known()


def test_the_environment_counts(known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHLVL", "9")
    assert is_known()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert not is_known()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(sys, "version", f"{sys.version} of tomorrow")
    assert not is_known()


def test_the_path_of_the_configuration_counts(known: Path) -> None:
    # The answer names it.
    assert is_known()
    assert not is_known(str(known / "tuning.yaml"))


def test_variables_that_libraries_set_later_do_not_count(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = check()
    before = earlier.signature()
    monkeypatch.setenv("SET_BY_A_LIBRARY", "1")
    earlier.put(before, "valid", CONTENT)
    monkeypatch.delenv("SET_BY_A_LIBRARY")
    assert is_known()


def test_a_change_during_the_check_leaves_no_answer(root: Path) -> None:
    before = check().signature()
    append("data.csv")(root)
    check().put(before, "valid", CONTENT)
    assert not _answer(root).exists()


def test_what_cannot_be_followed_has_no_signature(root: Path) -> None:
    assert check().signature() is not None
    text = (root / "tuning.yaml").read_text()
    (root / "tuning.yaml").write_text(f"{text}gate: {{base: main}}\n")
    assert check().signature() is None
    installed("parts-1.0", PART)(root)
    (root / "tuning.yaml").write_text(text)
    assert check().signature() is None


PROGRAM = """\
study: small
objective:
  command: [sh, train.sh]
  metrics_pattern: 'score (\\S+)'
  metric: {name: score, direction: maximize}
space: {depth: [1, 2]}
search: {method: grid}
"""


def test_programs_have_no_signature(root: Path) -> None:
    (root / "tuning.yaml").write_text(PROGRAM)
    (root / "train.sh").write_text("echo score $1\n")
    assert check().signature() is None


def test_a_ledger_on_a_server_has_no_signature(root: Path) -> None:
    append("tuning.yaml", "ledger: postgresql://localhost/nothing\n")(root)
    assert check().signature() is None


def test_a_folder_that_cannot_be_written_keeps_nothing(
    root: Path,
) -> None:
    _answer(root).mkdir()
    check().put(check().signature(), "valid", CONTENT)
    assert not is_known()
