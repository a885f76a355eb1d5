"""The examples, run by the very commands that their README gives."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.docs.pages import DOCS, blocks
from tests.preloaded import programs

from tunesmith.config.load import load_definition

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PROJECTS = sorted(path.parent.name for path in EXAMPLES.glob("*/tuning.yaml"))
GALLERY = DOCS / "gallery.md"
# Run command by command by tests/docs, as their tutorials have it.
IN_TUTORIALS = {
    "churn",
    "forecasting",
    "lightgbm_script",
    "numpy_epochs",
    "pytorch_epochs",
    "slurm",
}

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


@pytest.mark.parametrize("name", [name for name in PROJECTS if name not in IN_TUTORIALS])
def test_a_project(name: str, copy: Path) -> None:
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
    for block in blocks(GALLERY):
        if block.value == f"examples/{name}":
            for command, _ in block.commands():
                shell(command, folder)


def test_the_other_projects_have_a_tutorial() -> None:
    pages = "".join(page.read_text() for page in DOCS.glob("tutorials/*.md"))
    assert {name for name in PROJECTS if f"cd examples/{name}" in pages} == IN_TUTORIALS


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
