"""Metrics of a tree beside those of a commit, in real repositories."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.metrics import (
    MetricsDiff,
    markdown,
    metrics_diff,
    metrics_files,
    plain,
)

FILE, OTHER = "outputs/training_metrics.json", "m.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project in a folder of its repository, so that names are relative to it."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "sub/outputs").mkdir(parents=True)
    return tmp_path / "sub"


def commit(folder: Path) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "-C", str(folder), "add", "-A"], check=True)
    subprocess.run(["git", "-C", str(folder), *who, "commit", "-q", "-m", "x"], check=True)
    done = subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def write(folder: Path, name: str = FILE, **content: object) -> None:
    (folder / name).write_text(json.dumps(content))


def diff(folder: Path, base: str | None, *files: str) -> MetricsDiff:
    return metrics_diff(folder, files or (FILE,), "main", base)


def test_what_changed(folder: Path, snapshot: SnapshotAssertion) -> None:
    write(folder, recall=0.5, same=3, zero=0, gone=1, nested={"a|b": {"c": 1e-7}}, text="x", b=True)
    base = commit(folder)
    write(folder, recall=0.75, same=3, zero=2, new=1.5, nested={"a|b": {"c": 2e-7}}, text="y")
    found = diff(folder, base)
    assert {m.name: m.change for m in found.changed} == {
        "gone": None,
        "nested.a|b.c": 1e-7,
        "new": None,
        "recall": 0.25,
        "zero": 2,
    }
    assert markdown(found) == snapshot
    assert plain(found) == snapshot


def test_nothing_changed(folder: Path) -> None:
    write(folder, a=1, b=2)
    found = diff(folder, commit(folder))
    assert found.changed == ()
    assert markdown(found) == plain(found) == "All 2 metrics are as on `main`."


def test_several_files(folder: Path) -> None:
    write(folder, a=1)
    base = commit(folder)
    write(folder, a=2)
    write(folder, OTHER, b=1)
    text = markdown(diff(folder, base, FILE, OTHER))
    assert f"| `{FILE}` | `a` | 1 | 2 | +1 (+100.00%) |" in text
    assert f"| `{OTHER}` | `b` | – | 1 | new |" in text


def test_a_base_that_is_not_here(folder: Path) -> None:
    write(folder, a=1)
    found = diff(folder, None)
    assert [m.before for m in found.metrics] == [None]
    assert "`main` is not here" in markdown(found)
    assert "There are no metrics" in plain(diff(folder, None, "missing.json"))


def test_what_was_not_compared_is_not_new(folder: Path) -> None:
    write(folder, a=1)
    commit(folder)
    for found in (diff(folder, None), metrics_diff(folder, [FILE], "main", "0" * 40, read=cut_off)):
        assert "| `a` | – | 1 | not compared |" in markdown(found)
        assert "new" not in plain(found)


def cut_off(*_: object) -> str:
    raise UsageError("the remote cannot be reached")


def test_words_of_files_and_branches_are_no_markup(folder: Path) -> None:
    (folder / OTHER).write_text("'@ann <b>/merge': 1\n'@ann <b>/merge': 2\n")
    text = markdown(metrics_diff(folder, [OTHER], "a`<!--", None))
    spans = re.sub(r"(`+) ?.*?\1", "", text)
    assert "@" not in spans
    assert "<" not in spans


def test_what_cannot_be_read_is_said(folder: Path) -> None:
    (folder / FILE).write_text('{"a": 1')
    base = commit(folder)
    write(folder, a=1)
    found = diff(folder, base)
    assert len(found.notes) == 1
    assert found.notes[0].startswith(f"main:{FILE}:1:")
    assert [m.after for m in found.metrics] == [1]
    (folder / FILE).write_bytes(b'{"a": "\xff"}')
    assert diff(folder, None).metrics == ()


def test_which_files(folder: Path) -> None:
    assert metrics_files(folder) == []
    write(folder, a=1)
    assert metrics_files(folder) == [FILE]
    (folder / "dvc.yaml").write_text(
        "vars: [{odd: e}]\n"
        "stages:\n"
        "  a: {cmd: x, metrics: [m.json: {cache: false}, '${odd}.json']}\n"
        "  b: {cmd: y, outs: [o.json], metrics: [n.yaml]}\n"
        "metrics: [n.yaml, top.toml]\n"
    )
    assert metrics_files(folder) == ["m.json", "e.json", "n.yaml", "top.toml"]
