"""Files that start pull workers: their form. ``tests/runs/pull/test_examples.py`` runs them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from tunesmith.config.load import load_definition
from tunesmith.pipeline.worker_examples import TARGETS, UNKNOWN, WorkerExample
from tunesmith.testing.projects import make_project

BIN = Path(sys.executable).parent
SCHEMA = Path(__file__).with_name("kubernetes-job.schema.json")
CONFIG = " -c 'a b.yaml'"


def checked(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def git(folder: Path, *arguments: str) -> None:
    checked("git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a project in a folder that the shell has to be told in quotes."""
    make_project(tmp_path / "top/sub dir")
    git(tmp_path, "init", "-q", "top")
    git(tmp_path / "top", "add", ".")
    git(tmp_path / "top", "commit", "-qm", "x")
    return tmp_path / "top"


def written(repository: Path, kind: str, config: str = "") -> Path:
    definition = load_definition(repository / "sub dir/tuning.yaml")
    file = WorkerExample(kind=kind, definition=definition, name="tuning.yaml", config=config).file
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.path.write_text(file.content)
    return file.path


@pytest.mark.parametrize("kind", TARGETS)
def test_they_name_no_password_host_or_owner(repository: Path, kind: str) -> None:
    path = repository / "sub dir/tuning.yaml"
    path.write_text(path.read_text() + "ledger: postgresql://ann:canary@db.example.org/x\n")
    text = written(repository, kind).read_text()
    assert "canary" not in text
    assert "example.org" not in text
    assert "%%" not in text
    assert "TUNESMITH_LEDGER" in text


@pytest.mark.parametrize("config", ["", CONFIG])
def test_the_array_job_is_a_script(repository: Path, config: str) -> None:
    path = written(repository, "slurm", config)
    assert path == (repository / "sub dir/tunesmith-workers.sh")
    checked("bash", "-n", str(path))
    assert f"tunesmith worker{config} --workers" in path.read_text()
    # SLURM reads options up to the first command only.
    head = path.read_text().partition("\nset -u")[0]
    assert head.count("#SBATCH ") == path.read_text().count("#SBATCH ") == 9


@pytest.mark.parametrize("config", ["", CONFIG])
def test_the_job_keeps_to_the_schema_of_kubernetes(repository: Path, config: str) -> None:
    job = yaml.safe_load(written(repository, "kubernetes", config).read_text())
    check = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate
    check(job)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (script,) = container["args"]
    checked("bash", "-n", "-c", script)
    assert "cd 'sub dir'\n" in script
    assert f"exec tunesmith worker{config} --workers" in script
    # The copy of the schema is strict, as `kubectl` is.
    container["comand"] = []
    with pytest.raises(jsonschema.ValidationError, match="comand"):
        check(job)


def test_the_job_has_the_commit_of_the_run(repository: Path) -> None:
    commit = subprocess.check_output(
        ["git", "-C", str(repository), "rev-parse", "HEAD"], text=True
    ).strip()
    assert f"{{name: COMMIT, value: {commit}}}" in written(repository, "kubernetes").read_text()
    git(repository, "update-ref", "-d", "HEAD")
    assert f"value: {UNKNOWN}}}" in written(repository, "kubernetes").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("config", ["", CONFIG])
def test_the_workflow_keeps_to_the_schema_and_passes_an_audit(
    repository: Path, config: str
) -> None:
    path = written(repository, "github", config)
    assert path == repository / ".github/workflows/tunesmith-workers.yml"
    for schema in ("vendor.github-workflows", "custom.github-workflows-require-timeout"):
        checked(str(BIN / "check-jsonschema"), "--builtin-schema", schema, str(path))
    audit = ("--offline", "--no-progress", "--persona=auditor")
    checked(str(BIN / "zizmor"), *audit, str(path))
    workflow = yaml.safe_load(path.read_text())
    for step in workflow["jobs"]["worker"]["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"])
        else:
            checked("bash", "-n", "-c", step["run"])
            assert "${{" not in step["run"]
    assert workflow["defaults"]["run"]["working-directory"] == "sub dir"
    assert f"tunesmith worker{config} --idle" in step["run"]


def test_data_comes_by_dvc_if_it_has_a_remote(repository: Path) -> None:
    (repository / "sub dir/.dvc").mkdir()
    (repository / "sub dir/.dvc/config").write_text("['remote \"store\"']\n    url = /mnt/store\n")
    for kind in ("kubernetes", "github"):
        assert "dvc pull" in written(repository, kind).read_text()
