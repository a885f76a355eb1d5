from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyHead
from tunesmith.objective.crossval import CrossValObjective, build_objective
from tunesmith.runs.causes import RENEWED, blamed, read_files_changed, what_changed
from tunesmith.testing.projects import make_project


@pytest.fixture(scope="module")
def objective(tmp_path_factory: pytest.TempPathFactory) -> CrossValObjective:
    return build_objective(load_definition(make_project(tmp_path_factory.mktemp("project"))))


def head(context: Mapping[str, str], reading: Mapping[str, str] | None = None) -> StudyHead:
    return StudyHead(
        id=1,
        name="s",
        generation=1,
        identity="identity",
        context=context,
        definition={},
        reading=reading or {},
    )


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((), ""),
        (("data",), "the data changed"),
        (("versions",), "library versions changed"),
        (("objective", "code", "data"),
         "the data changed, the project's code changed, the objective changed"),
    ],
)  # fmt: skip
def test_every_dependency_that_has_changed_is_blamed(
    objective: CrossValObjective, parts: tuple[str, ...], words: str
) -> None:
    before = head({**objective.context, **dict.fromkeys(parts, "another digest")})
    assert blamed(before, objective) == words
    told = what_changed(before, RecordedStudy.of({"file": {"search": {"seed": 1}}}), objective)
    if words:
        assert told.startswith(f"{words}: a new series of trials begins; earlier results are kept")
    else:
        assert told.startswith("the search changed")
        # The definition is the same, and only the trials that are proposed for it are others.
        assert what_changed(before, before.recorded, objective) == RENEWED


@dataclass
class Reader:
    """An objective whose programs have read files."""

    names: list[str]

    def changed(self, reading: Mapping[str, str] | None) -> list[str]:
        return [name for name in self.names if name in (reading or {})]


def test_of_many_files_that_programs_have_read_one_is_named() -> None:
    before = head({}, {"a.py": "1", "b.py": "2", "c.py": "3"})
    assert read_files_changed(before, Reader([])) == []
    assert read_files_changed(before, Reader(["b.py"])) == ["b.py changed"]
    assert read_files_changed(before, Reader(["b.py", "c.py"])) == ["b.py and 1 more changed"]
    assert read_files_changed(replace(before, reading={}), Reader(["b.py"])) == []


def test_objectives_without_readings_change_no_file(
    objective: CrossValObjective, tmp_path: Path
) -> None:
    assert read_files_changed(head({}, {str(tmp_path): "1"}), objective) == []
