"""A short part of ``make null-test``: what is claimed where there is nothing to gain."""

from typing import Any

import pytest
from tests.search.null import LEARNERS, Claim, claim, claim_in_memory, claims, interval, table

POOR: dict[str, dict[str, Any]] = {
    # A tiny search of four trials, and one of thirty.
    "neighbours": {"n_neighbors": 1, "p": 2, "weights": "uniform"},
    "tree": {"max_depth": 1, "min_samples_leaf": 1, "criterion": "gini"},
}


def test_no_improvement_is_claimed_on_shuffled_targets() -> None:
    found = list(claims(3))
    assert [one.learner for one in found] == list(LEARNERS)
    assert {"adopt"}.isdisjoint(verdict for one in found for verdict in (one.gate, one.plain))


def test_no_improvement_is_claimed_in_memory() -> None:
    found = list(claims(3, claim=claim_in_memory))
    assert {"adopt"}.isdisjoint(one.gate for one in found)


@pytest.mark.parametrize("name", POOR)
def test_an_improvement_is_claimed_on_the_targets_themselves(name: str) -> None:
    found = claim(name, 2, is_shuffled=False, current=POOR[name])
    # The folds of the search alone do not find it.
    assert (found.plain, found.gate) == ("indistinguishable", "adopt")


def test_the_table_counts_claims() -> None:
    found = [Claim("tree", seed, gate="keep", plain="adopt") for seed in range(4)]
    assert list(table(found))[-1] == (
        "| **all** | 4 | 0: 0.0% (0.0% to 60.2%) | 4: 100.0% (39.8% to 100.0%) |"
    )
    assert interval(2, 200)[1] > 0.02
