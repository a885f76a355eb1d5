"""Numbers of rows over blocks, and their text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.row_blocks import N_BLOCKS, blocks_of, from_text, in_text


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200),
    st.integers(0, 2**32 - 1),
)
def test_a_text_holds_the_sums_of_its_blocks(values: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.permutation(1000)[: len(values)]
    blocks = blocks_of(rows, 1000)
    text = in_text(np.array(values), blocks)
    found = from_text(text)
    assert found is not None
    assert len(text) <= 190
    expected = np.bincount(blocks, weights=values, minlength=N_BLOCKS)
    is_there = np.isin(np.arange(N_BLOCKS), blocks)
    assert (np.isnan(found) == ~is_there).all()
    assert np.abs(found - expected)[is_there].max() <= np.abs(expected).max() / 60_000 + 1e-300


@pytest.mark.parametrize("n_rows", [1, 63, 64, 65, 1000, 10**7])
def test_each_row_has_a_block_and_neighbours_share_it(n_rows: int) -> None:
    blocks = blocks_of(np.unique(np.linspace(0, n_rows - 1, 2000).astype(int)), n_rows)
    assert (np.diff(blocks) >= 0).all()
    assert blocks[0] == 0
    assert blocks[-1] == min(n_rows, N_BLOCKS) - 1


@pytest.mark.parametrize("text", ["", "0", "no text", "\u00e4", "0" * 400, "00000" * 5, "~" * 20])
def test_texts_of_another_kind_tell_nothing(text: str) -> None:
    assert from_text(text) is None


def test_a_shortened_text_tells_nothing() -> None:
    text = in_text(np.arange(60.0), np.arange(60))
    assert from_text(text[:-5]) is None
    assert from_text(text + "00000") is None
