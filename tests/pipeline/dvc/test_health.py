"""What the doctor finds in a pipeline, one defect at a time."""

import subprocess
from pathlib import Path

import pytest
from tests.pipeline.dvc.project import BEST, TUNED, TUNING

from tunesmith.config.load import load_definition
from tunesmith.pipeline.dvc.health import findings
from tunesmith.pipeline.dvc.init import plan_init
from tunesmith.pipeline.dvc.pipeline_file import Request
from tunesmith.testing.projects import make_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_project(tmp_path, text=TUNING)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("")
    plan_init(load_definition(tmp_path / "tuning.yaml"), Request(training="sh t.sh")).write()
    return tmp_path


def wrong(root: Path) -> dict[str, str]:
    found = findings(load_definition(root / "tuning.yaml"))
    assert len({finding.name for finding in found}) == len(found)
    return {finding.name: finding.detail for finding in found if not finding.is_well}


def edit(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new, 1))


def test_all_is_well_and_without_a_pipeline_nothing_is_said(root: Path) -> None:
    assert wrong(root) == {}
    edit(root, "dvc.yaml", "tunesmith run", "make tune")  # what it writes tells it all the same
    assert wrong(root) == {}
    (root / "dvc.yaml").write_text("stages: {other: {cmd: make other, outs: [other.txt]}}\n")
    assert findings(load_definition(root / "tuning.yaml")) == []
    (root / "dvc.yaml").unlink()
    assert findings(load_definition(root / "tuning.yaml")) == []


def test_the_configuration_disagrees_with_the_stage(root: Path) -> None:
    edit(root, "tuning.yaml", f"  tuned: {TUNED}\n", "")
    assert "is loose, but by the configuration" in wrong(root)["dvc coupling"]
    edit(root, "dvc.yaml", TUNED, BEST)
    assert wrong(root) == {}


def test_outs_without_flags_or_missing(root: Path) -> None:
    edit(root, "dvc.yaml", f"{TUNED}: {{cache: false, persist: true}}", TUNED)
    edit(root, "dvc.yaml", "      - outputs/trials.csv: {cache: false, persist: true}\n", "")
    detail = wrong(root)["dvc outs"]
    assert f"{TUNED} lacks `cache: false, persist: true`" in detail
    assert "outputs/trials.csv is no out of `tuning`" in detail
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    assert "dvc copies" not in wrong(root)
    (root / "outputs").mkdir()
    (root / TUNED).write_text("")
    subprocess.run(["git", "-C", str(root), "add", TUNED], check=True)
    assert f"{TUNED}: kept by Git" in wrong(root)["dvc copies"]


def test_bytecode_is_hashed_and_parameters_are_missing(root: Path) -> None:
    (root / ".dvcignore").write_text("*.tmp\n")
    assert "no two clones agree" in wrong(root)["dvc ignore"]
    (root / ".dvcignore").write_text("__pycache__\n")
    assert wrong(root) == {}
    (root / "outputs").mkdir()
    (root / TUNED).write_text("")
    assert f"{BEST} is missing" in wrong(root)["dvc parameters"]


def test_what_the_study_itself_depends_on(root: Path) -> None:
    edit(root, "dvc.yaml", "      - data.csv\n", "      - ./other.csv\n")
    detail = wrong(root)["dvc dependencies"]
    assert detail.startswith("the study depends on data.csv, and `tuning` does not: ")
    edit(root, "dvc.yaml", "      - ./other.csv\n", "      - ./data.csv\n")
    assert wrong(root) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages:\n<<<<<<< HEAD\n  a: {cmd: x}\n=======\n  a: {cmd: y}\n>>>>>>> b\n", "both sides"),
        ("stages: {tuning: {cmd: 7}}\n", "stage `tuning`"),
        ("stages: [", "dvc.lock"),
    ],
)
def test_a_lock_that_cannot_be_read(root: Path, text: str, said: str) -> None:
    (root / "dvc.lock").write_text(text)
    assert said in wrong(root)["dvc lock"]
