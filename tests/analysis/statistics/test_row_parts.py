"""Parts of the rows in means of folds, from the texts of a ledger."""

import numpy as np

from tunesmith.analysis.statistics.row_parts import in_mean, in_means
from tunesmith.data.row_blocks import in_text


def text(value: float, *blocks: int) -> str:
    return in_text(np.full(len(blocks), value), np.array(blocks))


def test_the_parts_in_a_mean_are_the_mean_of_those_in_its_folds() -> None:
    found = in_mean([text(1.0, 0, 1), text(3.0, 1, 2)])
    assert found is not None
    assert found[:3].round(3).tolist() == [0.5, 2.0, 1.5]
    assert np.isnan(found[3:]).all()


def test_a_fold_without_parts_leaves_the_mean_without() -> None:
    assert in_mean([text(1.0, 0), ""]) is None
    assert in_mean([text(1.0, 0), "damaged"]) is None
    assert in_mean([]) is None


def test_trials_without_parts_are_told_apart() -> None:
    found = in_means([[text(1.0, 0, 5)], [""]])
    assert found.shape == (2, 2)
    assert np.isnan(found[1]).all()
    assert in_means([[""], [""]]).shape == (2, 0)
    assert in_means([]).size == 0
