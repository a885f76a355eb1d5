"""``note``: written, shown everywhere, kept by Git."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from tunesmith.ledger.histories.merging import merge
from tunesmith.ledger.histories.portable import read_history

HISTORY = "outputs/history.jsonl"


@pytest.fixture
def kept(tunesmith: Run, finished: Path) -> Path:
    """A finished study that keeps a history."""
    config = finished / "tuning.yaml"
    config.write_text(config.read_text() + f"\noutputs: {{history: {HISTORY}}}\n")
    assert tunesmith("run").returncode == 0
    return finished


def notes_in(project: Path) -> dict[int, tuple[str, ...]]:
    return dict(next(iter(read_history((project / HISTORY).read_text()).values())).notes)


def test_a_note_is_shown_and_kept(tunesmith: Run, kept: Path) -> None:
    assert tunesmith("note", "1", "looks <b>odd</b> | `x`").returncode == 0
    assert tunesmith("note", "1", "ask Ada").returncode == 0
    done = tunesmith("note", "1")
    assert done.stdout == "looks <b>odd</b> | `x`\nask Ada\n"
    assert "note: looks" in tunesmith("trials").stdout
    assert tunesmith("trials", "--json", "--filter", "trial == 1").stdout.count("ask Ada") == 1
    report = (kept / "outputs/tuning_results.md").read_text()
    assert "## Notes" in report
    assert "| 1 | `` looks <b>odd</b> \\| `x` `` |" in report
    assert notes_in(kept) == {1: ("looks <b>odd</b> | `x`", "ask Ada")}
    # Notes are no results: nothing is evaluated, and the next run leaves them there.
    assert json.loads(tunesmith("run", "--json").stdout)["n_evaluated"] == 0
    assert len(notes_in(kept)[1]) == 2
    assert tunesmith("note", "1", "--remove").returncode == 0
    assert notes_in(kept) == {}
    assert "## Notes" not in (kept / "outputs/tuning_results.md").read_text()
    assert "has no note" in tunesmith("note", "1").stderr


def test_notes_that_others_wrote_come_with_the_history(tunesmith: Run, kept: Path) -> None:
    before = (kept / HISTORY).read_text()
    tunesmith("note", "0", "ours")
    ours = (kept / HISTORY).read_text()
    theirs = before.replace('"schema_version": 1', '"schema_version": 4')
    theirs += '{"note": 2, "text": "theirs"}\n'
    (kept / HISTORY).write_text(merge(ours, theirs))
    assert tunesmith("note", "2").stdout == "theirs\n"
    # A report is made from both, and so is the ledger at the next note or run.
    tunesmith("report")
    assert notes_in(kept) == {0: ("ours",), 2: ("theirs",)}
    tunesmith("run")
    (kept / HISTORY).unlink()
    tunesmith("report")
    assert notes_in(kept) == {0: ("ours",), 2: ("theirs",)}


def test_a_clone_without_a_ledger_says_what_to_do(tunesmith: Run, kept: Path) -> None:
    (kept / ".tunesmith/ledger.db").unlink()
    done = tunesmith("note", "1", "x")
    assert done.returncode == 2
    assert "`tunesmith run` reads it into a ledger" in done.stderr
    assert tunesmith("run").returncode == 0
    assert tunesmith("note", "1", "x").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("99", "x"), "trial 99 is not finished"),
        (("1", "  "), "a note needs a text"),
        (("1", "x" * 2001), "at most 2,000 characters"),
        (("1", "x", "--remove"), "give one of them"),
    ],
)
def test_what_is_no_note_is_refused(
    tunesmith: Run, finished: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = tunesmith("note", *arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_secret_is_not_kept(tunesmith: Run, finished: Path) -> None:
    tunesmith("note", "1", "with password=hunter2secret")
    assert "hunter2secret" not in tunesmith("note", "1").stdout


def test_a_damaged_ledger_keeps_its_notes(tunesmith: Run, finished: Path) -> None:
    tunesmith("note", "1", "a\nb")
    ledger = finished / ".tunesmith/ledger.db"
    ledger.write_bytes(ledger.read_bytes()[:-1] + b"\x01")
    assert tunesmith("doctor", "--repair").returncode == 0
    assert tunesmith("note", "1").stdout == "a\nb\n"
