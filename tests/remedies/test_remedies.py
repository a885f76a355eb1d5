"""Every command that a message offers is taken out of the message, typed as it stands, and helps.

A command that no test types fails ``test_no_command_is_offered_untested``.
"""

import ast
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from tests.remedies.offers import offered_in_source
from tests.remedies.place import Case, Place
from tests.remedies.tables import FILES, PIPELINES, REPOSITORIES, VERIFIED, killed

TABLES: Mapping[str, Case] = {**FILES, **VERIFIED, **REPOSITORIES, **PIPELINES}
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def beginnings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    """A project, one whose study has run, and one whose run was killed."""
    project = Place.project(tmp_path_factory.mktemp("project"))
    finished = project.copy(tmp_path_factory.mktemp("finished"))
    finished.do("tunesmith run -q")
    broken = project.copy(tmp_path_factory.mktemp("killed"))
    killed(broken)
    return {"project": project, "finished": finished, "killed": broken}


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_what_is_offered_helps(name: str, beginnings: dict[str, Place], tmp_path: Path) -> None:
    case = TABLES[name]
    if "lfs" in case.offer and shutil.which("git-lfs") is None:
        pytest.skip("git-lfs is not installed here")
    begun = beginnings.get(case.start)
    case.try_out(Place.empty(tmp_path) if begun is None else begun.copy(tmp_path))


BRANCHES, PUSHING = "pipeline/branches/test_remedies.py", "pipeline/test_pushing.py"
TRANSFER = f"{BRANCHES}::test_a_stage_that_only_the_branch_to_tune_on_has"
PARTED = f"{PUSHING}::test_somebody_else_has_pushed"
LEASE = f"{PUSHING}::test_after_a_rebase_the_lease_is_advised_and_works"
CHECKS = "cli/ci/test_pull_request.py::test_checks_of_our_own_pull_request"
DVC = "pipeline/dvc/test_remedies.py::test_what_is_offered_helps"
WALK = "pipeline/walk/test_walk.py::test_no_step_is_a_dead_end"
BASE = "pipeline/ci/test_base.py"
EXAMPLES, AT_WORK = "pipeline/test_worker_examples.py", "runs/pull/test_examples.py"
IMPORT = "cli/test_init_existing.py::test_the_command_that_reads_pipelines_is_named"
ELSEWHERE = {
    "cd …": f"{BRANCHES}::test_the_experiment_of_another_project",
    "dvc pull ….dvc": DVC,
    "dvc repro": DVC,
    "git branch … …": f"{BRANCHES}::test_half_an_experiment",
    "git branch -m … ……": "cli/ci/test_prefixes.py::test_all_commands_know_what_ci_init_was_told",
    "git diff … … -- …": f"{BRANCHES}::test_changes_of_its_own_are_shown",
    "git fetch … …": PARTED,
    "git fetch… … …": f"{BASE}::test_a_clone_of_one_branch_asks_as_it_is_advised",
    "git fetch… origin …": f"{BRANCHES}::test_a_shallow_clone",
    "git ls-remote … …": f"{PUSHING}::test_a_push_of_which_nobody_knows",
    "git lfs fetch --all": "pipeline/test_filters.py::test_an_object_that_another_remote_has",
    "git push --force-with-lease … …": LEASE,
    "git restore …": DVC,
    "git switch …": f"{BRANCHES}::test_somebody_stands_on_the_branch",
    "git switch … && git merge …": TRANSFER,
    "git switch … && git pull --rebase … …": PARTED,
    "tunesmith ci dispatch WORKFLOW --ref BRANCH": CHECKS,
    "tunesmith ci dispatch … --ref …": "cli/ci/test_dispatch.py::test_what_is_pushed_is_not_unsaid",
    "tunesmith dvc init": DVC,
    "tunesmith dvc init --loose": DVC,
    "git push … …, and open a pull request": WALK,
    "git switch … && tunesmith run…": WALK,
    "git switch … && …, and commit": WALK,
    "git switch ……, and commit the metrics": WALK,
    "tunesmith check… --anew": "cli/test_check.py::test_an_unchanged_project_is_not_checked_again",
    "tunesmith experiment apply ……": WALK,
    "tunesmith run…": WALK,
    "dvc pull -q --allow-missing": f"{EXAMPLES}::test_data_comes_by_dvc_if_it_has_a_remote",
    "tunesmith worker… --idle-timeout 10m": f"{AT_WORK}::test_the_step_of_the_workflow_ends_well",
    "tunesmith worker": "runs/pull/test_worker.py::test_workers_make_the_trials_of_one_process",
    "tunesmith track …": "cli/test_track.py::test_what_was_not_sent_is_sent_by_the_next_call",
    "tunesmith import … -o imported.yaml": IMPORT,
}
"""Commands that another test takes from the message and types, below ``tests``."""
TOLD = {
    "dvc plots": "what DVC cannot draw",
    "dvc status": "what shows an edit, in a README",
    "git add": "the next step",
    "git init && dvc init && dvc repro": "the next step",
    "git switch …, run the study there (`-c FILE` names it), and commit": "the next step",
    "git switch … && tunesmith check…": "shows the mistakes of a file",
    "pip install dask-jobqueue": "needs a registry of packages",
    "pip install dvc": "needs a registry of packages",
    "tunesmith check": "shows what a run would do",
    "tunesmith ci commit": "a step that is looked for in workflows",
    "tunesmith ci pull-request": "a step that is looked for in workflows",
    "tunesmith COMMAND --help": "what each command prints, in the reference",
    "tunesmith init --template mlops": "what makes a project, in a README",
    "tunesmith init --template mlops --tight": "what makes a project, in a README",
    "tunesmith logs": "shows what was printed",
    "tunesmith model": "makes a model of a finished study; nothing is wrong",
    "tunesmith merge-history %O %A %B": "what Git calls",
    "tunesmith schema": "shows every key",
    "tunesmith verify": "what would fail",
    "tunesmith verify --allow-missing-data": "a step of workflows",
    "tunesmith verify --refit 20 --unshared": "what the documentation tells of",
}
"""Commands that a message only speaks of: nothing is wrong that they would mend."""


def test_no_command_is_offered_untested() -> None:
    offered = offered_in_source()
    typed = {case.offer for case in TABLES.values()}
    known = {*typed, *ELSEWHERE, *TOLD}
    new = {command: places for command, places in offered.items() if command not in known}
    assert not new, "\n".join(f"{command}  ({', '.join(at)})" for command, at in new.items())
    assert not known - {*offered}


def test_the_tests_elsewhere_are_there() -> None:
    gone = [test for test in ELSEWHERE.values() if test.partition("::")[2] not in _tests(test)]
    assert not gone


def _tests(test: str) -> set[str]:
    return _functions(ROOT / "tests" / test.partition("::")[0])


@cache
def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
