import pytest

from tunesmith.importers.ranges import number, real, table, whole, with_conditions
from tunesmith.importers.refusal import Refused

HERE = (1, 1)


def test_a_range_of_one_value_is_a_choice() -> None:
    assert real(2, 2, HERE) == [2.0]
    assert whole(2, 2.0, HERE) == [2]


@pytest.mark.parametrize("bounds", [(2, 1), (True, 2), ("1", 2), (None, 2)])
def test_bounds_that_are_none(bounds: tuple[object, object]) -> None:
    for make in (real, whole):
        with pytest.raises(Refused):
            make(*bounds, HERE)


def test_log_and_steps_exclude_each_other() -> None:
    with pytest.raises(Refused, match="a log scale with steps"):
        real(1, 2, HERE, log=True, step=0.1)
    with pytest.raises(Refused, match="at least 1"):
        whole(0, 2, HERE, log=True)
    with pytest.raises(Refused, match="whole numbers"):
        whole(1, 2.5, HERE)


def test_tables_of_few_values() -> None:
    assert table(["a", None]) == (("a", "a"), (None, None))
    assert table({"int": [1, 5], "step": 2}) == ((1, 1), (3, 3), (5, 5))
    assert table({"int": [1, 5000]}) is None
    assert table({"float": [0, 1]}) is None


def test_conditions_are_added() -> None:
    assert with_conditions([1], {}) == [1]
    assert with_conditions([1], {"a": 2}) == {"values": [1], "when": {"a": 2}}
    assert number(3, HERE) == 3
