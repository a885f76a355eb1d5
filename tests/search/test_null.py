"""A short part of ``make null-test``: what is claimed where there is nothing to gain."""

from tests.search.null import LEARNERS, Claim, claim, claim_in_memory, claims, interval, table


def test_no_improvement_is_claimed_on_shuffled_targets() -> None:
    found = list(claims(3))
    assert [one.learner for one in found] == list(LEARNERS)
    assert {"adopt"}.isdisjoint(verdict for one in found for verdict in (one.gate, one.plain))


def test_no_improvement_is_claimed_in_memory() -> None:
    found = list(claims(3, claim=claim_in_memory))
    assert {"adopt"}.isdisjoint(one.gate for one in found)


def test_an_improvement_is_claimed_on_the_targets_themselves() -> None:
    poor = {"n_neighbors": 1, "p": 2, "weights": "uniform"}
    found = claim("neighbours", 0, is_shuffled=False, current=poor)
    assert found.gate == "adopt"


def test_the_table_counts_claims() -> None:
    found = [Claim("tree", seed, gate="keep", plain="adopt") for seed in range(4)]
    assert list(table(found))[-1] == (
        "| **all** | 4 | 0: 0.0% (0.0% to 60.2%) | 4: 100.0% (39.8% to 100.0%) |"
    )
    assert interval(2, 200)[1] > 0.02
