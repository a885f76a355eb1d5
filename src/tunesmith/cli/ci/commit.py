"""``tunesmith ci commit``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.options import config_option, find_config, json_option, print_json
from tunesmith.cli.common.streams import say, show

if TYPE_CHECKING:
    from tunesmith.pipeline.ci.checkout import NewCommit


@click.command("commit")
@click.argument("files", nargs=-1)
@config_option
@click.option("-m", "--message", required=True, help="Of the commit.")
@click.option("--push", is_flag=True, help="Push it, on top of what others have pushed meanwhile.")
@click.option("--remote", default="origin", show_default=True, help="Where to.")
@click.option(
    "--branch",
    metavar="BRANCH",
    help="That is meant, although the job runs for another one, or it is the default branch.",
)
@click.option("--dry-run", is_flag=True, help="Only list the files that would be looked at.")
@json_option
def command(
    files: tuple[str, ...],
    config: Path | None,
    message: str,
    remote: str,
    branch: str | None,
    *,
    push: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Commit the study's results, and nothing else, to the branch that CI runs on.

    Results are the outputs that the configuration names, dvc.lock, the metrics, and the outs that
    dvc.yaml leaves to Git; you can add FILES. If none has changed, nothing is committed. The branch
    is the one that is checked out; the job has to agree, and it must not be the default branch.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.pipeline.ci.checkout import Checkout
    from tunesmith.pipeline.ci.files import result_files, within
    from tunesmith.pipeline.git_host.host import git_host_here

    definition, git_host = load_definition(find_config(config)), git_host_here()
    checkout = Checkout.in_ci(definition.root, git_host)
    paths = within(
        checkout.root, definition.root, result_files(definition.root, definition.file.outputs)
    )
    # FILES are relative to the folder in which they were typed, results to the project.
    paths += within(checkout.root, Path(), files)
    if dry_run:
        results = [path for path in paths if (checkout.root / path).is_file()]
        show("\n".join(results or ["There are no results yet."]))
        return
    done = (
        checkout.commit_and_push(paths, message, git_host, remote, branch=branch)
        if push
        else checkout.commit(paths, message, git_host, branch=branch)
    )
    if done.note:
        say(done.note)
    if as_json:
        content = {"branch": done.branch, "commit": done.commit, "files": list(done.files)}
        print_json("committed", content)
    else:
        _show(done, "pushed" if push else "committed")


def _show(done: "NewCommit", verb: str) -> None:
    if done.commit is None:
        show(f"{done.branch}: nothing has changed, so nothing was committed.")
    else:
        head = f"{done.branch}: {verb} {done.commit[:12]}"
        show("\n".join([head, *(f"  {path}" for path in done.files)]))
