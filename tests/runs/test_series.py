"""Series of trials that a run opens, and what it says of those that it leaves."""

from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyHead
from tunesmith.objective.crossval import build_objective
from tunesmith.runs.series import SeriesOpening
from tunesmith.runs.study_run import Run
from tunesmith.testing.projects import make_project


class Opener:
    """Opens series of a project in a ledger of its own."""

    def __init__(self, config: Path) -> None:
        self.config, self.said = config, list[str]()

    def open(self, *, restart: bool = False) -> StudyHead:
        """Open the series of the project as it is now."""
        self.said.clear()
        definition = load_definition(self.config)
        run = Run(definition=definition, say=self.said.append, restart=restart)
        with Ledger.open(definition.ledger) as ledger:
            return SeriesOpening(run, build_objective(definition), ledger).open()

    def change(self, old: str, new: str) -> None:
        """Replace some text of the configuration."""
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    return Opener(make_project(tmp_path, method="bayesian"))


def test_the_first_series_begins_silently_although_the_defaults_are_outside(opener: Opener) -> None:
    head = opener.open()
    assert head.is_new
    assert (head.definition["start"], head.definition["incumbent"]) == ([], None)
    assert opener.said == []


def test_the_same_study_continues_its_series_whatever_its_end(opener: Opener) -> None:
    first = opener.open()
    opener.change("trials: 12", "trials: 40")
    again = opener.open()
    assert (again.id, again.is_new, opener.said) == (first.id, False, [])


def test_another_search_begins_a_new_series_and_says_so(opener: Opener) -> None:
    first = opener.open()
    opener.change("criterion: [gini, entropy]", "criterion: [gini]")
    second = opener.open()
    assert (second.is_new, second.generation) == (True, first.generation + 1)
    assert opener.said == [
        "`space` changed: a new series of trials begins, known evaluations are reused"
    ]


def test_a_restart_begins_a_new_series_and_says_nothing(opener: Opener) -> None:
    first = opener.open()
    second = opener.open(restart=True)
    assert (second.id != first.id, opener.said) == (True, [])


def test_a_starting_point_outside_of_the_space_is_told_once(opener: Opener, tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/best_parameters.yaml").write_text("max_depth: 99\ncriterion: gini\n")
    head = opener.open()
    assert head.definition["incumbent"] == {"criterion": "gini", "max_depth": 99}
    assert len(opener.said) == 1
    assert "the current best parameters are" in opener.said[0]
    opener.open()
    assert opener.said == []
