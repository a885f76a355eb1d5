"""The examples, run by the very commands that their README gives."""

import json
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.preloaded import programs

from tunesmith.config.load import load_definition

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PROJECTS = sorted(path.parent.name for path in EXAMPLES.glob("*/tuning.yaml"))

pytestmark = pytest.mark.slow
N_TRIALS = 3


def shell(command: str, folder: Path) -> str:
    """Run a line as a newcomer would, with this environment's Python and ``tunesmith``."""
    done = subprocess.run(
        ["sh", "-euc", command],
        cwd=folder,
        # What is written, with fewer trials.
        env={**os.environ, "PATH": programs.path(), "TUNESMITH_TRIALS": str(N_TRIALS)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commands() -> dict[str, str]:
    """Example -> the command in its row of the README."""
    rows = re.findall(
        r"^\| `([\w.]+)/?` \|.*\| `([^`]+)` \|$", (EXAMPLES / "README.md").read_text(), re.MULTILINE
    )
    return dict(rows)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    return tmp_path


def test_every_example_is_listed() -> None:
    assert set(commands()) == {*PROJECTS, "demo.sh", "from_python.py"}


NEEDS = {"pytorch_epochs": "torch", "lightgbm_script": "lightgbm"}


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project(name: str, copy: Path) -> None:
    package = NEEDS.get(name)
    if package and find_spec(package) is None:
        pytest.skip(f"the example needs {package}, which is not installed")
    shell(commands()[name], copy)
    folder = copy / "examples" / name
    outputs = load_definition(folder / "tuning.yaml").file.outputs
    report = (folder / outputs.report).read_text()
    assert report.startswith("# Tuning results")
    assert "failed" not in report
    before = (folder / outputs.best.path).read_text()
    again = json.loads(shell("tunesmith run --json", folder))
    assert again["n_evaluated"] == 0
    assert (folder / outputs.best.path).read_text() == before


def test_from_python(copy: Path) -> None:
    out = shell(commands()["from_python.py"], copy)
    assert re.search(r"best C = [\d.e+-]+, mean accuracy 0\.9\d", out)


def test_the_demo(copy: Path) -> None:
    out = shell("sh examples/demo.sh", copy)
    assert f"bayesian: {N_TRIALS} trials; 0 fits made" in out
    assert json.loads((copy / "demo/config/best_parameters_grid.json").read_text())["params"]
    for report in ("grid_results.md", "random_results.md", "tuning_results.md"):
        assert (copy / "demo/outputs" / report).read_text().startswith("# Tuning results")
    metrics = json.loads((copy / "demo/outputs/training_metrics.json").read_text())
    assert metrics["roc_auc"] > 0.95
