import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

pytestmark = pytest.mark.slow


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


@pytest.mark.parametrize(
    "outputs",
    ["{trials: outputs/trials.jsonl}", "{trials: outputs/t.csv, history: outputs/h.jsonl}"],
)
def test_series_ledgers_and_commits_are_compared(
    project: Path, tunesmith: Run, outputs: str
) -> None:
    config = project / "tuning.yaml"
    config.write_text(config.read_text() + f"outputs: {outputs}\n")
    assert tunesmith("run", "-q").returncode == 0
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "first")
    config.write_text(config.read_text().replace("seed: 3", "seed: 4"))
    assert tunesmith("run", "-q").returncode == 0
    name = json.loads(tunesmith("status", "--json").stdout)["study"]

    def found(before: str) -> dict[str, Any]:
        done = tunesmith("compare", before, "--json")
        assert done.returncode == 0, done.stderr
        content: dict[str, Any] = json.loads(done.stdout)
        return content

    for before in ("main", f"{project}/.tunesmith/ledger.db:{name}", f"{name}@1"):
        content = found(before)
        assert content["kind"] == "comparison"
        assert content["sides"][0]["n_trials"] > 0
        assert content["comparison"] is None or content["comparison"]["verdict"]
    text = tunesmith("compare", "main", "--md").stdout
    assert text.startswith("# `main` and ")


@pytest.mark.parametrize("side", ["nothing", "main@x", "HEAD~5", "x@9"])
def test_what_is_nothing_says_what_could_be_something(
    finished: Path, tunesmith: Run, side: str
) -> None:
    done = tunesmith("compare", side)
    assert done.returncode == 2
    assert f"`{side}` is no study, ledger file or revision to compare" in done.stderr
