"""Every disagreement is found, told with its way out, and nothing cries wolf."""

import json
import os
import shlex
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.pipeline.repositories import git

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.parameters.adopt import adopt
from tunesmith.pipeline.findings import Finding
from tunesmith.pipeline.verify.verify import Refit, Verification, verify
from tunesmith.system.fingerprint import digest
from tunesmith.testing.ledger import forge_ledger
from tunesmith.testing.projects import TUNING, make_project

BEST, HISTORY = "config/best_parameters.yaml", "outputs/history.jsonl"
OWN = """\
execution: {workers: 1}
outputs:
  html: outputs/tuning.html
  trials: outputs/trials.csv
  history: outputs/history.jsonl
  metrics: outputs/metrics.json
"""
LOOSE = OWN + "  tuned: outputs/tuned.yaml\n"
Damage = Callable[[Path], object]


def finished(root: Path, sections: str) -> Path:
    make_project(root, trials=8, text=TUNING + sections)
    tune(root / "tuning.yaml")
    return root


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Finished studies, by whose file the best parameters are; nobody writes into them."""
    folder = tmp_path_factory.mktemp("studies")
    return {
        "own": finished(folder / "own", OWN),
        "loose": finished(folder / "loose", LOOSE),
    }


@pytest.fixture
def own(studies: dict[str, Path], tmp_path: Path) -> Path:
    """Best parameters are the tool's."""
    return Path(shutil.copytree(studies["own"], tmp_path / "project"))


@pytest.fixture
def loose(studies: dict[str, Path], tmp_path: Path) -> Path:
    """Best parameters are people's."""
    return Path(shutil.copytree(studies["loose"], tmp_path / "project"))


def verified(root: Path, again: Refit | None = None, **overrides: Any) -> Verification:
    return verify(load_definition(root / "tuning.yaml", overrides=overrides), again)


def failures(found: Verification) -> list[Finding]:
    return [finding for finding in found.findings if finding.level == "failure"]


def notes(found: Verification) -> str:
    return "\n".join(finding.words for finding in found.findings if finding.level == "note")


def unseen(found: Verification) -> str:
    return "\n".join(finding.words for finding in found.findings if finding.level == "unseen")


def places(found: Verification) -> list[str]:
    return [finding.place for finding in failures(found)]


def edit(name: str, old: str, new: str) -> Damage:
    def damage(root: Path) -> None:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new, 1))

    return damage


def git_host(root: Path) -> None:
    """Other parameters, with the digest that belongs to them."""
    path = root / BEST
    content = yaml.safe_load(path.read_text())
    content["params"]["max_depth"] = 6
    content["meta"]["digest"] = digest(content["params"])
    path.write_text(yaml.safe_dump(content))


def remove(name: str) -> Damage:
    return lambda root: (root / name).unlink()


def with_ledger_only(root: Path) -> None:
    path = root / "tuning.yaml"
    path.write_text(path.read_text().replace("  history: outputs/history.jsonl\n", ""))


def as_a_clone(root: Path) -> None:
    shutil.rmtree(root / ".tunesmith")


WITNESSES: dict[str, Damage] = {
    "both": lambda root: None,
    "ledger": with_ledger_only,
    "history": as_a_clone,
}
DAMAGES: dict[str, tuple[Damage, str, str]] = {
    "value": (edit(BEST, "max_depth: ", "max_depth: 1"), BEST, "edited by hand since trial"),
    "forged": (git_host, BEST, "holds other parameters (max_depth: "),
    "score": (edit(BEST, "mean: 0.9", "mean: 0.99"), BEST, "differs from line"),
    "gone": (remove(BEST), BEST, "is missing"),
    "garbled": (edit(BEST, "params:", "params: ["), BEST, "line 4:12: not valid YAML"),
    "report": (
        edit("outputs/tuning_results.md", "accuracy", "precision"),
        "outputs/tuning_results.md",
        "differs from line",
    ),
    "page": (remove("outputs/tuning.html"), "outputs/tuning.html", "is missing"),
    "trials": (edit("outputs/trials.csv", "0.9", "0.8"), "outputs/trials.csv", "differs from"),
    "metrics": (edit("outputs/metrics.json", "}\n", "}"), "outputs/metrics.json", "too short"),
}


