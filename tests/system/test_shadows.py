"""Project files named like modules that others need: in this process, in workers, at the start."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.cli.conftest import environment

from tunesmith.errors import UsageError
from tunesmith.runs.project_code import leads_into, project_on_path
from tunesmith.system import shadows
from tunesmith.system.fingerprint import project_sources
from tunesmith.system.importing import load
from tunesmith.testing.projects import make_project

NAMES = """
random types queue json site copy socket select signal typing enum logging heapq
pandas numpy sklearn scipy joblib yaml click optuna pydantic six dateutil
"""
STANDARD, LIBRARIES = (line.split() for line in NAMES.strip().splitlines())
TRAP = "raise SystemExit('a file of the project was imported for another module')\n"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    for name in (*STANDARD, *LIBRARIES, "mine", "xgboost"):
        (tmp_path / f"{name}.py").write_text("PLACE = 'project'\n")
    (tmp_path / "scipy").mkdir()
    (tmp_path / "scipy/__init__.py").write_text("PLACE = 'project'\n")
    with project_on_path(tmp_path):
        yield tmp_path
    sys.modules.pop("mine", None)


def test_names_that_others_need_lead_past_the_project(project: Path) -> None:
    for name in (*STANDARD, *LIBRARIES):
        found = shadows.FINDER.find_spec(name)
        assert found is not None, name
        assert str(project) not in str(found.origin), name
        assert shadows.FINDER.hidden(name), name
        assert project_sources(project, name) == []
        assert not leads_into(project, f"{name}:Model")


def test_every_other_name_is_found_in_the_project_first(project: Path) -> None:
    (project / "tests.py").write_text("")  # many packages install such a folder by mistake
    for name in ("mine", "tests"):
        assert shadows.FINDER.find_spec(name) is None
        assert shadows.FINDER.hidden(name) is None
        assert leads_into(project, f"{name}:Model")
    assert load("objective.estimator", "mine:PLACE") == "project"


def test_a_library_that_is_not_installed_is_no_file_of_the_project(project: Path) -> None:
    (project / "cuml.py").write_text("")
    (project / "msvcrt.py").write_text("")  # of Windows
    for name in ("cuml", "msvcrt"):
        with pytest.raises(ModuleNotFoundError):
            shadows.FINDER.find_spec(name)
        with pytest.raises(UsageError, match=f"{name}.py is named like a module"):
            load("objective.estimator", f"{name}:Model")


def test_whoever_names_such_a_file_is_told(project: Path) -> None:
    with pytest.raises(UsageError, match=r"`random` has no `Model`.\n  .*random.py is named like"):
        load("objective.estimator", "random:Model")
    (project / "mine.py").write_text("from random import Model\n")
    with pytest.raises(UsageError, match=r"random.py is named like .*rename the file"):
        load("objective.estimator", "mine:Model")


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    before, path = list(sys.meta_path), list(sys.path)
    (tmp_path / "random.py").write_text("")
    with project_on_path(tmp_path), project_on_path(tmp_path):
        assert shadows.FINDER in sys.meta_path
    assert (sys.meta_path, sys.path, shadows.FINDER.folders) == (before, path, [])
    assert find_spec("random") is not None


def test_places_of_our_own_processes_hold_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    with project_on_path(tmp_path / "sub"):
        places = shadows.trusted_places()
    assert not any(place.startswith(str(tmp_path)) for place in places)
    assert any((Path(place) / "tunesmith/system/shadows.py").is_file() for place in places)


def test_dependencies_are_told_from_what_lies_about() -> None:
    assert not shadows._is_dependency("hypothesis")  # only our developers need it
    assert shadows._is_dependency("dateutil")  # pandas needs it


MODEL = """\
import random
import queue
from sklearn.tree import DecisionTreeClassifier
assert random.random() < 1 and queue.Queue
class Model(DecisionTreeClassifier):
    pass
"""


@pytest.mark.slow
def test_a_run_with_workers_beside_files_named_like_everything(tmp_path: Path) -> None:
    """As users start it: by ``-m``, so with the folder in front, and with it in PYTHONPATH."""
    config = make_project(tmp_path, trials=2)
    config.write_text(config.read_text().replace("sklearn.tree.DecisionTreeClassifier", "my.Model"))
    (tmp_path / "my.py").write_text(MODEL)
    # Those that Python itself imports before the first line of `-m` are beyond anybody's reach.
    reachable = [name for name in STANDARD if name != "types"]
    for name in (*reachable, *LIBRARIES, "tokenize", "multiprocessing", "subprocess"):
        (tmp_path / f"{name}.py").write_text(TRAP)
    done = subprocess.run(
        [sys.executable, "-m", "tunesmith", "run", "-q", "--workers", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment(PYTHONPATH="." if sys.flags.safe_path else "", PYTHONWARNINGS="default"),
    )
    assert done.returncode == 0, done.stderr
    assert "2 trials; 6 fits made" in done.stdout
