from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tunesmith.config.program import ParamsFileSection
from tunesmith.objective.program.passing.overridden import overridden
from tunesmith.objective.program.passing.params_file import Template
from tunesmith.objective.program.passing.sources import program_of


def said(root: Path, script: str) -> list[str]:
    (root / "train.py").write_text(script)
    (root / "settings.py").write_text("LR = 1\n")
    section = ParamsFileSection(path="settings.py", names={"lr": "LR"})
    ports = cast("Any", SimpleNamespace(params_file=Template.of(section, root)))
    return [*overridden(program_of(root, ["python", "train.py"]), ports, ("lr", "depth"))]


def test_the_line_that_sets_it_is_named(tmp_path: Path) -> None:
    (text,) = said(tmp_path, "import settings as s\n\ndel s.LR\n")
    assert text.startswith("train.py:3 sets `LR` of settings.py, too: the value of `lr`")


def test_what_cannot_be_parsed_or_only_reads_is_passed_over(tmp_path: Path) -> None:
    assert said(tmp_path, "import settings as s\ns.LR = = 1\n") == []
    assert said(tmp_path, "import settings as s\ns.OTHER = x = s.LR\n") == []
