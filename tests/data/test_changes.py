"""A table that changes or goes away while a study runs is told."""

from pathlib import Path

import pytest

from tunesmith import load_definition, tune
from tunesmith.data.changes import FileWatch
from tunesmith.testing.projects import make_project


def test_files_that_stay_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    watch = FileWatch.of(tmp_path, ["a.csv", "missing.csv"])
    assert watch.changes() == []
    (tmp_path / "a.csv").write_text("xy")
    (tmp_path / "missing.csv").write_text("")
    assert [text.split(" while")[0] for text in watch.changes()] == [
        "a.csv was written to",
        "missing.csv was written to",
    ]


@pytest.mark.parametrize(("is_deleted", "word"), [(True, "deleted"), (False, "written to")])
def test_a_run_says_it(tmp_path: Path, is_deleted: bool, word: str) -> None:
    definition = load_definition(make_project(tmp_path, trials=3))
    data, said = tmp_path / "data.csv", list[str]()

    def interfere(*_progress: object) -> None:
        if is_deleted:
            data.unlink(missing_ok=True)
        else:
            data.write_text(data.read_text() + "1,1,1,1,1\n")

    result = tune(definition, observer=interfere, say=said.append)
    assert result.exit_code == 0
    assert any(f"data.csv was {word} while the study ran" in text for text in said)
