"""The reason why a study has no usable result, told at once."""

import re

from tunesmith.analysis.numbers import counted
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.wording.constraints import unmet

MAX_MESSAGE = 300
TEXT = (
    r"could not convert string to float|Unable to convert array of bytes|"
    r"pandas dtypes must be int, float or bool"
)
ADVICE = (
    (
        TEXT,
        "Text must be encoded first: put an encoder and the estimator into one pipeline.",
    ),
    (
        r"contains NaN|contains missing values",
        "Gaps must be filled first: put an imputer and the estimator into one pipeline.",
    ),
)
"""Advice for the errors that beginners see most; in a file, ``preprocess`` helps."""


def without_result(summary: Summary) -> str:
    """Return a sentence with the reason, and what to do; empty if there is a result.

    Args:
        summary: of the study.
    """
    if summary.chosen is not None:
        return ""
    if told := unmet(summary.outcomes, str, str):
        return told
    if not summary.failures:
        n = counted(summary.n_trials, "trial") if summary.n_trials else "no trial"
        end = f"; ended by: {summary.stopped_by}" if summary.stopped_by else ""
        return f"no trial has a usable result: none has a score on every fold ({n}{end})."
    first = summary.failures[0]
    message = " ".join(first.message.split())[:MAX_MESSAGE]
    advice = next((f" {text}" for pattern, text in ADVICE if re.search(pattern, message)), "")
    n = f"{len(first.numbers)} of {summary.n_trials}"
    # Exceptions of your code have names; kinds of our own, such as `exit`, only repeat the message.
    kind = "" if first.kind.islower() else f"{first.kind}: "
    return (
        f"no trial has a usable result. In {n}, {kind}{message.rstrip('.')}.{advice}"
        " `result.report()` has the details."
    )
