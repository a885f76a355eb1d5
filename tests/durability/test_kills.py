"""A few kills; `make kills` does many."""

import random
from pathlib import Path

import pytest
from tests.durability import kills

pytestmark = pytest.mark.slow


def test_no_finished_fold_is_evaluated_again(tmp_path: Path) -> None:
    kills.make(tmp_path, 0.001)
    kills.disturb(tmp_path, 3, 60, random.Random(7))
    found = kills.count(tmp_path, 3)
    assert found.redone == []
    assert found.n_in_flight <= 3 * 2
    assert found.n_finished > 10
