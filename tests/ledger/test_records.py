from dataclasses import replace
from typing import Any

from tunesmith.testing.records import make_record


def with_definitions(*definitions: dict[str, Any]) -> Any:
    record = make_record([{"n": 1}])
    runs = [replace(record.runs[0], provenance={"definition": d}) for d in definitions]
    return replace(record, runs=tuple(runs))


def test_the_definition_is_that_of_the_last_run() -> None:
    assert with_definitions({"of": "first"}, {"of": "last"}).definition == {"of": "last"}


def test_a_series_that_never_ran_has_the_definition_of_its_begin() -> None:
    record = with_definitions()
    assert record.definition == record.head.definition
