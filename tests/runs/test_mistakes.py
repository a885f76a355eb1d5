from pathlib import Path

import pytest

from tunesmith.runs.mistakes import further_mistakes

CONFIG = """\
study: s
objective:
  estimator: sklearn.svm.SVC
  data: DATA
  cv: 3
  metric: accuracy
space: SPACE
stop: {trials: 3, tirals: 4}
"""


def written(folder: Path, data: str, space: str) -> Path:
    (folder / "data.csv").write_text("x,y\n1,0\n2,1\n3,0\n4,1\n")
    path = folder / "tuning.yaml"
    path.write_text(CONFIG.replace("DATA", data).replace("SPACE", space))
    return path


def test_mistakes_of_table_and_estimator_are_told_together(tmp_path: Path) -> None:
    path = written(tmp_path, "{path: data.csv, target: z}", "{Q: [1, 2]}")
    table, estimator = further_mistakes(path)
    assert "tuning.yaml:4:" in table
    assert "z" in table
    assert "Q" in estimator


@pytest.mark.parametrize(
    ("data", "space"),
    [("{path: '', target: y}", "{C: [1]}"), ("{path: [], target: y}", "{C: [1]}"), ("[]", "[]")],
)
def test_sections_that_cannot_be_understood_are_passed_over(
    tmp_path: Path, data: str, space: str
) -> None:
    assert len(further_mistakes(written(tmp_path, data, space))) <= 1


def test_a_part_that_fails_hides_no_first_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr("tunesmith.runs.mistakes.load_table", broken)
    assert further_mistakes(written(tmp_path, "{path: data.csv, target: y}", "{C: [1]}")) == []
