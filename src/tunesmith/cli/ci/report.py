"""``tunesmith ci report``."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.ci.warning import warn
from tunesmith.cli.common.options import config_option, find_config
from tunesmith.cli.common.streams import show
from tunesmith.errors import TunesmithError, UsageError

if TYPE_CHECKING:
    from tunesmith.pipeline.ci.text import Link, Subject
    from tunesmith.pipeline.git_host.host import GitHost

MIN_ROOM = 1000
"""Bytes of a summary, below which nothing is added."""
NOT_LOOKED_UP = "The pull request could not be looked up, so its target may be another branch"


@click.command("report")
@config_option
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Markdown in place of the study's report; may be repeated.",
)
@click.option("--base", metavar="REV", help="What metrics are compared with.  [the target branch]")
@click.option("--number", type=click.IntRange(min=1), help="Of the pull request to comment on.")
@click.option(
    "--id",
    "name",
    metavar="ID",
    help="Tells comments of one study apart, as those of a matrix of jobs.",
)
@click.option("--link", "links", multiple=True, metavar="NAME=URL", help="Add a link.")
@click.option("--dry-run", is_flag=True, help="Print the comment, and send nothing.")
def command(
    *,
    config: Path | None,
    files: tuple[Path, ...],
    base: str | None,
    number: int | None,
    name: str | None,
    links: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Show the report to reviewers: in the job's summary, and in one comment.

    The comment stands on the open pull request of this branch, if there is one, and is rewritten
    each time. If something cannot be shown, you get a warning; the job never fails for it.
    """
    from tunesmith.pipeline.ci.sticky import check_id
    from tunesmith.pipeline.ci.text import comment, parse_links
    from tunesmith.pipeline.git_host.host import git_host_here

    # A mistake in the command itself is an error; only what fails later is a warning.
    given = parse_links(links)
    if name is not None:
        check_id(name)
    git_host = git_host_here()
    try:
        subject, pull = _subject(
            config,
            files=files,
            base=base,
            number=number,
            links=given,
            git_host=git_host,
            asks=not dry_run,
        )
        if dry_run or git_host is None:
            show(comment(subject), nl=False)
            return
        for line in _report(subject, git_host, pull or number, name):
            show(line)
    except Exception as error:  # noqa: BLE001 - a report that fails must not fail the study
        _warn(git_host, error)


def _subject(
    config: Path | None,
    *,
    files: tuple[Path, ...],
    base: str | None,
    number: int | None,
    links: "tuple[Link, ...]",
    git_host: "GitHost | None",
    asks: bool,
) -> "tuple[Subject, int | None]":
    """Return the subject of the report, and the number of its pull request, if known by now."""
    from tunesmith.cli.experiment import config_names
    from tunesmith.config.load import load_definition
    from tunesmith.pipeline.branches.prefixes import prefixes_of
    from tunesmith.pipeline.ci.base import base_of, pull_request_of
    from tunesmith.pipeline.ci.checkout import Checkout
    from tunesmith.pipeline.ci.text import Link, Subject

    definition = load_definition(find_config(config))
    checkout = Checkout.in_ci(definition.root, git_host)
    branch = checkout.branch_here(git_host)
    # Looked up once: it is both the place of the comment and the base of the comparison.
    pull, problem = pull_request_of(git_host, branch, number) if asks else (None, "")
    prefixes = prefixes_of(checkout, config_names(checkout, config))
    compared = base_of(checkout, git_host, base, pull, prefixes)
    if problem:
        compared = replace(compared, note=f"{compared.note} {NOT_LOOKED_UP} ({problem}).".strip())
    run = None if git_host is None else git_host.job.run_url
    links = (*((Link("CI run", run),) if run else ()), *links)
    number = None if pull is None else pull.number
    return Subject(
        definition=definition,
        checkout=checkout,
        branch=branch,
        base=compared,
        files=files,
        links=links,
        prefixes=prefixes,
    ), number


def _report(
    subject: "Subject", git_host: "GitHost", number: int | None, name: str | None
) -> Iterator[str]:
    """Write both texts; a failure of one does not stop the other."""
    from tunesmith.pipeline.ci.sticky import put_comment
    from tunesmith.pipeline.ci.text import comment

    if git_host.job.summary is not None:
        yield from _summary(subject, git_host, git_host.job.summary)
    branch = subject.branch
    number = number or git_host.job.number
    if number is None and branch is not None:
        pull = git_host.pull_request(branch)
        number = None if pull is None else pull.number
    if number is None:
        yield f"{branch or 'A tag'} has no open pull request, so there is nowhere to comment."
        return
    study = subject.definition.file.study
    _, done = put_comment(git_host, number, study, comment(subject), name=name)
    yield f"The comment on pull request {number} is {done}."


def _summary(subject: "Subject", git_host: "GitHost", path: Path) -> Iterator[str]:
    from tunesmith.pipeline.ci.text import step_summary
    from tunesmith.reporting.markdown import MAX_BYTES

    try:
        # GitHub shows nothing of a summary that is too long, and other commands write into it, too.
        room = MAX_BYTES - (path.stat().st_size if path.is_file() else 0)
        if room < MIN_ROOM:
            raise UsageError("the job's summary is full")
        with path.open("a", encoding="utf-8") as file:
            file.write(step_summary(subject, room))
    except (OSError, TunesmithError) as error:
        _warn(git_host, error)
    else:
        yield "The report is in the job's summary."


def _warn(git_host: "GitHost | None", error: Exception) -> None:
    kind = "" if isinstance(error, TunesmithError | OSError) else f"{type(error).__name__}: "
    warn(git_host, f"the report is not shown everywhere: {kind}{error}")
