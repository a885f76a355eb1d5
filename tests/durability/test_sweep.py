"""A few faults, drawn by chance from a seed; `make faults` goes through all."""

import random

import pytest
from tests.durability import sweep

pytestmark = pytest.mark.slow


def test_after_a_fault_all_is_as_if_nothing_had_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20)
    monkeypatch.setattr(sweep, "SCENES", sweep.SCENES[:2])
    n_tried, wrong = sweep.sweep(lambda found: chance.sample(found, 5))
    assert wrong == []
    assert sum(n_tried.values()) == 5
