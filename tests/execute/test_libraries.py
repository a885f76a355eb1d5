from pathlib import Path

import pytest

from tunesmith.execute.libraries import libraries


def test_modules_of_a_project_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "of_a_project.py").write_text("raise RuntimeError('imported')\n")
    (tmp_path / "without_init").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert libraries(["of_a_project", "without_init.module", "sklearn.svm"]) == ["sklearn.svm"]


def test_odd_names_are_none() -> None:
    assert libraries(["", "__main__", "sys", "tunesmith.space"]) == ["sys", "tunesmith.space"]
