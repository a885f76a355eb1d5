from pathlib import Path

import pytest

from tunesmith.errors import UsageError
from tunesmith.runs.project_code import blaming_the_project, leads_into
from tunesmith.system.importing import load


def test_what_leads_into_a_project(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "mod.py").write_text("")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/model.py").write_text("")
    inside = ("pkg.a:b", "pkg.A", "mod.A", "model:build")
    assert all(leads_into(tmp_path, path) for path in inside)
    assert not any(leads_into(tmp_path, path) for path in ("sklearn.svm.SVC", "nothing.A"))


def test_an_error_of_the_project_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong_at_home.py").write_text("def make():\n    return {}['depth']\n")
    monkeypatch.syspath_prepend(tmp_path)
    make = load("objective.factory", "wrong_at_home:make")
    told = r"KeyError: 'depth'[^$]*wrong_at_home\.py"
    with pytest.raises(UsageError, match=told), blaming_the_project(tmp_path):
        make()


def test_an_error_of_another_origin_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError), blaming_the_project(tmp_path):
        raise KeyError("depth")
