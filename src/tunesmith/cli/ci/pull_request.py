"""``tunesmith ci pull-request``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.ci.warning import warn
from tunesmith.cli.common.options import config_option, find_config, json_option, print_json
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError

WAYS = (
    "Its checks do not start by themselves: start them on its page or by `tunesmith ci dispatch"
    " WORKFLOW --ref BRANCH`, or give this step the token of a person or an app."
)

if TYPE_CHECKING:
    from tunesmith.parameters.best_file import BestFile
    from tunesmith.pipeline.ci.pull_request import PullRequestResult
    from tunesmith.pipeline.git_host.host import GitHost


@click.command("pull-request")
@config_option
@click.option("--target", metavar="BRANCH", help="What it goes into.  [the default branch]")
@click.option("--title", help="By default the trial that the parameters come from.")
@click.option("--body", default="", help="Markdown.")
@click.option(
    "--branch", metavar="BRANCH", help="That is meant, although the job runs for another one."
)
@click.option(
    "--dispatch",
    "workflow",
    metavar="WORKFLOW",
    help="Start it on the branch if the checks of the pull request do not start by themselves.",
)
@click.option("--dry-run", is_flag=True, help="Print title and body, and open nothing.")
@json_option
def command(
    *,
    config: Path | None,
    target: str | None,
    title: str | None,
    body: str,
    branch: str | None,
    workflow: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Open a pull request from the branch that CI runs on, unless there is an open one.

    If the Git host forbids it, the address at which you can open it is printed, with a warning.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.parameters.best_file import BestFile
    from tunesmith.pipeline.ci.base import default_branch
    from tunesmith.pipeline.ci.checkout import Checkout
    from tunesmith.pipeline.ci.pull_request import ensure_pull_request
    from tunesmith.pipeline.git_host.host import git_host_needed

    definition, git_host = load_definition(find_config(config)), git_host_needed()
    checkout = Checkout.in_ci(definition.root, git_host)
    into = target or default_branch(checkout, git_host, definition.file.branches)
    if into is None:
        raise UsageError("which branch is the default one? Name it: `--target BRANCH`.")
    source = branch or git_host.job.branch
    # On the target itself the message below says more than that of a wrong checkout.
    source = source if source == into else checkout.place(git_host, branch).branch
    if source == into:
        raise UsageError(f"`{into}` is where pull requests go into; run this on another branch.")
    title, body = _words(BestFile.of(definition), source, into, title, body)
    if dry_run:
        show(f"{source} -> {into}: {title}\n\n{body}".rstrip())
        return
    done = ensure_pull_request(git_host, source, into, title, body)
    _show(done, git_host, as_json=as_json)
    if done.number is not None and not done.checks_start:
        _have_checked(done, git_host, source, workflow)


def _words(
    best: "BestFile", source: str, into: str, title: str | None, body: str
) -> tuple[str, str]:
    from tunesmith.pipeline.ci.pull_request import title_of
    from tunesmith.pipeline.parameters import parse

    text = best.content
    parameters = None if text is None else parse(text, str(best.path), best.shape)
    about = (
        f"From `{source}`, for `{into}`. A comment below holds the report; it is kept up to date."
    )
    return title or title_of(parameters, source), body or about


def _show(done: "PullRequestResult", git_host: "GitHost", *, as_json: bool) -> None:
    if done.reason:
        warn(git_host, f"no pull request could be opened ({done.reason}): open it by hand")
    if as_json:
        content = {"url": done.url, "number": done.number, "is_new": done.is_new}
        print_json("pull_request", content)
    else:
        show(done.url)


def _have_checked(
    done: "PullRequestResult", git_host: "GitHost", source: str, workflow: str | None
) -> None:
    """Start the checks, or say who can: the Git host does not for what a job's own token does."""
    if workflow is not None:
        try:
            git_host.dispatch(workflow, source, {})
        except UsageError as error:
            problem = str(error).splitlines()[0]
            warn(git_host, f"{workflow} could not be started on {source} ({problem}). {WAYS}")
        else:
            say(f"{workflow} is started on {source}: the job's own token starts no checks.")
    # For an older one this was said when it was opened.
    elif done.is_new:
        warn(git_host, f"{done.url} was opened with the job's own token. {WAYS}")