@pytest.mark.parametrize("witness", WITNESSES)
def test_what_is_as_it_was_written_is_verified(own: Path, witness: str) -> None:
    WITNESSES[witness](own)
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in own.glob("*/*") if p.is_file()}
    found = verified(own)
    assert found.findings == ()
    assert (found.source, found.n_trials) == ("history" if witness == "history" else "ledger", 8)
    assert {BEST, "outputs/tuning_results.md"} < set(found.checked)
    after = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in own.glob("*/*") if p.is_file()}
    outputs = [p for p in before if p.parent.name != ".tunesmith"]
    assert {p: before[p] for p in outputs} == {p: after[p] for p in outputs}
    assert not (witness == "history" and (own / ".tunesmith").exists())


@pytest.mark.parametrize("witness", WITNESSES)
def test_line_ends_of_another_system_are_no_disagreement(own: Path, witness: str) -> None:
    """As Git writes them into a working tree (``core.autocrlf``)."""
    WITNESSES[witness](own)
    written = [p for p in (*own.glob("outputs/*"), own / BEST) if p.is_file()]
    for path in written:
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert len(written) > 3
    found = verified(own)
    assert (found.findings, found.is_verified) == ((), True)


@pytest.mark.parametrize("case", DAMAGES)
def test_damage_is_found_where_it_is(own: Path, case: str) -> None:
    damage, place, words = DAMAGES[case]
    damage(own)
    found = verified(own)
    assert places(found) == [place]
    (finding,) = failures(found)
    assert words in finding.found
    assert finding.expected
    assert finding.fix
    as_a_clone(own)
    assert places(verified(own)) == [place]


def test_all_disagreements_are_told_at_once(own: Path) -> None:
    for case in ("value", "report", "page", "trials"):
        DAMAGES[case][0](own)
    assert sorted(places(verified(own))) == sorted(
        DAMAGES[case][1] for case in ("value", "report", "page", "trials")
    )


def test_what_run_restores_is_verified(own: Path) -> None:
    for case in ("value", "report", "page", "trials", "metrics"):
        DAMAGES[case][0](own)
    tune(own / "tuning.yaml")
    assert verified(own).findings == ()


# -- the history ---------------------------------------------------------------------------------


def test_a_history_that_was_edited(own: Path) -> None:
    edit(HISTORY, '"scores":{"accuracy":0.9', '"scores":{"accuracy":0.1')(own)
    assert places(verified(own)) == [HISTORY]
    as_a_clone(own)
    # Without a ledger the history is believed, and everything else disagrees with it.
    assert "outputs/tuning_results.md" in places(verified(own))


def test_a_history_of_another_layout_is_no_witness(own: Path) -> None:
    as_a_clone(own)
    edit(HISTORY, '"trial": 3', '"trial":  3')(own)
    assert places(verified(own)) == [HISTORY]
    edit(HISTORY, '"trial":  3', '"trial": 4')(own)
    # The trials before the gap are taken; that some are missing shows in every other file.
    assert {HISTORY, "outputs/tuning_results.md"} <= set(places(verified(own)))


def test_a_ledger_that_is_behind_the_history_is_no_disagreement(own: Path) -> None:
    longer = {p: p.read_bytes() for p in own.glob("*/*") if p.parent.name != ".tunesmith"}
    shutil.rmtree(own / ".tunesmith")
    (own / HISTORY).unlink()
    tune(load_definition(own / "tuning.yaml", overrides={"trials": 3}))
    for path, content in longer.items():
        path.write_bytes(content)
    found = verified(own)
    assert (found.findings, found.source) == ((), "history")


