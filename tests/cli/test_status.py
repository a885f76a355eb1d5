"""``status`` says where a study stands; ``run`` and ``adopt`` know whose file parameters are."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Run

from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.projects import TUNING, make_project

BEST = "config/best_parameters.yaml"


@pytest.fixture
def loose(project: Path, tunesmith: Run) -> Path:
    """A finished study whose best parameters belong to people."""
    path = project / "tuning.yaml"
    path.write_text(path.read_text() + "outputs: {tuned: outputs/tuned.yaml}\n")
    assert tunesmith("run", "-q", "--workers", "1").returncode == 0
    return project


def standing(tunesmith: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tunesmith("status", "--json").stdout)["standing"]
    return found


def test_up_to_date(tunesmith: Run, loose: Path) -> None:
    found = standing(tunesmith)
    assert (found["is_current"], found["words"], found["edit"]) == (True, "up to date", None)
    assert f"{BEST}: trial " in tunesmith("status").stdout


def test_an_edit_is_told_kept_and_undone_by_adopt(tunesmith: Run, loose: Path) -> None:
    path = loose / BEST
    written = path.read_text()
    path.write_text(written.replace("max_depth: ", "max_depth: 1"))
    edited = path.read_text()
    words = tunesmith("status").stdout
    assert "edited by hand since trial" in words
    assert "(max_depth: " in words
    done = tunesmith("run", "-q", "--workers", "1")
    assert path.read_text() == edited
    assert f"{BEST} is kept: edited by hand since trial" in done.stderr
    assert "`tunesmith adopt` takes the winner over" in done.stderr
    assert "is kept" in tunesmith("report").stderr
    assert "would have" in tunesmith("adopt", "--dry-run").stdout
    assert path.read_text() == edited
    assert "max_depth: 1" in tunesmith("adopt").stdout
    assert path.read_text() == written


def test_another_trial_is_adopted(tunesmith: Run, loose: Path) -> None:
    number = json.loads(tunesmith("trials", "--json").stdout)["trials"][-1]["trial"]
    found = json.loads(tunesmith("adopt", "--trial", str(number), "--json").stdout)
    assert (found["kind"], found["trial"], found["is_written"]) == ("adopted", number, True)
    assert f"{BEST}: trial {number} was adopted" in tunesmith("status").stdout
    assert f"trial {number} was adopted" in tunesmith("run", "-q", "--workers", "1").stderr


def test_where_the_next_run_puts_the_winner_back_adopt_says_so(
    tunesmith: Run, finished: Path
) -> None:
    number = json.loads(tunesmith("trials", "--json").stdout)["trials"][-1]["trial"]
    assert "puts the winner back" in tunesmith("adopt", "--trial", str(number)).stderr


def test_stale_and_why(tunesmith: Run, loose: Path) -> None:
    path = loose / "tuning.yaml"
    text = path.read_text()
    path.write_text(text.replace("[gini, entropy]", "[gini]"))
    assert standing(tunesmith)["words"] == "stale: `space` changed"
    path.write_text(text)
    assert standing(tunesmith)["is_current"]
    data = loose / "data.csv"
    data.write_text(data.read_text() + data.read_text().splitlines()[-1] + "\n")
    assert "the data changed" in standing(tunesmith)["reasons"]
    data.unlink()
    found = standing(tunesmith)
    assert not found["is_current"]
    assert "not known: the data: data.csv is not here" in found["words"]


def test_a_raised_limit_is_no_end(tunesmith: Run, project: Path) -> None:
    assert tunesmith("run", "-q", "--workers", "1", "--trials", "2").returncode == 0
    assert standing(tunesmith)["words"].startswith("unfinished: `stop` has changed")
    assert tunesmith("run", "-q", "--workers", "1").returncode == 0
    assert standing(tunesmith)["words"] == "up to date"


def test_a_finished_study_has_nothing_to_do_and_no_library_to_import(
    process: Run, preloaded: Run, tunesmith: Run, finished: Path
) -> None:
    """It says the same each time."""
    # The study was run elsewhere; after a look at everything it is known to be finished here.
    assert tunesmith("run", "-q", "--workers", "1").returncode == 0
    first = preloaded("run", "-q", "--workers", "1")
    listed = process("run", "-q", PYTHONPROFILEIMPORTTIME="1")
    again = preloaded("run", "-q")
    assert again.stdout == first.stdout
    assert "0 fits made, 36 scores of earlier fits" in again.stdout
    assert "tunesmith.runs.up_to_date" in listed.stderr
    assert not [
        name for name in ("pandas", "sklearn", "sqlalchemy") if f"{name}\n" in listed.stderr
    ]
    (finished / BEST).unlink()
    assert preloaded("run", "-q", "--json").returncode == 0
    assert (finished / BEST).is_file()


def test_scores_of_the_same_model_are_none_that_were_known_before(
    tunesmith: Run, project: Path
) -> None:
    text = TUNING.replace("{int: [1, 6]}", "[40, 50, 60]").replace("METHOD", "grid")
    make_project(project, text=f"{text}execution: {{executor: serial}}\n")
    done = tunesmith("run")
    # Some depth needs no fit, although the ledger has just been made.
    assert " scores of earlier fits. Ended by" in done.stdout
    assert "known" not in done.stdout


def test_status_says_when_and_why_it_ended(tunesmith: Run, finished: Path) -> None:
    lines = tunesmith("status").stdout.splitlines()
    assert lines[:3] == [
        "  study      small",
        "  state      ended: 12 trials",
        "  trials     12 of 12",
    ]
    assert lines[-1].startswith("  last run   began 20")
    assert ", took " in lines[-1]


def test_status_of_a_study_killed_before_its_first_run_was_noted(
    tunesmith: Run, finished: Path
) -> None:
    with Ledger.open(finished / ".tunesmith/ledger.db") as ledger:
        record = ledger.load("small")
        ledger.begin_study(
            "other",
            "id",
            {},
            context={},
            metrics=record.metrics,
            objectives=record.history.objectives,
            restart=False,
        )
    text = (finished / "tuning.yaml").read_text().replace("study: small", "study: other")
    (finished / "tuning.yaml").write_text(text)
    done = tunesmith("status")
    assert "the last run was cut off; `tunesmith run` continues it" in done.stdout, done.stderr
    assert json.loads(tunesmith("status", "--json").stdout)["last_run"] is None
