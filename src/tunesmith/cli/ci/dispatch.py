"""``tunesmith ci dispatch``."""

from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.streams import show
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.pipeline.git_host.host import GitHost


@click.command("dispatch")
@click.argument("workflow")
@click.option("--ref", "branch", required=True, metavar="BRANCH", help="Where it runs.")
@click.option("--input", "inputs", multiple=True, metavar="NAME=VALUE", help="For the workflow.")
@click.option("--dry-run", is_flag=True, help="Only say what would be started.")
def command(workflow: str, branch: str, inputs: tuple[str, ...], *, dry_run: bool) -> None:
    """Start WORKFLOW (training.yml) on a branch, as pushes with a job's own token start none.

    It needs the trigger `workflow_dispatch` and, on GitHub, a copy on the default branch.
    """
    from tunesmith.pipeline.git_host.host import git_host_needed

    # At the first `=` alone, because values may hold others.
    pairs = [text.partition("=") for text in inputs]
    wrong = [name for name, mark, _ in pairs if not (name and mark)]
    if wrong:
        raise UsageError(f"--input: expected NAME=VALUE, found {', '.join(map(repr, wrong))}.")
    git_host, given = git_host_needed(), {name: value for name, _, value in pairs}
    words = f"{workflow} on {branch}" + (f" with {given}" if given else "")
    if dry_run:
        show(f"{words} would be started.")
        return
    git_host.dispatch(workflow, branch, given)
    show(f"{words} is started.")


def start(git_host: "GitHost", workflow: str, branch: str) -> None:
    """Start a workflow after something else was done, which is not undone if this fails.

    Raises:
        UsageError: it could not be started; with the command that does it later.
    """
    try:
        git_host.dispatch(workflow, branch, {})
    except UsageError as error:
        raise UsageError(
            f"{branch} is pushed, but {workflow} could not be started: {error}\n"
            f"  Start it by hand: `tunesmith ci dispatch {workflow} --ref {branch}`."
        ) from None
    show(f"{workflow} is started on {branch}.")
