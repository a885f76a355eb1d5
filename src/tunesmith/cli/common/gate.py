"""The verdict of the gate, for scripts: JSON and the exit code."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tunesmith.errors import ExitCode

if TYPE_CHECKING:
    from tunesmith.analysis.summary import Summary

OPTION = "Exit with 4 unless the verdict on the winner is to adopt it."


def gate_content(summary: "Summary") -> dict[str, Any] | None:
    """Return the verdict and its reasons, or ``None`` without a complete trial."""
    from tunesmith.reporting.json import finite

    if summary.gate is None:
        return None
    current = next((c for c in summary.comparisons if c.name == "current"), None)
    numbers: dict[str, Any] = {}
    # The numbers that the verdict rests on.
    decisive = summary.confirmed or current
    if decisive is not None:
        numbers = {"gain": decisive.gain, "low": decisive.low, "high": decisive.high}
    content: dict[str, Any] = finite({**asdict(summary.gate), **numbers})
    return content


def gate_code(summary: "Summary") -> ExitCode:
    """Return 1 without a complete trial, 4 unless the verdict is to adopt, else 0."""
    if summary.gate is None:
        return ExitCode.NO_RESULT
    return ExitCode.OK if summary.gate.is_open else ExitCode.GATE