# -- people's files ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["<<<<<<< a\nparams: {}\n=======\n>>>>>>> b\n", "- 1\n", "a: ["])
def test_what_a_run_would_not_replace_is_taken_from_git_or_by_hand(own: Path, text: str) -> None:
    written = (own / BEST).read_text()
    (own / BEST).write_text(text)
    (found,) = failures(verified(own))
    assert found.fix.startswith("Mend its text; or move it away, and `tunesmith run")
    (own / BEST).write_text(written)
    git(own, "init", "-q")
    git(own, "add", "-A", "-f")
    git(own, "-c", "user.name=a", "-c", "user.email=a", "commit", "-qm", "tuned")
    (own / BEST).write_text(text)
    (found,) = failures(verified(own))
    command = found.fix.split("`")[1]
    assert found.fix.endswith("brings back what is committed.")
    git(own, *shlex.split(command.replace(os.path.relpath(own), "."))[1:])
    assert verified(own).is_verified


def test_an_edit_of_peoples_is_a_note(loose: Path) -> None:
    for damage in (DAMAGES["value"][0], git_host):
        damage(loose)
        found = verified(loose)
        assert failures(found) == []
        assert BEST in notes(found)
    remove(BEST)(loose)
    assert places(verified(loose)) == [BEST]


def test_another_trial_adopted_is_a_note(loose: Path) -> None:
    definition = load_definition(loose / "tuning.yaml")
    with Ledger.open(definition.ledger) as ledger:
        adopt(ledger.load(), loose, definition.file.outputs, trial=0)
    found = verified(loose)
    assert failures(found) == []
    assert "trial 0 was adopted" in notes(found)


def test_what_tuning_found_is_nobodys_to_edit(loose: Path) -> None:
    edit("outputs/tuned.yaml", "max_depth: ", "max_depth: 1")(loose)
    assert places(verified(loose)) == ["outputs/tuned.yaml"]


def test_an_out_of_the_tuning_stage_is_nobodys_to_edit(loose: Path) -> None:
    stage = {"cmd": "tunesmith run", "outs": [{BEST: {"cache": False}}]}
    (loose / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"tuning": stage}}))
    found = verified(loose)
    assert failures(found) == []
    assert "stage `tuning` has not been run by DVC yet" in notes(found)
    DAMAGES["value"][0](loose)
    (finding,) = failures(verified(loose))
    assert (finding.place, "`tunesmith adopt" in finding.fix) == (BEST, True)
    (loose / "dvc.yaml").write_text("stages: [\n")
    assert "dvc.yaml" in " ".join(finding.found for finding in failures(verified(loose)))


# -- gates ---------------------------------------------------------------------------------------


def test_what_the_gate_kept_is_in_order(own: Path) -> None:
    (own / BEST).write_text("max_depth: 5\ncriterion: gini\n")
    path = own / "tuning.yaml"
    path.write_text(path.read_text() + "gate: {min_improvement: 0.5}\n")
    tune(path)
    assert "max_depth: 5" in (own / BEST).read_text()
    assert verified(own).findings == ()
    edit(BEST, "max_depth: 5", "max_depth: 1")(own)
    assert places(verified(own)) == [BEST]


def test_a_gate_of_the_command_line_is_remembered(own: Path) -> None:
    tune(load_definition(own / "tuning.yaml").with_gate())
    assert verified(own).findings == ()
    as_a_clone(own)
    assert verified(own).findings == ()


# -- unfinished, never run, stale ----------------------------------------------------------------


def execute(root: Path, statement: str, values: Sequence[Any] = ()) -> None:
    forge_ledger(root / ".tunesmith/ledger.db", statement, values)


@pytest.fixture
def killed(own: Path) -> Path:
    """The files are those of eight trials; the last run was cut off after it had told twelve."""
    files = {p: p.read_bytes() for p in own.glob("*/*") if p.parent.name != ".tunesmith"}
    tune(load_definition(own / "tuning.yaml", overrides={"trials": 12}))
    for path, content in files.items():
        path.write_bytes(content)
    execute(
        own, "UPDATE run SET ended = NULL, stopped_by = NULL WHERE id = (SELECT MAX(id) FROM run)"
    )
    return own


