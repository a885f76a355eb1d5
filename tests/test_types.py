"""Reasons for which a run ended: kinds in memory, texts in the ledger."""

import signal

import pytest

from tunesmith.types import ALL_TRIED, EXHAUSTED, NOT_RECORDED, StopKind, StopReason

STORED = {
    "interrupted by SIGINT": StopKind.INTERRUPTED,
    "interrupted by SIGTERM": StopKind.INTERRUPTED,
    "interrupted by SIGHUP": StopKind.INTERRUPTED,
    "all points of the space were tried": StopKind.ALL_TRIED,
    "no further point of the space was found": StopKind.EXHAUSTED,
    "": StopKind.UNKNOWN,
    "12 trials": StopKind.CRITERION,
    "60 fits": StopKind.CRITERION,
    "90 seconds": StopKind.CRITERION,
    "0.5 seconds": StopKind.CRITERION,
    "accuracy reached the target 0.95": StopKind.CRITERION,
    "no better score in 20 trials": StopKind.CRITERION,
    "the gain of the last 20 trials is below the folds' noise": StopKind.CRITERION,
    "the first 5 trials all failed (ValueError, timeout)": StopKind.CRITERION,
    "12 trials and 90 seconds": StopKind.CRITERION,
}
"""Every text that a version of Tunesmith has stored, and its kind."""
OF_ANOTHER_KIND = [text for text, kind in STORED.items() if kind is not StopKind.CRITERION]


@pytest.mark.parametrize(("text", "kind"), STORED.items())
def test_a_stored_text_is_read_with_its_kind(text: str, kind: StopKind) -> None:
    assert StopReason.read(text) == StopReason(kind, text)


def test_a_run_without_an_end_has_no_reason() -> None:
    assert StopReason.read(None) is None


@pytest.mark.parametrize("reason", [ALL_TRIED, EXHAUSTED, NOT_RECORDED])
def test_a_fixed_reason_comes_back_from_its_text(reason: StopReason) -> None:
    assert StopReason.read(reason.text) == reason


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_reason_of_a_signal_comes_back_from_its_text(signum: int) -> None:
    reason = StopReason.of_signal(signum)
    assert reason.kind is StopKind.INTERRUPTED
    assert StopReason.read(reason.text) == reason


@pytest.mark.parametrize(
    "text", ["interrupted by the budget", "interrupted by SIGINT, late", "8 €"]
)
def test_a_criterion_of_a_package_may_use_similar_words(text: str) -> None:
    reason = StopReason.of_criterion(text)
    assert reason == StopReason(StopKind.CRITERION, text) == StopReason.read(text)


@pytest.mark.parametrize("text", OF_ANOTHER_KIND)
def test_a_criterion_cannot_be_taken_for_another_kind(text: str) -> None:
    reason = StopReason.of_criterion(text)
    assert reason.kind is StopKind.CRITERION
    assert reason == StopReason.read(reason.text)
    assert text in reason.text
