"""The rule of the fallback is chosen on one half of the data sets and told on the other."""

from typing import Any

import numpy as np
from benchmarks.ensembles import rules
from tests.benchmarks.test_ensembles import result


def study(name: str, gains: list[float], truth: float) -> dict[str, Any]:
    """Return a study with these corrected gains, and this gain on test rows."""
    one = result(name, 0)
    one["truth"] |= {"default": 0.7, "ensemble": 0.7 + truth}
    one["worth"]["by_fold"] = {"ensemble": [0.5 + g for g in gains], "default": [0.5] * 5}
    return one


def test_rules_look_at_the_gains_by_fold() -> None:
    gains = np.array([0.01, 0.01, 0.01, 0.01, -0.01])
    assert rules.above(0.0, gains)
    assert not rules.above(0.01, gains)
    assert rules.at_least(4, gains)
    assert not rules.at_least(5, gains)
    # The mean is 0.006, its standard error 0.004.
    assert rules.exceeds(1.49, gains)
    assert not rules.exceeds(1.51, gains)


def test_a_study_that_falls_back_is_never_worse() -> None:
    studies = [study("a", [0.1] * 5, -0.02), study("b", [-0.1] * 5, -0.04)]
    used = rules.outcome(studies, rules.RULES["mean > 0"])
    assert (used.n_worse, used.n) == (1, 2)
    assert np.isclose(used.gain, -0.01)
    assert used.share == 0.5


def test_the_choice_is_among_rules_that_are_seldom_worse() -> None:
    sure = [study(f"s{i}", [0.01, 0.011, 0.012, 0.01, 0.011], 0.02) for i in range(20)]
    doubtful = [study(f"d{i}", [0.1, -0.05, -0.02, 0.05, -0.06], -0.01) for i in range(6)]
    name = rules.chosen_rule([*sure, *doubtful])
    assert name != "mean > 0"
    assert rules.outcome([*sure, *doubtful], rules.RULES[name]).n_worse == 0
    assert rules.chosen_rule(sure) == "mean > 0"


def test_the_halves_share_no_data_set() -> None:
    studies = [study(name, [0.01] * 5, 0.01) for name in "abcdef" for _ in range(2)]
    first, second = ({one["name"] for one in half} for half in rules.halves(studies))
    assert len(first) == len(second) == 3
    assert not first & second
    text = "\n".join(rules.section(studies))
    assert "| **mean > 0** | 0 of 6 (0%) | +0.0100 | 0 of 6 (0%) | +0.0100 | 100% |" in text
