"""The table of accidents names tests that are there."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
TABLE = TESTS.parent / "docs/accidents.md"
ROWS = {"A": 15, "B": 11, "C": 24, "D": 20, "E": 18, "F": 12, "G": 13, "H": 14}


def test_every_accident_has_a_row() -> None:
    found = re.findall(r"^\| ([A-H])(\d+) \|", TABLE.read_text(), re.MULTILINE)
    assert found == [(letter, str(n + 1)) for letter, last in ROWS.items() for n in range(last)]
    assert len(found) == 127


def test_every_row_names_a_test_or_says_why_there_is_none() -> None:
    for row in re.findall(r"^\| [A-H]\d+ \|.*$", TABLE.read_text(), re.MULTILINE):
        *_, outcome, test, _ = (cell.strip() for cell in row.split(" |"))
        assert test or outcome.startswith("–"), row


def test_every_test_is_there() -> None:
    for name in re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", TABLE.read_text()):
        file, test = name
        assert not test or f"def {test}(" in (TESTS / file).read_text(), name
