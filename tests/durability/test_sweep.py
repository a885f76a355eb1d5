"""A few faults, drawn by chance from a seed; `make faults` goes through all."""

import random

import pytest
from tests.durability import applied, sweep

pytestmark = pytest.mark.slow


def test_after_a_fault_all_is_as_if_nothing_had_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20)
    monkeypatch.setattr(sweep, "SCENES", sweep.SCENES[:2])
    n_tried, wrong = sweep.sweep(lambda found: chance.sample(found, 5))
    assert wrong == []
    assert sum(n_tried.values()) == 5


def test_an_apply_is_made_on_both_sides_or_on_none() -> None:
    chance = random.Random(21)
    n_tried, wrong = applied.sweep(
        lambda found: [
            chance.choice([fault for fault in found if fault.kind == kind])
            for kind in ("kill", "fail")
        ]
    )
    assert wrong == []
    assert sum(n_tried.values()) == 2
