"""An outside package adds one part to every group of the registry, and each part works."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from tunesmith import registry
from tunesmith.pipeline.git_host.host import git_host_here
from tunesmith.system.installed_packages import packages, providers

PACKAGE = '''
"""One part for every group that Tunesmith's registry has."""

import json
from dataclasses import dataclass
from pathlib import Path

from tunesmith.execute.serial import SerialExecutor
from tunesmith.sharing.submodels.forest import Forest
from tunesmith.sharing.subtransformers.selection import Percentile
from tunesmith.pipeline.git_host.github import GitHub
from tunesmith.reporting.drawing.chart import Chart
from tunesmith.reporting.figures.history import KIND
from tunesmith.search.random import RandomSampler


class Backwards(RandomSampler):
    """Random search under another name."""


class Here(SerialExecutor):
    """In this process."""


class OtherForest(Forest):
    """A family."""


class OtherPercentile(Percentile):
    """A family of transformers."""


@dataclass(frozen=True)
class Cost:
    """End a study when its trials have cost so much."""

    limit: float
    each: float = 1.0

    def __post_init__(self):
        if self.limit <= 0:
            raise ValueError("the limit must be above 0")

    def is_spent(self, history, elapsed_s):
        return f"{self.limit:g} spent" if history.n_completed * self.each >= self.limit else None


def read(text):
    return dict(line.split("=") for line in text.split())


def update(text, values):
    return "".join(f"{name}={value}\\n" for name, value in values.items())


figure = KIND


class Gitea(GitHub):
    """Another host of Git repositories."""

    @staticmethod
    def is_here(environ):
        return environ.get("GITEA_ACTIONS") == "true"


def report(summary):
    return json.dumps({"study": summary.study})


class Wall:
    """A tracker that writes a line for each trial into a file."""

    def __init__(self, address=None):
        self.path = Path(address or "wall.txt")

    def begin(self, study):
        self.path.touch()

    def numbers(self):
        return {int(line.split()[0]) for line in self.path.read_text().splitlines()}

    def trial(self, trial):
        with self.path.open("a") as file:
            file.write(f"{trial.number} {trial.state} {trial.means}\\n")

    def finish(self, end):
        pass


def setups(source):
    return []
'''
CACHED = (registry._all, registry.outside, packages, providers)
ENTRY_POINTS = """\
[tunesmith.samplers]
backwards = outside_parts:Backwards
[tunesmith.executors]
here = outside_parts:Here
[tunesmith.submodels]
other_forest = outside_parts:OtherForest
[tunesmith.subtransformers]
other_percentile = outside_parts:OtherPercentile
[tunesmith.stopping]
cost = outside_parts:Cost
[tunesmith.formats]
pairs = outside_parts
[tunesmith.figures]
again = outside_parts:figure
[tunesmith.git_hosts]
gitea = outside_parts:Gitea
[tunesmith.reports]
brief = outside_parts:report
[tunesmith.trackers]
wall = outside_parts:Wall
[tunesmith.importers]
other_tool = outside_parts:setups
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package in it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "outside_parts.py").write_text(PACKAGE)
    about = folder / "outside_parts-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: outside-parts\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


@pytest.fixture
def installed(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package, for this process."""
    monkeypatch.syspath_prepend(str(package))
    for cached in CACHED:
        cached.cache_clear()
    yield
    sys.modules.pop("outside_parts", None)
    for cached in CACHED:
        cached.cache_clear()


def test_every_group_loads_its_part(installed: None) -> None:
    for group in registry.BUILTIN:
        (name,) = registry.outside(group)
        assert name in registry.names(group)
        assert registry.load(group, name) is not None


def test_a_git_host_recognises_its_job(installed: None) -> None:
    assert registry.load("git_hosts", "gitea").is_here({"GITEA_ACTIONS": "true"})
    assert git_host_here({}) is None


STUDY = """\
study: outside
objective:
  estimator: sklearn.tree.DecisionTreeClassifier
  data: {path: data.csv, target: kind}
  metric: accuracy
  cv: 3
space: {max_depth: {int: [1, 9]}}
search: {method: backwards}
stop: {trials: 20, cost: {limit: 6, each: 2}}
execution: {executor: here, workers: 1}
"""


def test_a_study_made_of_outside_parts(project: Path, tunesmith: Run, installed: None) -> None:
    (project / "tuning.yaml").write_text(STUDY)
    done = tunesmith("run")
    assert done.returncode == 0, done.stderr
    assert "3 trials" in done.stdout
    assert "Ended by: 6 spent" in done.stdout

    again = tunesmith("run")
    assert "0 fits made" in again.stdout
    assert "Ended by: 6 spent" in again.stdout

    assert tunesmith("report", "--as", "brief", "brief.json").returncode == 0
    assert (project / "brief.json").read_text() == '{"study": "outside"}'
    assert tunesmith("plot", "again", "-o", "again.svg").returncode == 0
    assert (project / "again.svg").read_text().startswith("<svg")


def test_a_value_that_a_criterion_refuses(project: Path, tunesmith: Run, installed: None) -> None:
    (project / "tuning.yaml").write_text(STUDY.replace("limit: 6", "limit: -1"))
    done = tunesmith("run")
    assert done.returncode == 2
    assert "stop.cost" in done.stderr
    assert "the limit must be above 0" in done.stderr


def test_a_key_that_nobody_registered(project: Path, tunesmith: Run) -> None:
    (project / "tuning.yaml").write_text(STUDY)
    done = tunesmith("check")
    assert done.returncode == 2
    assert "cost" in done.stderr


def test_a_report_that_nobody_registered(project: Path, tunesmith: Run) -> None:
    done = tunesmith("report", "--as", "brie", "x.txt")
    assert done.returncode == 2
    assert "unknown name `brie` among the reports" in done.stderr
    assert not (project / "x.txt").exists()


def test_a_tracker_is_told_once(project: Path, tunesmith: Run, installed: None) -> None:
    assert tunesmith("run", "--trials", "3", "--workers", "1", "--quiet").returncode == 0
    for _ in range(2):
        done = tunesmith("track", "wall", "--to", "here.txt", "--follow")
        assert done.returncode == 0, done.stderr
    assert "has all 3 trials" in done.stdout
    assert len((project / "here.txt").read_text().splitlines()) == 3
