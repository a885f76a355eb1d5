import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith.execute import shared_data
from tunesmith.execute.cluster.sent import describe, differences, listed, surroundings


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A function of a module of a project, which imports another one."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "sent_model.py").write_text(
        "import sent_helper\n\ndef work(item):\n    return item\n"
    )
    (project / "sent_helper.py").write_text("FACTOR = 2\n")
    monkeypatch.syspath_prepend(str(project))
    import sent_model  # type: ignore[import-not-found]

    modules = shared_data.dump(sent_model.work, tmp_path / "function")
    described = describe(tmp_path / "function", modules)
    for name in ("sent_model", "sent_helper"):
        monkeypatch.delitem(sys.modules, name)
    return described


def test_the_same_machine_is_the_same(sent: dict[str, Any]) -> None:
    assert differences(sent) == []
    assert sorted(name for name, _, _ in sent["files"]) == ["sent_helper.py", "sent_model.py"]


def test_a_file_that_is_imported_indirectly_counts(sent: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "project/sent_helper.py").write_text("FACTOR = 3\n")
    assert differences(sent) == ["sent_helper.py is not as in the run"]
    (tmp_path / "project/sent_helper.py").unlink()
    assert differences(sent) == ["sent_helper.py, which the run imports, is not here"]


def test_files_may_lie_elsewhere(
    sent: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").rename(tmp_path / "elsewhere")
    assert len(differences(sent)) == 2
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    assert differences(sent) == []


def test_versions_are_told_with_both_sides(sent: dict[str, Any]) -> None:
    sent["versions"]["numpy"] = "0.1"
    sent["versions"]["no-such-package"] = "3"
    first, second = differences(sent)
    assert first == "no-such-package 3 in the run, missing here"
    assert second.startswith("numpy 0.1 in the run, ")


def test_the_environment_is_that_of_the_machine(sent: dict[str, Any], tmp_path: Path) -> None:
    import json

    content = json.loads(surroundings(sent, {"A": "1"}))
    assert content["environ"] == {"A": "1"}
    assert content["places"][0] == str(tmp_path / "project")
    sent["cwd"] = str(tmp_path / "not here")
    assert json.loads(surroundings(sent, {}))["cwd"] is None


def test_many_differences_are_cut() -> None:
    assert listed([str(n) for n in range(8)]) == "0; 1; 2; 3; 4; and 3 more"
