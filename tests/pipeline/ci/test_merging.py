"""Two jobs of one project, each with results of its own, and both land."""

from pathlib import Path

import pytest
from tests.pipeline.ci.test_checkout import git, push, write
from tests.pipeline.ci.test_place import _no_settings, github, person, remote, root
from tests.pipeline.dvc.test_lock_merge import lock, of

from tunesmith.config.load import load_definition
from tunesmith.ledger.histories.portable import read_history
from tunesmith.pipeline.ci.checkout import Checkout
from tunesmith.pipeline.ci.merging import merged
from tunesmith.runs.tune import tune
from tunesmith.system.git import GitError
from tunesmith.testing.projects import make_project

__all__ = ["_no_settings", "person", "remote", "root"]


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of the study after 2 and after 4 trials, and of another study."""
    found = {}
    for key, trials, name in (("a2", 2, "a"), ("a4", 4, "a"), ("b2", 2, "b")):
        folder = make_project(tmp_path_factory.mktemp(key) / "p", trials=trials)
        text = (folder / "tuning.yaml" if folder.is_dir() else folder).read_text()
        path = folder / "tuning.yaml" if folder.is_dir() else folder
        path.write_text(
            text.replace("study: small", f"study: {name}")
            + "execution: {executor: serial}\noutputs: {history: outputs/history.jsonl}\n"
        )
        tune(load_definition(path))
        found[key] = (path.parent / "outputs/history.jsonl").read_text()
    return found


def both_of(one: str, other: str) -> str:
    found = merged("outputs/history.jsonl", "", one, other)
    assert found is not None
    return found


def test_studies_stand_beside_each_other(histories: dict[str, str]) -> None:
    both = both_of(histories["a4"], histories["b2"])
    assert {k: r.history.n_completed for k, r in read_history(both).items()} == {"b": 2, "a": 4}


def test_of_one_study_the_longer_series_stays(histories: dict[str, str]) -> None:
    for one, other in (("a2", "a4"), ("a4", "a2")):
        both = both_of(histories[one], histories[other])
        assert read_history(both)["a"].history.n_completed == 4


def test_no_evaluation_of_either_side_is_lost(histories: dict[str, str]) -> None:
    other = histories["a4"].replace('"accuracy":0.9', '"accuracy":0.8', 1)
    both = both_of(histories["a4"], other)
    lines = [line for text in (histories["a4"], other) for line in text.splitlines()]
    assert set(lines) <= set(both.splitlines())


def test_what_a_person_has_to_decide(histories: dict[str, str]) -> None:
    assert merged("outputs/history.jsonl", "", histories["a4"], histories["a4"][:-40]) is None
    assert merged("outputs/report.md", "a", "b", "c") is None
    assert merged("dvc.lock", "", "x", None) is None


def test_the_second_of_two_studies_lands_as_well(
    root: Path, remote: Path, person: Path, histories: dict[str, str]
) -> None:
    base = {"tune_a": 1, "tune_b": 1}
    history = "outputs/history.jsonl"
    write(person, **{"dvc.lock": lock(base), "outputs/a.md": "1", "outputs/b.md": "1"})
    push(person, "before")
    git(root, "fetch", "-q")
    git(root, "switch", "-q", "tuning/one")
    write(person, **{"dvc.lock": lock(base | {"tune_b": 2}), "outputs/b.md": "2"})
    write(person, **{history: histories["b2"]})
    push(person, "the other job")
    write(root, **{"dvc.lock": lock(base | {"tune_a": 3}), "outputs/a.md": "3"})
    write(root, **{history: histories["a4"]})
    git_host = github("tuning/one")
    files = ["dvc.lock", "outputs/a.md", "outputs/b.md", history]
    done = Checkout.in_ci(root, git_host).commit_and_push(files, "x", git_host)
    assert done.files == ("dvc.lock", "outputs/a.md", history)
    show = [git(remote, "show", f"tuning/one:{name}") for name in files]
    assert of(show[0]) == {"tune_a": 3, "tune_b": 2}
    assert show[1:3] == ["3", "2"]
    assert set(read_history(show[3])) == {"a", "b"}


def test_the_same_study_in_two_jobs_is_for_a_person(root: Path, remote: Path, person: Path) -> None:
    write(person, **{"dvc.lock": lock({"tune_a": 1})})
    push(person, "before")
    git(root, "fetch", "-q")
    git(root, "switch", "-q", "tuning/one")
    write(person, **{"dvc.lock": lock({"tune_a": 2})})
    theirs = push(person, "the other job")
    write(root, **{"dvc.lock": lock({"tune_a": 3})})
    git_host = github("tuning/one")
    with pytest.raises(GitError, match=r"somebody has changed dvc\.lock"):
        Checkout.in_ci(root, git_host).commit_and_push(["dvc.lock"], "x", git_host)
    assert git(remote, "rev-parse", "tuning/one") == theirs
