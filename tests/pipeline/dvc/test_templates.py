"""Stages are read as DVC itself resolves them, and the study's is found wherever it is written."""

import posixpath
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.walk.generator import KINDS, Made, made

from tunesmith.config.load import load_definition
from tunesmith.errors import UsageError
from tunesmith.pipeline.committed import study_at
from tunesmith.pipeline.dvc.agreement import study_stage
from tunesmith.pipeline.dvc.commands import StudyCall, calls
from tunesmith.pipeline.dvc.places import everywhere
from tunesmith.pipeline.dvc.sites import Site
from tunesmith.pipeline.dvc.stages import read_stages, reader, stage_writing, tuning_stage
from tunesmith.pipeline.dvc.templates import _elsewhere, resolved
from tunesmith.pipeline.repository import Repository

ALL = [made(seed) for seed in range(2 * len(KINDS))]


def put(repository: Made, root: Path) -> Path:
    for name, text in repository.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    commands = (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"])
    for words in commands:
        named = ["-c", "user.name=Ann", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(root), *named, *words], check=True)
    return root


def of_dvc(root: Path) -> dict[tuple[str, str], Any]:
    """What DVC makes of all stages of a repository."""
    from dvc.repo import Repo

    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_text("")
    with Repo(str(root)) as repo:
        found = {}
        for stage in repo.index.stages:
            wdir = posixpath.relpath(stage.wdir, str(root))
            outs = {out.def_path for out in stage.outs}
            file = posixpath.relpath(stage.path, str(root))
            found[file, stage.name] = (stage.cmd, wdir, outs)
        return found


@pytest.mark.parametrize("repository", ALL[: len(KINDS)], ids=str)
def test_every_stage_is_what_dvc_makes_of_it(repository: Made, tmp_path: Path) -> None:
    root = put(repository, tmp_path)
    wanted = of_dvc(root)
    found = {}
    for file in everywhere(root):
        folder = posixpath.dirname(file)
        text, read = (root / file).read_text(), reader(root / folder)
        for stage in read_stages(text, file, read, Site(folder)).values():
            outs = {stage.site.named(out) for out in stage.outs}
            found[file, stage.name] = (stage.content["cmd"], stage.site.wdir, outs)
    assert found == wanted


@pytest.mark.parametrize("repository", ALL, ids=str)
def test_the_stage_of_a_study_is_found_in_the_tree_and_in_a_commit(
    repository: Made, tmp_path: Path
) -> None:
    root = put(repository, tmp_path)
    definition = load_definition(root / repository.folder / repository.config)
    found, folder = study_stage(definition)
    there = Repository.of(root)
    config = posixpath.normpath(posixpath.join(repository.folder, repository.config))
    committed = study_at(there, there.commit_of("HEAD") or "", "main", [config])
    assert committed is not None
    if repository.kind == "from-nothing":
        assert (found, committed.pipeline) == (None, None)
        return
    assert found is not None
    assert committed.pipeline is not None
    assert found.stage.name == committed.pipeline.stage.name == repository.tuning
    assert folder == root / repository.pipeline
    assert committed.is_tight == (repository.coupling == "tight")
    assert ("config/best_parameters.yaml" in found.stage.outs) == committed.is_tight


def test_dvc_of_another_environment_answers_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    data: dict[str, Any] = {
        "vars": [{"a": 1}, "more.yaml:b", "deep/c.json"],
        "stages": {"s": {"foreach": "${b}", "do": {"cmd": "echo ${item.x} ${a} ${c[0]}"}}},
    }
    files = {"more.yaml": "b: {one: {x: 2}, two: {x: yes}}\n", "deep/c.json": '{"c": [1.5]}'}
    found = resolved(data, files.get)
    assert found["s@one"] == {"cmd": "echo 2 1 1.5"}
    assert _elsewhere(data, files.get) == found


def test_what_dvc_refuses_is_told_in_its_words() -> None:
    with pytest.raises(UsageError, match=r"dvc\.yaml: failed to parse 'stages\.a\.cmd'.*'nope'"):
        read_stages("stages: {a: {cmd: 'x ${nope}'}}\n")
    with pytest.raises(UsageError, match=r"dvc\.yaml: .*'gone\.yaml' does not exist"):
        read_stages("vars: [gone.yaml]\nstages: {a: {cmd: 'x ${nope}'}}\n")


@pytest.mark.parametrize(
    ("command", "folder", "config"),
    [
        ("poetry run tunesmith run -c a/b.yaml", ".", "a/b.yaml"),
        ("uv run --frozen tunesmith run", ".", None),
        ("A=1 B='x y' tunesmith run -qc z.yaml", ".", "z.yaml"),
        ("(cd models/a && tunesmith run) 2>&1 | tee log.txt", "models/a", None),
        ("bash -c 'cd x; tunesmith run --config=y.yaml'", "x", "y.yaml"),
        ("python3.12 -m tunesmith run # -c no.yaml", ".", None),
        ("/opt/venv/bin/tunesmith run -cshort.yaml && echo done", ".", "short.yaml"),
        ("echo first\ncd lost\ntunesmith run", ".", None),
        ("uv run --directory models/a tunesmith run -c t.yaml", "models/a", "t.yaml"),
        ("poetry -C a run tunesmith run", "a", None),
        ("env -C a X=1 tunesmith run", "a", None),
        ("(cd elsewhere && make data) && tunesmith run", ".", None),
        ("pushd a && tunesmith run -c ${PWD}/b.yaml", "a", "b.yaml"),
        ("echo 'tunesmith run' && tunesmith run -c real.yaml", ".", "real.yaml"),
        (["cd a\ntunesmith run"], "a", None),
        (["echo first", "tunesmith run \\\n  -c b.yaml"], ".", "b.yaml"),
    ],
)
def test_a_command_of_any_form(command: str | list[str], folder: str, config: str | None) -> None:
    assert calls(command) == [StudyCall(folder, config)]


def test_a_configuration_in_a_variable_is_recognised_by_its_outs() -> None:
    text = "stages: {tune: {cmd: 'tunesmith run -c $CONFIG', outs: [report.md]}}\n"
    stages = read_stages(text)
    assert tuning_stage(stages, "own.yaml") is None
    found = stage_writing(stages, ["report.md"])
    assert found is not None
    assert found.name == "tune"


@pytest.mark.parametrize(
    "command",
    ["tunesmith check", "# tunesmith run", "echo 'tunesmith run", "", "grep 'tunesmith run' x.md"],
)
def test_no_call(command: str) -> None:
    assert calls(command) == []
