import ast

import pytest

from tunesmith.importers.refusal import Refusals, Refused, RefusedAll


def test_several_refusals_are_one() -> None:
    refusals = Refusals()
    refusals.items += [Refused("no", (1, 1)), Refused("no", (2, 1))]
    with pytest.raises(RefusedAll) as caught:
        refusals.done()
    outer = Refusals()
    _collect(outer, caught.value)
    assert [item.place for item in outer.items] == [(1, 1), (2, 1)]


def _collect(refusals: Refusals, refused: Refused) -> None:
    with refusals.collecting():
        raise refused


def test_the_place_of_a_node() -> None:
    assert Refused("no", ast.parse("x = 1").body[0]).place == (1, 1)
