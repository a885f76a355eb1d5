from typing import Any

import pytest

from tunesmith.errors import UsageError
from tunesmith.objective.objects import Objects
from tunesmith.runs.memory.request import DEFAULT_TRIALS, MemoryRequest
from tunesmith.space import Float, SearchSpace

SPACE = SearchSpace.of({"x": Float(0, 1)})


def file_of(**options: Any) -> Any:
    request = MemoryRequest(space={"x": Float(0, 1)}, **options)
    objective = {"metric": "score"}
    return request.define(SPACE, Objects(), objective, name="f", ledger="x.db").file


def test_a_search_that_has_no_end_ends_after_the_default() -> None:
    assert file_of().stop.trials == DEFAULT_TRIALS
    assert file_of(stop={"time": "1m"}).stop.trials is None


@pytest.mark.parametrize(
    ("gate", "least"), [(True, 0.0), (0.01, 0.01), ({"min_improvement": 0.5}, 0.5)]
)
def test_a_gate_may_be_short(gate: Any, least: float) -> None:
    assert file_of(gate=gate).gate.min_improvement == least


def test_no_gate_is_none() -> None:
    assert file_of(gate=False).gate is None


def test_what_is_no_search_is_refused() -> None:
    with pytest.raises(UsageError, match="3 is no search"):
        file_of(search=3)


def test_the_seed_and_the_starting_points_belong_to_the_search() -> None:
    search = file_of(seed=7, start_with={"x": 0.5}).search
    assert (search.seed, search.start_with) == (7, ({"x": 0.5},))
