"""The migration pages show what the command writes."""

import re
from pathlib import Path

import pytest

from tunesmith.importers.convert import convert, find
from tunesmith.importers.source import Source
from tunesmith.importers.writing import text_of

PAGES = sorted((Path(__file__).parents[2] / "docs/migrate").glob("*.md"))
BLOCK = re.compile(r"```(?:python|yaml)\n(.*?)```", re.DOTALL)
NAME = re.compile(r"You have `([\w.]+)`")


def test_every_tool_has_a_page() -> None:
    assert len(PAGES) == 9


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_both_files_belong_together(page: Path) -> None:
    text = page.read_text()
    name = NAME.search(text)
    assert name is not None
    theirs, ours = BLOCK.findall(text)
    source = Source(Path(name[1]), theirs)
    (setup,) = find(source)
    assert text_of(convert(source, setup)) == ours
