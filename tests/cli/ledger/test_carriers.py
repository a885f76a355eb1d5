"""Evaluations carried by what people have: a DVC remote, and the cache of a CI job."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.cli.conftest import environment
from tests.preloaded import programs

Run = Callable[..., "CompletedProcess[str]"]
ONLY = ("run", "--trials", "4", "--workers", "1", "--quiet", "--json")


def typed(folder: Path, *command: str) -> None:
    """Run Git or DVC as a person does."""
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        capture_output=True,
        env={**environment(), "PATH": programs.path(), "PYTHONWARNINGS": ""},
    )


def repository(folder: Path, remote: Path) -> None:
    """Make a repository whose DVC remote is a folder."""
    typed(folder, "git", "init", "-q", "-b", "main")
    typed(folder, "git", "config", "user.name", "Ann")
    typed(folder, "git", "config", "user.email", "ann@example.org")
    typed(folder, "dvc", "init", "-q")
    typed(folder, "dvc", "remote", "add", "-q", "-d", "store", str(remote))


def evaluated(tunesmith: Run, folder: Path) -> tuple[int, int]:
    """Run the study, and return the numbers of its trials and of its new evaluations."""
    content = json.loads(tunesmith(*ONLY, cwd=folder).stdout)
    return content["n_told"], content["n_evaluated"]


@pytest.mark.slow
def test_a_dvc_remote_carries_them(tunesmith: Run, ran: Path, clone: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    repository(ran, remote)
    assert tunesmith("ledger", "push", "evaluations", cwd=ran).returncode == 0
    typed(ran, "dvc", "add", "-q", "evaluations")
    typed(ran, "dvc", "push", "-q")
    # The other machine gets the pointer by Git, and the packs by DVC.
    repository(clone, remote)
    shutil.copy(ran / "evaluations.dvc", clone)
    typed(clone, "dvc", "pull", "-q")
    assert tunesmith("ledger", "pull", "evaluations", cwd=clone).returncode == 0
    assert evaluated(tunesmith, clone) == (4, 0)
    # Its own news go back the same way; DVC's files in the folder stay as they are.
    longer = ("run", "--trials", "5", "--workers", "1", "--quiet")
    assert tunesmith(*longer, cwd=clone).returncode == 0
    before = {path.name: path.read_bytes() for path in (clone / "evaluations").iterdir()}
    assert tunesmith("ledger", "push", "evaluations", cwd=clone).returncode == 0
    after = {path.name: path.read_bytes() for path in (clone / "evaluations").iterdir()}
    assert before.items() < after.items()
    typed(clone, "dvc", "add", "-q", "evaluations")
    typed(clone, "dvc", "push", "-q")
    shutil.copy(clone / "evaluations.dvc", ran)
    typed(ran, "dvc", "pull", "-q")
    assert "3 evaluations of" in tunesmith("ledger", "pull", "evaluations", cwd=ran).stdout
    content = json.loads(tunesmith(*longer, "--json", cwd=ran).stdout)
    assert (content["n_told"], content["n_evaluated"]) == (5, 0)


def test_the_cache_of_a_job_carries_them(
    tunesmith: Run, ran: Path, clone: Path, tmp_path: Path
) -> None:
    """A CI cache is an archive that is restored before a job and saved after it."""
    cache = tmp_path / "cache.tar.gz"
    assert tunesmith("ledger", "push", ".cache/evaluations", cwd=ran).returncode == 0
    with tarfile.open(cache, "w:gz") as archive:
        archive.add(ran / ".cache", ".cache")
    # The first job of a branch finds nothing.
    assert tunesmith("ledger", "pull", ".cache/evaluations", cwd=clone).returncode != 0
    with tarfile.open(cache) as archive:
        archive.extractall(clone, filter="data")
    assert tunesmith("ledger", "pull", ".cache/evaluations", cwd=clone).returncode == 0
    assert evaluated(tunesmith, clone) == (4, 0)
    before = sorted(path.name for path in (clone / ".cache" / "evaluations").iterdir())
    assert "Nothing new" in tunesmith("ledger", "push", ".cache/evaluations", cwd=clone).stdout
    # So the cache keeps its key.
    assert sorted(path.name for path in (clone / ".cache" / "evaluations").iterdir()) == before
