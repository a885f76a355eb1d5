"""Whose file the best parameters are: what a run writes over, and what it leaves alone."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.analysis.summary import summarise
from tunesmith.config.model import BestSection, OutputsSection
from tunesmith.errors import NoResultError, UsageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.parameters.adopt import adopt
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.edits import edit_of
from tunesmith.parameters.publish import kept_edit
from tunesmith.runs.outputs import write_outputs
from tunesmith.system.fingerprint import digest
from tunesmith.testing.records import make_record

FIRST = make_record([{"lr": 0.01}, {"lr": 0.1}], [[0.9, 0.8], [0.7, 0.6]])
SECOND = make_record([{"lr": 0.01}, {"lr": 0.1}], [[0.7, 0.6], [0.9, 0.8]])
LOOSE = OutputsSection(best=BestSection(path="best.yaml"), tuned="tuned.yaml")
TIGHT = OutputsSection(best=BestSection(path="best.yaml"))


def params(root: Path, name: str = "best.yaml") -> object:
    return yaml.safe_load((root / name).read_text())["params"]


def edit(root: Path, old: str = "1.0e-02", new: str = "0.005") -> str:
    path = root / "best.yaml"
    text = path.read_text()
    assert old in text.replace("0.01", "1.0e-02")
    path.write_text(text.replace("lr: 0.01", f"lr: {new}"))
    return path.read_text()


def kept(record: StudyRecord, root: Path, outputs: OutputsSection = LOOSE) -> str | None:
    found = kept_edit(summarise(record), BestFile.of_record(root, outputs, record), record)
    return None if found is None else found.words


def test_the_first_run_writes_both_files(tmp_path: Path) -> None:
    write_outputs(FIRST, tmp_path, LOOSE)
    assert params(tmp_path) == params(tmp_path, "tuned.yaml") == {"lr": 0.01}
    assert kept(FIRST, tmp_path) is None


def test_an_unedited_file_follows_the_winner(tmp_path: Path) -> None:
    write_outputs(FIRST, tmp_path, LOOSE)
    write_outputs(SECOND, tmp_path, LOOSE)
    assert params(tmp_path) == {"lr": 0.1}


def test_an_edit_is_kept_and_told(tmp_path: Path) -> None:
    write_outputs(FIRST, tmp_path, LOOSE)
    text = edit(tmp_path)
    write_outputs(FIRST, tmp_path, LOOSE)
    assert (tmp_path / "best.yaml").read_text() == text
    assert kept(FIRST, tmp_path) == "edited by hand since trial 0 (lr: 0.01 -> 0.005)"
    write_outputs(SECOND, tmp_path, LOOSE)
    assert (tmp_path / "best.yaml").read_text() == text
    assert params(tmp_path, "tuned.yaml") == {"lr": 0.1}
    # Another series: what stood there before is not known.
    assert kept(SECOND, tmp_path) == "edited by hand since trial 0 (lr: 0.01 -> 0.005)"


def test_where_the_file_is_the_tools_an_edit_is_undone(tmp_path: Path) -> None:
    write_outputs(FIRST, tmp_path, TIGHT)
    before = (tmp_path / "best.yaml").read_bytes()
    edit(tmp_path)
    assert kept(FIRST, tmp_path, TIGHT) is None
    write_outputs(FIRST, tmp_path, TIGHT)
    assert (tmp_path / "best.yaml").read_bytes() == before


def test_an_edit_that_found_the_winner_is_no_edit(tmp_path: Path) -> None:
    write_outputs(FIRST, tmp_path, LOOSE)
    edit(tmp_path, new="0.1")
    assert kept(SECOND, tmp_path) is None
    write_outputs(SECOND, tmp_path, LOOSE)
    assert edit_of(BestFile(tmp_path, LOOSE)) is None


def test_comments_of_people_stay_while_the_winner_does(tmp_path: Path) -> None:
    write_outputs(FIRST, tmp_path, LOOSE)
    path = tmp_path / "best.yaml"
    path.write_text(f"# Ann: do not touch before the release\n{path.read_text()}")
    before = path.read_bytes()
    write_outputs(FIRST, tmp_path, LOOSE)
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["lr: 0.3\n", "params: {lr: 0.3}\nmeta: {study: other}\n"])
def test_a_file_written_by_hand_is_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "best.yaml").write_text(text)
    write_outputs(FIRST, tmp_path, LOOSE)
    assert (tmp_path / "best.yaml").read_text() == text
    assert kept(FIRST, tmp_path) == "written by hand (lr: 0.01 -> 0.3)"


def test_a_file_that_cannot_be_read_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "best.yaml").write_text("params: [\n")
    with pytest.raises(UsageError, match=r"best\.yaml"):
        write_outputs(FIRST, tmp_path, LOOSE)
    assert [path.name for path in tmp_path.iterdir()] == ["best.yaml"]


def test_the_report_says_that_people_had_edited_when_the_search_began(tmp_path: Path) -> None:
    head = replace(FIRST.head, definition={**FIRST.head.definition, "is_edited": True})
    write_outputs(replace(FIRST, head=head), tmp_path, LOOSE)
    assert (
        "Run `tunesmith adopt` to use the winner"
        in (tmp_path / "outputs/tuning_results.md").read_text()
    )


# -- adopt ---------------------------------------------------------------------------------------


def test_adopting_takes_the_winner_over_an_edit(tmp_path: Path) -> None:
    write_outputs(FIRST, tmp_path, LOOSE)
    text = edit(tmp_path)
    dry = adopt(FIRST, tmp_path, LOOSE, dry_run=True)
    assert (dry.changes, dry.is_written) == (("lr: 0.005 -> 0.01",), False)
    assert (tmp_path / "best.yaml").read_text() == text
    assert adopt(FIRST, tmp_path, LOOSE).is_written
    assert edit_of(BestFile(tmp_path, LOOSE)) is None


def test_another_trial_once_adopted_stays(tmp_path: Path) -> None:
    write_outputs(FIRST, tmp_path, LOOSE)
    assert adopt(FIRST, tmp_path, LOOSE, trial=1).changes == ("lr: 0.01 -> 0.1",)
    write_outputs(FIRST, tmp_path, LOOSE)
    assert params(tmp_path) == {"lr": 0.1}
    assert kept(FIRST, tmp_path) == "trial 1 was adopted"
    adopt(FIRST, tmp_path, LOOSE)
    assert kept(FIRST, tmp_path) is None


def test_what_cannot_be_adopted(tmp_path: Path) -> None:
    failed = make_record([{"lr": 1}, {"lr": 2}], ["bad", [0.5, 0.6]])
    with pytest.raises(UsageError, match=r"trial 0 of study `example` is not complete"):
        adopt(failed, tmp_path, LOOSE, trial=0)
    with pytest.raises(UsageError, match=r"trial 9 .* does not exist"):
        adopt(failed, tmp_path, LOOSE, trial=9)
    with pytest.raises(UsageError, match="choose one"):
        adopt(failed, tmp_path, LOOSE, trial=1, selection="one_se")
    with pytest.raises(NoResultError):
        adopt(make_record([{"lr": 1}], ["bad"]), tmp_path, LOOSE)
    assert list(tmp_path.iterdir()) == []


VALUES = st.one_of(st.integers(-5, 5), st.floats(-1, 1), st.text(max_size=3), st.booleans())
PARAMS = st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1)


@given(before=PARAMS, after=PARAMS)
def test_whatever_is_edited_is_seen(
    before: dict[str, object], after: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("edit") / "best.yaml"
    meta = {"study": "example", "trial": 0, "digest": digest(before)}
    path.write_text(yaml.safe_dump({"params": after, "meta": meta}))
    found = edit_of(BestFile(path.parent, OutputsSection(best=BestSection(path=path.name))))
    assert (found is None) == (digest(before) == digest(after))
