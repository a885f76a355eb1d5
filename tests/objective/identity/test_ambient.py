"""Settings of libraries that functions read besides their arguments."""

import decimal
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
import sklearn

from tunesmith import tune
from tunesmith.objective.identity.ambient import changed_settings


def third(params: dict[str, Any]) -> float:
    """Return a score that depends on decimal's context."""
    return float(params["x"] + float(decimal.Decimal(1) / decimal.Decimal(3)))


SETTINGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "decimal.prec": lambda: decimal.localcontext(prec=2),
    "numpy.err.divide": lambda: np.errstate(divide="raise"),
    "numpy.print.precision": lambda: np.printoptions(precision=2),
    "sklearn.transform_output": lambda: sklearn.config_context(transform_output="pandas"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_set_away_from_the_default_is_named(name: str) -> None:
    with SETTINGS[name]():
        assert name in dict(changed_settings())
    assert name not in dict(changed_settings())


def test_how_objects_are_shown_and_flags_do_not_count() -> None:
    before = changed_settings()
    with sklearn.config_context(display="text"):
        third({"x": 0})  # sets the flag of inexact results
        assert changed_settings() == before


def test_scores_under_another_setting_are_not_reused(tmp_path: Any) -> None:
    def best() -> float | None:
        found = tune(
            third,
            space={"x": [0, 1]},
            search="grid",
            metric={"name": "loss", "direction": "minimize"},
            ledger=tmp_path / "scores.db",
            study="thirds",
            progress=False,
        )
        return found.best_score

    usual = best()
    with decimal.localcontext(prec=1):
        assert best() == 0.3 != usual
    assert best() == usual
