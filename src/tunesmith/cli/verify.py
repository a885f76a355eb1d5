"""``tunesmith verify``."""

import secrets
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.common.options import (
    config_option,
    find_config,
    json_option,
    pointing_into,
    print_json,
)
from tunesmith.cli.common.streams import show
from tunesmith.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tunesmith.pipeline.verify.verify import Refit, Verification

MARKS = {"failure": "", "unseen": "", "note": "note: "}


@click.command("verify")
@config_option
@click.option(
    "--refit", type=click.IntRange(min=1), metavar="N", help="Evaluate N recorded folds again."
)
@click.option(
    "--unshared",
    is_flag=True,
    help="Give each of these a fit of its own, those of shared fits first.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Which ones.  [default: by chance]")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=0.0,
    help="How far scores may lie apart, relatively.  [default: not at all]",
)
@click.option(
    "--allow-missing-data",
    is_flag=True,
    help="Data that is not here, as in a job without access to it, is noted and no reason to fail.",
)
@json_option
def command(
    config: Path | None,
    refit: int | None,
    seed: int | None,
    tolerance: float,
    *,
    unshared: bool,
    allow_missing_data: bool,
    as_json: bool,
) -> None:
    """Check that parameters, report, history, ledger and dvc.lock agree; exit with 3 if not.

    Every file is compared with the content that would be written now; a file that cannot be
    compared counts as not verified. Nothing is written. None of your code is run unless you give
    --refit, which repeats some fits and compares their scores with the recorded ones.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.pipeline.verify.verify import Refit, verify

    path = find_config(config)
    definition = load_definition(path)
    if seed is None:
        # Not by a fixed seed: whoever edits a record could tell which folds will be looked at.
        seed = secrets.randbelow(1 << 32)
    if unshared and refit is None:
        raise UsageError("--unshared: say how many folds, with --refit N.")
    again = None if refit is None else Refit(refit, seed, tolerance, unshared)
    with pointing_into(path):
        verification = verify(definition, again, needs_data=not allow_missing_data)
    if as_json:
        print_json("verification", _content(verification, again))
    else:
        show(_text(verification, again))
    # A study that has left nothing yet cannot disagree: CI may check it from the start.
    is_fine = verification.is_verified or verification.is_nothing or _is_noted(verification)
    sys.exit(int(ExitCode.OK if is_fine else ExitCode.VERIFICATION))


def _is_noted(verification: "Verification") -> bool:
    """Tell whether there is nothing to verify against, and nothing that would need it."""
    return verification.source is None and all(
        item.level == "note" for item in verification.findings
    )


def _content(verification: "Verification", again: "Refit | None") -> dict[str, Any]:
    content: dict[str, Any] = {
        "is_verified": verification.is_verified,
        "source": verification.source,
        "n_trials": verification.n_trials,
        "checked": list(verification.checked),
        "reading": dict(verification.reading),
        "findings": [asdict(finding) for finding in verification.findings],
    }
    return (
        content
        if again is None
        else {**content, "refit": {**asdict(again), "n": verification.n_refit}}
    )


def _text(verification: "Verification", again: "Refit | None") -> str:
    from tunesmith.analysis.numbers import counted
    from tunesmith.reporting.escape import terminal
    from tunesmith.reporting.reading import NOT_COUNTED, read_words

    # The names of the levels put failures first.
    ordered = sorted(verification.findings, key=lambda finding: finding.level)
    lines = [terminal(f"{MARKS[finding.level]}{finding.words}") for finding in ordered]
    n = sum(finding.level == "failure" for finding in verification.findings)
    if again is not None:
        n_refit = counted(verification.n_refit, "fold")
        how = "each by a fit of its own" if again.is_unshared else "by the project's code"
        lines.append(f"{n_refit} evaluated again, {how} (--seed {again.seed})")
    n_unseen = sum(finding.level == "unseen" for finding in verification.findings)
    if n or n_unseen:
        parts = [counted(n, "disagreement")] if n else []
        parts += [f"{counted(n_unseen, 'thing')} could not be looked at"] if n_unseen else []
        return "\n".join([*lines, f"not verified: {', '.join(parts)}"])
    if verification.source is None:
        return "\n".join([*lines, "nothing to verify: the study has left nothing yet"])
    listed = ", ".join(verification.checked) or "the study"
    lines.append(f"verified: {listed} agree with the {verification.source}")
    if verification.reading:
        lines.append(f"results depend on {terminal(read_words(verification.reading))}")
        lines.append(f"  as they were; {NOT_COUNTED}")
    return "\n".join(lines)
