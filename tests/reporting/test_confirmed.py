from dataclasses import replace
from math import inf, nan

from tunesmith.analysis.confirmation import Confirmed
from tunesmith.reporting.confirmed import effort_text, gain_text

CONFIRMED = Confirmed(
    verdict="adopt",
    reason="more than chance",
    gain=0.0312,
    error=0.0101,
    low=0.0021,
    high=0.0603,
    n_repeats=2,
    n_most=4,
    n_scores=20,
)


def test_a_gain_has_its_limits() -> None:
    assert gain_text(CONFIRMED) == ": 0.031 ± 0.010, 96 % interval 0.002 to 0.060"


def test_a_failed_fit_has_no_gain() -> None:
    assert gain_text(replace(CONFIRMED, gain=nan, error=nan, low=-inf, high=inf)) == ""


def test_the_effort_names_what_was_saved() -> None:
    assert effort_text(CONFIRMED) == (
        "For that, both were scored on 2 further repeats of the folds (20 scores; up to 4 repeats"
        " were allowed)."
    )
    assert "4 further repeats of the folds (20 scores)" in effort_text(
        replace(CONFIRMED, n_repeats=4)
    )
