from tunesmith.importers.python.conditions import Route, are_disjoint, united


def test_narrowing() -> None:
    branch = Route().narrowed("n", (1, 2), (1, 2, 3))
    assert branch is not None
    assert branch.narrowed("n", (2, 3), (1, 2, 3)) == Route({"n": (2,)})
    assert branch.narrowed("n", (3,), (1, 2, 3)) is None
    assert Route().narrowed("n", (1, 2), (1, 2)) == Route()
    # As JSON tells them apart.
    assert Route().narrowed("n", (True,), (1, 2)) is None


def test_unions() -> None:
    assert united([{"a": (1,)}, {"a": (1,), "b": (2,)}]) == {"a": (1,)}
    assert united([{"a": (1,), "b": (1,)}, {"a": (1,), "b": (2,)}]) == {"a": (1,), "b": (1, 2)}
    assert united([{"a": (1,), "b": (1,)}, {"a": (2,), "b": (2,)}]) is None


def test_apart() -> None:
    assert are_disjoint({"a": (1,)}, {"a": (2,), "b": (1,)})
    assert not are_disjoint({"a": (1,)}, {"b": (1,)})
