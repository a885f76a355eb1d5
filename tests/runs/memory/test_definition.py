from typing import Any

import pytest

from tunesmith.errors import ConfigError
from tunesmith.runs.memory.definition import define_in_memory
from tunesmith.space import Float, SearchSpace

SPACE = SearchSpace.of({"x": Float(0, 1)})


def file_of(**sections: Any) -> Any:
    given = {"study": "s", "objective": {"metric": "score"}, "stop": 3} | sections
    return define_in_memory(given, SPACE).file


def test_single_values_stand_for_sections() -> None:
    file = file_of(search="random", stop="10m", execution=2)
    assert (file.search.method, file.stop.time, file.execution.workers) == ("random", 600, 2)


def test_a_section_of_none_is_left_out() -> None:
    assert file_of(gate=None, selection=None).selection.rule == "best"


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"stop": {"patience": 3}}, "`patience` may never end this search"),
        ({"search": "gird"}, "unknown method `gird`"),
        ({"execution": {"executor": "ray"}}, "unknown executor `ray`"),
        ({"search": {"seed": -1}}, "search.seed"),
        ({"ledger": ":memory:"}, "a database in memory, which keeps nothing"),
        ({"search": {"start_with": {"x": 3}}}, "lies outside the space"),
    ],
)
def test_rules_hold_in_memory_too(sections: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        file_of(**sections)
