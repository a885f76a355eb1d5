"""Required checks that can never run are noticed; others are let alone."""

from pathlib import Path

import pytest
from tests.pipeline.git_host.servers import GitHubServer, served

from tunesmith.config.load import load_definition
from tunesmith.pipeline.ci.health import findings
from tunesmith.pipeline.ci.workflows import Wishes, workflows
from tunesmith.pipeline.git_host.github import ACTIONS_APP, GitHub, Required
from tunesmith.testing.projects import make_project

OPENS = "env: {GITHUB_TOKEN: '${{ github.token }}'}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the workflows as they are generated."""
    definition = load_definition(make_project(tmp_path))
    found = workflows("github", definition, definition.root, Wishes(training="python train.py"))
    for name, text in found.items():
        (definition.root / name).parent.mkdir(parents=True, exist_ok=True)
        (definition.root / name).write_text(text)
    return definition.root


def said(root: Path, *checks: str, **more: object) -> list[str]:
    required = Required(checks, **more)  # type: ignore[arg-type]
    return [f"{f.is_well}: {f.detail}" for f in findings(root, required)]


def add(root: Path, name: str, on: str, job: str = "tests: {steps: [{run: make}]}") -> None:
    (root / ".github/workflows" / name).write_text(f"on: {on}\njobs: {{{job}}}\n")


def test_what_is_generated_is_well(root: Path) -> None:
    assert findings(root, None)[0].is_well
    assert said(root, "Review") == ["True: none that could not run was found"]
    assert said(root, "Review", has_queue=True) == ["True: none that could not run was found"]
    assert findings(root / "nowhere", None) == []


def test_a_check_that_our_pull_requests_do_not_start(root: Path) -> None:
    add(root, "tests.yml", "[push, pull_request]")
    (found,) = findings(root, None)
    assert found.is_well is None
    assert "tests.yml does not run for pull requests that training.yml opens" in found.detail
    assert "`ci pull-request --dispatch tests.yml`" in found.detail
    assert said(root, "tests")[0].startswith("False: `tests` is required, and tests.yml does not")
    # With the token of an app in that step, they start by themselves.
    path = root / ".github/workflows/training.yml"
    text = path.read_text()
    step = text.index("Open the pull request")
    app = text[step:].replace("github.token", "steps.app.outputs.token", 1)
    path.write_text(text[:step] + app)
    assert findings(root, None)[0].is_well
    assert said(root, "tests")[0].startswith("True")


@pytest.mark.parametrize(
    ("on", "more", "words"),
    [
        ("push", {}, "does not run for pull requests"),
        ("{pull_request: {paths: [src/**]}}", {}, "filters paths"),
        ("{pull_request: {}, workflow_dispatch: {}}", {"has_queue": True}, "lacks the trigger"),
        ("{pull_request: {branches: [master, 'rel/**']}}", {"branch": "trunk"}, "into `trunk`"),
        ("{pull_request: {branches-ignore: 't*'}}", {"branch": "trunk"}, "into `trunk`"),
        ("{pull_request: {types: [labeled]}}", {}, "neither for a new pull request"),
    ],
)
def test_why_a_required_check_never_comes(
    root: Path, on: str, more: dict[str, object], words: str
) -> None:
    add(root, "tests.yml", on)
    (found,) = said(root, "tests", **more)
    assert found.startswith("False: `tests` is required")
    assert words in found


def test_patterns_that_may_mean_the_branch_are_let_alone(root: Path) -> None:
    for odd in ("'tr[u]nk'", "'**'", "['*', '!main']"):
        on = f"{{pull_request_target: {{branches: {odd}, types: [opened]}}}}"
        add(root, "tests.yml", on)
        assert said(root, "tests", branch="trunk")[0].startswith("True")


@pytest.mark.parametrize("place", ["workflow", "job"])
def test_a_token_that_all_steps_have(root: Path, place: str) -> None:
    add(root, "tests.yml", "pull_request")
    path = root / ".github/workflows/training.yml"
    text = path.read_text()
    step = text.index("Open the pull request")
    own = text.index("        env:", step)
    text = text[:own] + text[text.index("        run:", own) :]
    above, indent = (
        ("permissions: {}\n", "") if place == "workflow" else ("    name: Train\n", "    ")
    )
    path.write_text(text.replace(above, f"{above}{indent}{OPENS}\n", 1))
    assert "training.yml opens" in findings(root, None)[0].detail


def test_checks_that_no_workflow_makes(root: Path) -> None:
    assert said(root, "lint", of_actions=frozenset(["lint"])) == [
        "False: `lint` is required, and no workflow here has such a job: it can never run."
    ]
    assert said(root, "codecov/patch")[0].startswith("None: ")
    # A matrix, a called workflow, and names that are made at run time.
    job = "tests: {strategy: {matrix: {v: [1]}}, steps: []}, odd: {name: 'on ${{ matrix.v }}'}"
    add(root, "matrix.yml", "pull_request_target", job)
    assert said(root, "tests (1)", "tests / unit", "on 1") == [
        "True: none that could not run was found"
    ]


def test_what_is_no_workflow_is_let_alone(root: Path) -> None:
    folder = root / ".github/workflows"
    (folder / "a.yml").write_text("on: [\n")
    (folder / "b.yml").write_text("- 1\n")
    (folder / "c.yml").write_bytes(b"\xff")
    assert findings(root, None)[0].is_well


def test_the_rules_are_asked_for() -> None:
    listed = [{"context": "a", "integration_id": ACTIONS_APP}, {"context": "b"}]
    with served(GitHubServer()) as server:
        server.rules = [
            {
                "type": "required_status_checks",
                "parameters": {"required_status_checks": listed},
            },
            {"type": "merge_queue"},
            {"type": "deletion"},
        ]
        found = GitHub(server.environ()).required_checks("release/1")
    assert found == Required(("a", "b"), frozenset("a"), has_queue=True)