def test_a_run_that_was_killed_left_older_files(killed: Path) -> None:
    found = verified(killed)
    assert failures(found) == []
    assert "the last run was cut off" in notes(found)
    DAMAGES["value"][0](killed)
    assert places(verified(killed)) == [BEST]


def test_while_a_run_is_on_files_may_be_older(killed: Path) -> None:
    definition = load_definition(killed / "tuning.yaml")
    with run_lock(definition.ledger, definition.file.study):
        found = verified(killed)
    assert failures(found) == []
    assert "a run is on" in notes(found)


def test_a_study_that_never_ran_has_digests_alone(own: Path) -> None:
    shutil.rmtree(own / ".tunesmith")
    (own / HISTORY).unlink()
    found = verified(own)
    assert (failures(found), found.source) == ([], None)
    # Anybody can write a digest: it verifies nothing.
    assert "neither a ledger here nor a history" in unseen(found)
    assert not found.is_verified
    DAMAGES["value"][0](own)
    assert places(verified(own)) == [BEST]


def test_what_people_wrote_needs_no_study(loose: Path) -> None:
    shutil.rmtree(loose / ".tunesmith")
    shutil.rmtree(loose / "outputs")
    found = verified(loose)
    assert (failures(found), unseen(found), found.is_verified) == ([], "", False)


def test_nothing_at_all_is_not_verified(tmp_path: Path) -> None:
    make_project(tmp_path)
    found = verified(tmp_path)
    assert (found.findings, found.is_nothing, found.is_verified) == ((), True, False)


STALE: dict[str, tuple[Damage, str]] = {
    "data": (edit("data.csv", "5.1,", "5.2,"), "the data changed"),
    "space": (edit("tuning.yaml", "[gini, entropy]", "[gini]"), "`space` changed"),
    "objective": (edit("tuning.yaml", "cv: 3", "cv: 4"), "changed"),
}


@pytest.mark.parametrize("case", STALE)
def test_stale_results_are_told_with_what_changed(own: Path, case: str) -> None:
    damage, words = STALE[case]
    damage(own)
    (finding,) = failures(verified(own))
    assert finding.place == "study `small`"
    assert words in finding.found


def test_without_the_data_the_files_are_compared_all_the_same(own: Path) -> None:
    remove("data.csv")(own)
    found = verified(own)
    assert failures(found) == []
    assert "data.csv is not here" in unseen(found)
    assert not found.is_verified
    allowed = verify(load_definition(own / "tuning.yaml"), needs_data=False)
    assert allowed.is_verified
    assert "data.csv is not here" in notes(allowed)
    DAMAGES["report"][0](own)
    assert places(verified(own)) == ["outputs/tuning_results.md"]


CODE = """\
from helping import DEPTH
from sklearn.tree import DecisionTreeClassifier
class Model(DecisionTreeClassifier): pass
"""


@pytest.fixture(scope="module")
def with_code_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("with_code")
    text = TUNING.replace("sklearn.tree.DecisionTreeClassifier", "seen_model.Model") + OWN
    (root / "seen_model.py").write_text(CODE)
    (root / "helping.py").write_text("DEPTH = 3\n")
    make_project(root, trials=2, text=text)
    tune(root / "tuning.yaml")
    return root


UNSEEN: dict[str, tuple[Damage, str]] = {
    "gone": (remove("seen_model.py"), "there is no module `seen_model`"),
    "broken": (edit("seen_model.py", "class", "klass"), "seen_model.py cannot be parsed (line 3)"),
    "broken import": (edit("helping.py", "=", "= ("), "helping.py cannot be parsed"),
    "null bytes": (edit("helping.py", "3", "3\0"), "helping.py cannot be parsed"),
    "data": (remove("data.csv"), "data.csv is not here"),
    "data emptied": (lambda root: (root / "data.csv").write_text(""), "data.csv"),
    "ledger cut": (
        lambda root: (root / ".tunesmith/ledger.db").write_bytes(b"SQLite format 3\0 and no more"),
        "the ledger",
    ),
    "ledger foreign": (
        lambda root: (root / ".tunesmith/ledger.db").write_text("another program's"),
        "the ledger",
    ),
}


