"""Branches that begin otherwise, on real repositories."""

from pathlib import Path

import pytest
from tests.pipeline.repositories import NAMES, STUDY, commit, git, make_project, parameters

from tunesmith.config.prefixes import Prefixes
from tunesmith.errors import ConfigError, UsageError
from tunesmith.pipeline.branches import experiment
from tunesmith.pipeline.branches.prefixes import check_prefixes, prefixes_of
from tunesmith.pipeline.branches.states import experiments
from tunesmith.pipeline.repository import Repository

OWN = Prefixes(tuning="hpo/", training="train/")
SAID = f"{STUDY}branches: {{tuning: hpo/, training: train/}}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path, SAID)


def test_the_configuration_says_it_wherever_one_stands(root: Path, tmp_path: Path) -> None:
    repository = Repository.of(root)
    assert prefixes_of(repository, NAMES) == OWN
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(root), str(bare))
    assert prefixes_of(Repository.of(bare), NAMES) == OWN
    (root / "tuning.yaml").unlink()
    assert prefixes_of(repository, NAMES) == OWN
    # A configuration from before they were chosen says nothing, nor does one that is broken.
    for text in (STUDY, f"{STUDY}  : [", "- a\n", "\xff"):
        (root / "tuning.yaml").write_text(text, encoding="latin-1")
        assert prefixes_of(repository, NAMES) == OWN
    (root / "tuning.yaml").write_text(f"{STUDY}branches: {{tuning: try/}}\n")
    assert prefixes_of(repository, NAMES) == Prefixes(tuning="try/")


def test_nothing_said_means_the_usual(tmp_path: Path) -> None:
    assert prefixes_of(Repository.of(make_project(tmp_path)), NAMES) == Prefixes()


def test_mistakes_are_placed(root: Path) -> None:
    (root / "tuning.yaml").write_text(f"{STUDY}branches:\n  tuning: a b\n  trainig: x/\n")
    with pytest.raises(ConfigError) as caught:
        prefixes_of(Repository.of(root), NAMES)
    n_lines = STUDY.count("\n")
    said = str(caught.value)
    assert f"tuning.yaml:{n_lines + 2}:3: branches.tuning: `a b` cannot begin" in said
    assert f"tuning.yaml:{n_lines + 3}:3: branches.trainig: unknown key" in said
    assert "Did you mean `training`?" in said


def test_experiments_are_found_under_them_alone(root: Path) -> None:
    repository = Repository.of(root)
    experiment.start(repository, "one", prefixes=OWN)
    git(root, "branch", "tuning/other")
    git(root, "branch", "training/other")
    (found,) = experiments(repository, NAMES)
    assert (found.name, found.state) == ("one", "begun")
    assert found.next.startswith("git switch hpo/one && tunesmith run")
    tuned = {"config/best_parameters.yaml": parameters(depth=5), "outputs/tuning_results.md": "x"}
    commit(root, tuned, "tuned", branch="hpo/one")
    (found,) = experiments(repository, NAMES)
    assert found.state == "tuned"
    git(root, "branch", "-D", "train/one")
    (found,) = experiments(repository, NAMES)
    assert (found.state, found.note) == ("incomplete", "there is no branch train/one")


@pytest.mark.parametrize("blocking", ["hpo", "HPO"])
def test_a_branch_in_the_place_of_the_folder(root: Path, blocking: str) -> None:
    git(root, "branch", blocking)
    repository = Repository.of(root)
    with pytest.raises(UsageError, match=f"a branch `{blocking}` already") as caught:
        experiment.start(repository, "one", prefixes=OWN)
    way = str(caught.value).split("`git ")[1].partition("`")[0]
    git(root, *way.split())
    experiment.start(repository, "one", prefixes=OWN)


def test_the_default_branch_is_no_experiment(root: Path) -> None:
    repository = Repository.of(root)
    with pytest.raises(UsageError, match="no room for the default branch `hpo/main`"):
        check_prefixes(repository, OWN, "hpo/main")
    check_prefixes(repository, OWN, "main")
