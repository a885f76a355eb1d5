"""The comparison of models from the same fits: one study, and the table of some."""

from typing import Any

import numpy as np
from benchmarks.ensembles import study as under_test
from benchmarks.ensembles.table import table
from sklearn.metrics import roc_auc_score


def test_ranks_give_the_area_under_the_curve() -> None:
    rng = np.random.default_rng(0)
    y, values = rng.integers(0, 2, 50), rng.integers(0, 9, 50) / 9
    assert np.isclose(under_test.auc(y, values), roc_auc_score(y, values))


def result(name: str, seed: int) -> dict[str, Any]:
    truth = dict.fromkeys(
        ("best", "one_se", "average", "ensemble", "fallback", "default_average"), 0.8
    )
    costs = dict.fromkeys(("best", "average", "ensemble"), 1.0)
    return {
        "name": name,
        "learner": "forest",
        "seed": seed,
        "truth": {**truth, "default": 0.75, "oracle": 0.85, "ensemble": 0.79},
        "worth": {"chosen": 0.9, "corrected": 0.8},
        "cpu": {"search": 10.0, "refit": 1.0, "ensemble": 0.5, "worth": 1.0},
        "bytes": costs,
        "ms": costs,
        "n_members": 3,
    }


def test_the_table_says_who_gains_and_loses() -> None:
    text = table([result(name, seed) for name in "abc" for seed in (0, 1)])
    assert "| best trial, refitted | +0.0500 (+0.0500 to +0.0500) | 50% (50% to 50%) |" in text
    assert "0 of 3" in text
    assert "- a: -0.0100" in text


def test_flaml_is_in_the_table_if_all_studies_were_compared() -> None:
    plain, compared = result("a", 0), result("b", 0)
    compared["truth"] |= {"flaml": 0.7, "flaml_any": 0.81}
    compared["cpu"] |= {"flaml": 11.0, "flaml_any": 12.0}
    assert "FLAML" not in table([plain, compared])
    text = table([compared])
    assert "| FLAML, the same learner, as many CPU seconds | -0.0500" in text
    assert "took (10.5 on average; FLAML 11.0 and 12.0)" in text
