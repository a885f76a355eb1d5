"""``tunesmith init``."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.scaffold.files import Guess
    from tunesmith.system.files import NewFile

TEMPLATES = ("basic", "demo", "mlops")
NEXT = {"mlops": "git init && dvc init && dvc repro"}


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--template", type=click.Choice(TEMPLATES), default="basic", show_default=True)
@click.option("--data", metavar="FILE", help="Your table, relative to the folder.")
@click.option("--target", metavar="COLUMN", help="The column to predict.  [default: the last]")
@click.option("--groups", metavar="COLUMN", help="Rows with the same value here stay in one fold.")
@click.option(
    "--tight", is_flag=True, help="With mlops: an edit of the best parameters is undone by DVC."
)
@click.option(
    "--ci",
    "git_host",
    type=click.Choice(("github", "gitlab", "none")),
    help="With mlops: whose workflows to write.  [default: github]",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
def command(
    *,
    folder: Path,
    template: str,
    data: str | None,
    target: str | None,
    groups: str | None,
    git_host: str | None,
    tight: bool,
    dry_run: bool,
    force: bool,
) -> None:
    """Write a first tuning.yaml and its JSON Schema into FOLDER, or a whole project.

    Looks at your table to propose an estimator and a metric. Overwrites nothing unless forced.
    """
    from tunesmith.scaffold.files import Guess, guess_from, plan_files
    from tunesmith.system.files import write_files

    # Ignored options would let you believe that your own table is used.
    if template != "basic" and (data or target or groups):
        raise UsageError(
            f"--template {template} brings its own table; leave --data, --target and --groups out."
        )
    if (tight or git_host) and template != "mlops":
        raise UsageError(f"--{'tight' if tight else 'ci'} goes with --template mlops.")
    guess = guess_from(folder, data, target, groups) if template == "basic" else Guess()
    if template == "basic":
        guess = _with_groups(guess)
    planned = plan_files(folder, template, guess, is_tight=tight)
    if template == "mlops" and git_host != "none":
        planned += _workflows(folder, planned, git_host or "github")
    for file in planned:
        show(f"  {file_word(file, force=force):9} {file.path}")
    if template == "basic":
        say(_assumptions(guess, folder, is_given=target is not None))
    if dry_run:
        say("Nothing was written (--dry-run).")
        return
    if not force:
        _refuse_taken(planned)
    write_files(planned)
    there = "" if str(folder) == "." else f"cd {shlex.quote(str(folder))} && "
    say(f"Next: {there}{NEXT.get(template, 'tunesmith check')}")


def _refuse_taken(planned: "Sequence[NewFile]") -> None:
    """Refuse to overwrite.

    Raises:
        UsageError: a file is there with another content.
    """
    taken = [str(file.path) for file in planned if file.exists and not file.is_same]
    if taken:
        raise UsageError(
            f"{', '.join(taken)}: already there; nothing was written.\n"
            "  Look at what would be written with --dry-run, or overwrite with --force."
        )


def _workflows(folder: Path, planned: "Sequence[NewFile]", git_host: str) -> "list[NewFile]":
    """Plan the workflows of a new project: a Git host reads them at a repository's top alone."""
    from tunesmith.pipeline.ci.workflows import foreseen
    from tunesmith.system import git

    # The folder itself may not exist yet.
    existing = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    top = git.answer(existing, "rev-parse", "--show-toplevel")
    if top is not None and Path(top).resolve() != folder.resolve():
        say(
            f"{folder} is inside a repository: `tunesmith ci init {git_host}` there adds workflows."
        )
        return []
    return foreseen(git_host, folder, planned)


def file_word(file: "NewFile", *, force: bool) -> str:
    """Return the fate of a file: create, unchanged, exists or overwrite."""
    if file.is_same:
        return "unchanged"
    if file.exists:
        return "overwrite" if force else "exists"
    return "create"


def _with_groups(guess: "Guess") -> "Guess":
    """Ask about columns that look like groups, if somebody is there to answer."""
    from dataclasses import replace

    from tunesmith.reporting.escape import terminal

    # In a job nobody answers, and a question would wait for ever.
    if guess.groups is not None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return guess
    for name in guess.identifiers.groups:
        question = f"`{terminal(name)}` repeats. Do rows with the same value belong together?"
        if click.confirm(question, default=True, err=True):
            return replace(guess, groups=name)
    return guess


def _assumptions(guess: "Guess", folder: Path, *, is_given: bool) -> str:
    """List the guesses about the table and the folder, so that you see a wrong one at once."""
    from tunesmith.reporting.escape import terminal

    if not (folder / guess.data).exists():
        return f"No single table was found: put yours in place of {guess.data} in tuning.yaml."
    kind = guess.estimator.rpartition(".")[2]
    how = "" if is_given else " (the last column; name another with --target)"
    lines = [f"{guess.data}: predict `{guess.target}`{how} with {kind}, scored by {guess.metric}."]
    if guess.existing.source:
        lines.append(f"Taken from {guess.existing.source}: {_taken(guess)}.")
    lines += guess.notes
    for name in guess.identifiers.groups if guess.groups is None else ():
        lines.append(
            f"`{name}` repeats: if its rows belong together, scores are too good unless they stay"
            f" in one fold. Then write `groups: {name}`, or run this again with --groups."
        )
    for name in guess.identifiers.keys:
        lines.append(f"`{name}` has another value in every row: it is left out (`drop`).")
    # Names of columns come from a file: they may hold terminal escapes.
    return "\n".join(terminal(line) for line in lines)


def _taken(guess: "Guess") -> str:
    existing = guess.existing
    parts = {
        "the estimator": existing.estimator,
        "its parameters": existing.params,
        "the grid": existing.grid_file or existing.grid,
        "the metric": existing.metric == guess.metric,
        "the folds": existing.folds,
        "the kind of search": existing.method,
    }
    return ", ".join(name for name, value in parts.items() if value)
