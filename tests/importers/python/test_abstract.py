import operator

from tunesmith.importers.python.abstract import (
    ChosenValue,
    Drawn,
    KnownValue,
    Listed,
    Struct,
    Unknown,
    computed,
    dependent,
    joined,
    known,
)

FLAG = ChosenValue("flag", ((True, True), (False, False)))


def test_operations_follow_a_table() -> None:
    assert computed(operator.not_, FLAG) == ChosenValue("flag", ((True, False), (False, True)))
    assert computed(operator.add, KnownValue(1), KnownValue(2)) == KnownValue(3)
    assert computed(operator.add, KnownValue(1), KnownValue("a")) == Unknown()
    other = ChosenValue("n", ((1, 1), (2, 2)))
    assert computed(operator.add, FLAG, other) == Drawn(frozenset({"flag", "n"}))


def test_structures_of_constants_are_constants() -> None:
    assert known(Struct({"a": Listed([KnownValue(1)])})) == (True, {"a": [1]})
    assert known(Listed([Unknown()])) == (False, None)
    assert dependent(Unknown()) == Unknown()


def test_both_sides_of_a_branch() -> None:
    names = joined(FLAG, {"x": KnownValue(1)}, {"x": KnownValue(2)})
    assert names["x"] == ChosenValue("flag", ((True, 1), (False, 2)))
    assert joined(None, {"x": KnownValue(1)}, {})["x"] == Unknown()