@pytest.mark.parametrize("case", UNSEEN)
def test_what_cannot_be_looked_at_is_not_verified(
    with_code_once: Path, tmp_path: Path, case: str
) -> None:
    root = Path(shutil.copytree(with_code_once, tmp_path / "project"))
    assert verified(root).is_verified
    damage, words = UNSEEN[case]
    damage(root)
    found = verified(root)
    assert not found.is_verified
    assert words in unseen(found)


def test_a_ledger_of_a_newer_version_is_not_verified(own: Path) -> None:
    with closing(sqlite3.connect(own / ".tunesmith/ledger.db")) as connection, connection:
        connection.execute("UPDATE tunesmith SET schema_version = 999")
    found = verified(own)
    assert not found.is_verified
    assert "newer" in unseen(found)


# -- evaluating again ----------------------------------------------------------------------------


def falsify(root: Path, number: int, fold: int, change: float) -> None:
    select = (
        "SELECT e.key, e.scores FROM evaluation e JOIN trial_fold t ON t.evaluation_key = e.key"
        " AND t.run_id = e.run_id WHERE t.number = ? AND t.fold = ?"
    )
    with closing(sqlite3.connect(root / ".tunesmith/ledger.db")) as connection, connection:
        ((key, scores),) = connection.execute(select, (number, fold)).fetchall()
    wrong = json.dumps({k: v * (1 + change) for k, v in json.loads(scores).items()})
    execute(root, "UPDATE evaluation SET scores = ? WHERE key = ?", (wrong, key))


def test_a_score_that_is_not_true_is_found(own: Path) -> None:
    found = verified(own, Refit(99, seed=1))
    assert (found.findings, found.n_refit) == ((), 8 * 3)
    falsify(own, 5, 1, 1e-9)
    found = verified(own, Refit(99, seed=1))
    assert "trial 5, fold 1" in places(found)
    assert len([place for place in places(found) if place.startswith("trial")]) == 1
    near = verified(own, Refit(99, seed=1, tolerance=1e-6))
    assert near.n_refit == 24
    assert "trial 5" not in " ".join(places(near))
    assert verified(own, Refit(2, seed=3)).n_refit == 2


def test_where_nothing_can_be_evaluated_again_that_is_told(own: Path) -> None:
    edit("data.csv", "5.1,", "5.2,")(own)
    found = verified(own, Refit(2, seed=1))
    assert found.n_refit == 0
    assert "no fold is evaluated again" in failures(found)[-1].found


PROGRAM = """\
study: prog
objective:
  command: [python, train.py, "{x}"]
  depends_on: [train.py]
  metrics_pattern: 'loss=(?P<loss>\\S+)'
  metric: {name: loss, direction: minimize}
  seeds: 2
space: {x: {float: [0.0, 1.0]}}
search: {method: random, seed: 3}
stop: {trials: 2}
execution: {workers: 2}
"""
TRAIN = "import sys\nprint(f'loss={(float(sys.argv[1]) - 0.3) ** 2!r}')\n"


@pytest.mark.slow
def test_programs_are_run_again_beside_what_they_have_left(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "tuning.yaml").write_text(PROGRAM)
    tune(tmp_path / "tuning.yaml")
    runs = sorted((tmp_path / ".tunesmith/runs").rglob("*"))
    assert runs
    found = verified(tmp_path, Refit(9, seed=1))
    assert (failures(found), found.n_refit) == ([], 4)
    assert sorted((tmp_path / ".tunesmith/runs").rglob("*")) == runs
    falsify(tmp_path, 1, 0, 1e-9)
    assert "trial 1, fold 0" in places(verified(tmp_path, Refit(9, seed=1)))


def test_words() -> None:
    finding = Finding("a", "b", "c", "d")
    assert finding.words == "a: b\n  Expected: c.\n  d"
    assert replace(finding, expected="", fix="").words == "a: b"
