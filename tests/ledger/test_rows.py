"""Checksums of many rows at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.ledger.rows import CHECKED, LATER, checksum, checksums

VALUES = st.one_of(
    st.none(),
    st.integers(-(1 << 40), 1 << 40),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(['"], ["', "], [", '", "', '{"a":1}', "\\", "\n", "é𝕏"]),
)


@pytest.mark.parametrize("table", CHECKED)
@given(data=st.data())
def test_they_are_those_of_each_row(table: str, data: st.DataObject) -> None:
    names = [*CHECKED[table], *LATER.get(table, ())]
    row = st.tuples(*[VALUES] * len(names))
    rows: list[tuple[Any, ...]] = data.draw(st.lists(row, max_size=4))
    columns = {name: [own[place] for own in rows] for place, name in enumerate(names)}
    wanted = [checksum(table, dict(zip(names, own, strict=True))) for own in rows]
    assert checksums(table, columns) == wanted


def test_columns_of_later_versions_may_be_missing() -> None:
    columns = {name: [1, 2] for name in CHECKED["evaluation"]}
    wanted = [checksum("evaluation", dict.fromkeys(columns, value)) for value in (1, 2)]
    assert checksums("evaluation", columns) == wanted
