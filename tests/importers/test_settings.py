from pathlib import Path

import pytest

from tunesmith.importers.refusal import Refused
from tunesmith.importers.settings import sections
from tunesmith.importers.source import Source

TEXT = """\
values: [yes, no, "yes", 1e-3, 1.0e-3, 1_000, on, maybe]
bound: "1e-4"
word: few
"""


def test_values_are_those_of_yaml_1_1() -> None:
    (section,) = sections(Source(Path("a.yaml"), TEXT))
    values, notes = section["values"].plain()
    assert values == [True, False, "yes", 0.001, 0.001, 1000, True, "maybe"]
    assert sum("truth value" in note for note in notes) == 3
    assert sum("`1e-3` is text" in note for note in notes) == 1


def test_json_has_no_such_words() -> None:
    (section,) = sections(Source(Path("a.json"), '{"values": ["yes", 1e-3]}'))
    assert section["values"].plain() == (["yes", 0.001], [])


def test_numbers() -> None:
    (section,) = sections(Source(Path("a.yaml"), TEXT))
    assert section.number("bound") == 0.0001
    for key in ("word", "none"):
        with pytest.raises(Refused, match="must be a number"):
            section.number(key)
    with pytest.raises(Refused, match="expected names"):
        list(section["word"].items())
