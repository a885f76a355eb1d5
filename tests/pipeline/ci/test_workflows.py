"""Generated workflows: held against the Git hosts' schemas, and audited."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.workflows import TARGETS, Wishes, scalar, workflows
from tunesmith.testing.projects import make_project

BIN = Path(sys.executable).parent
DVC = """\
stages:
  tuning:
    cmd: tunesmith run
    outs: [outputs/tuned_parameters.yaml: {cache: false, persist: true}, big.bin]
  training:
    cmd: python train.py
    metrics: [scores/m.json: {cache: false}]
"""
ODD = Wishes(
    requirements="req uirements.txt",
    training='python -c "print(1)  # : x"',
    budget_s=90,
    main="ma#in",
    config=" -c 'a b'",
)


@pytest.fixture
def definition(tmp_path: Path) -> Definition:
    return load_definition(make_project(tmp_path / "sub dir"))


def written(folder: Path, git_host: str, definition: Definition, wishes: Wishes) -> list[str]:
    found = workflows(git_host, definition, folder, wishes)
    for name, text in found.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return [str(folder / name) for name in found]


def checked(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_they_keep_to_the_schemas_and_pass_an_audit(definition: Definition, tmp_path: Path) -> None:
    places: dict[str, list[str]] = {}
    for number, wishes in enumerate([Wishes(training="python train.py"), ODD]):
        folder = tmp_path / str(number)
        root = load_definition(make_project(folder / "project")) if number else definition
        base = folder if number else tmp_path
        for git_host in TARGETS:
            places[git_host] = [*places.get(git_host, []), *written(base, git_host, root, wishes)]
    schema = (str(BIN / "check-jsonschema"), "--builtin-schema")
    checked(*schema, "vendor.github-workflows", *places["github"])
    checked(*schema, "custom.github-workflows-require-timeout", *places["github"])
    checked(*schema, "vendor.gitlab-ci", *places["gitlab"])
    audit = (str(BIN / "zizmor"), "--offline", "--no-progress", "--persona=auditor")
    checked(*audit, *places["github"])


def test_every_action_is_pinned_and_no_expression_is_run(
    definition: Definition, tmp_path: Path
) -> None:
    for name, text in workflows("github", definition, tmp_path, ODD).items():
        uses = re.findall(r"uses: (.*)", text)
        assert uses, name
        assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", use) for use in uses)
        data = yaml.safe_load(text)
        assert data["permissions"] == {}
        assert data["concurrency"]["cancel-in-progress"] is False
        ((_, job),) = data["jobs"].items()
        assert job["timeout-minutes"] < 360
        commands = [step["run"] for step in job["steps"] if "run" in step]
        assert not any("${{" in command for command in commands)
        assert all(len(command.splitlines()) == 1 for command in commands)


def test_names_of_the_project_arrive_whole(definition: Definition, tmp_path: Path) -> None:
    found = workflows("github", definition, tmp_path, ODD)
    training = yaml.safe_load(found[".github/workflows/training.yml"])
    runs = {s["name"]: s["run"] for s in training["jobs"]["training"]["steps"] if "run" in s}
    assert runs["Install"] == "python -m pip install -r 'req uirements.txt'"
    assert runs["Train"] == ODD.training
    assert runs["Show the report"].strip() == "tunesmith ci report -c 'a b'"
    assert runs["Open the pull request"].strip().endswith("--target 'ma#in'")
    assert training["defaults"]["run"]["working-directory"] == "sub dir"
    pull_request = yaml.safe_load(found[".github/workflows/pull-request.yml"])
    assert pull_request[True]["pull_request"]["branches"] == ["ma#in"]


def test_results_start_no_run(definition: Definition, tmp_path: Path) -> None:
    found = workflows("github", definition, tmp_path, ODD)
    for name, is_ignored in (("tuning", True), ("training", False)):
        data = yaml.safe_load(found[f".github/workflows/{name}.yml"])
        ignored = data[True]["push"]["paths-ignore"]
        assert ("sub dir/config/best_parameters.yaml" in ignored) is is_ignored
        assert {"sub dir/outputs/tuning_results.md", "sub dir/dvc.lock"} <= set(ignored)


def test_with_dvc_its_stages_are_reproduced(definition: Definition, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="how is the model trained"):
        workflows("github", definition, tmp_path, Wishes())
    (definition.root / "dvc.yaml").write_text(DVC)
    found = workflows("github", definition, tmp_path, Wishes())
    tuning, training = (found[f".github/workflows/{n}.yml"] for n in ("tuning", "training"))
    assert (
        "run: dvc repro ${TUNESMITH_TRIALS:+--force} ${TUNESMITH_RESTART:+--force} tuning" in tuning
    )
    assert "run: dvc repro training" in training
    ignored = yaml.safe_load(tuning)[True]["push"]["paths-ignore"]
    assert {"sub dir/outputs/tuned_parameters.yaml", "sub dir/scores/m.json"} <= set(ignored)
    assert not any("big.bin" in path for path in ignored)


def test_what_means_no_restart_is_not_forced_on_dvc(definition: Definition, tmp_path: Path) -> None:
    """DVC's `--force` depends on whether the variable is set, and the command on what it says."""
    found = workflows("gitlab", definition, tmp_path, Wishes(training="x"))
    jobs = yaml.safe_load(found[".gitlab/tunesmith.yml"])
    (line,) = [line for line in jobs["tuning"]["script"] if "TUNESMITH_RESTART" in line]
    values = ["0", "f", "N", "no", "nO", "False", "fAlse", "off", "", "1", "true", "yes", "a b"]
    tries = [f'TUNESMITH_RESTART="{v}"; {line}echo "${{TUNESMITH_RESTART+set}}"' for v in values]
    done = subprocess.run(["sh", "-eu", "-c", "\n".join(tries)], capture_output=True, text=True)
    assert [bool(told) for told in done.stdout.split("\n")[:-1]] == [False] * 8 + [True] * 5


@pytest.mark.parametrize(
    "text", ["a", "a: b", "a #b", "- x", "'x'", 'a "b', "x:", "yes ", "{a}", "*"]
)
def test_scalars(text: str) -> None:
    assert yaml.safe_load(f"key: {scalar(text)}") == {"key": text}
