"""Simulated histories keep all invariants, and broken rules are found."""

import pytest
from tests.runs.pull.simulation.history import simulate

N_HISTORIES = 240


def test_nothing_is_lost_doubled_or_made_again_without_need() -> None:
    verdicts = {seed: simulate(seed) for seed in range(N_HISTORIES)}
    wrong = {seed: verdict.wrongs for seed, verdict in verdicts.items() if verdict.wrongs}
    assert wrong == {}
    # The faults were there, and did something.
    assert sum(verdict.n_faults for verdict in verdicts.values()) > 20 * N_HISTORIES
    assert sum(verdict.n_redone for verdict in verdicts.values()) > N_HISTORIES / 4


FOUND = {
    "client clock": 11,
    "epoch not checked": 0,
    "no new epoch": 3,
    "not adopted": 2,
    "removed before recorded": 0,
    "seat not compared": 18,
    "taken twice": 0,
}
"""Rules that are not kept, and a seed that shows it."""


@pytest.mark.parametrize("flaw", FOUND)
def test_a_rule_that_is_not_kept_is_found(flaw: str) -> None:
    seed = FOUND[flaw]
    assert not simulate(seed).wrongs
    assert simulate(seed, frozenset([flaw])).wrongs


def test_a_seed_fixes_the_history() -> None:
    assert simulate(5) == simulate(5)
