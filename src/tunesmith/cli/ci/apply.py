"""``tunesmith ci apply``."""

from pathlib import Path

import click

from tunesmith.cli.ci.dispatch import start
from tunesmith.cli.common.options import config_option
from tunesmith.cli.common.streams import show


@click.command("apply")
@config_option
@click.option("--dispatch", "workflow", metavar="WORKFLOW", help="Then start it on training/NAME.")
@click.option(
    "--branch", metavar="BRANCH", help="That is meant, although the job runs for another one."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def command(
    config: Path | None, workflow: str | None, branch: str | None, *, dry_run: bool
) -> None:
    """Do `tunesmith experiment apply NAME --push origin` for the tuning/NAME that CI runs on.

    On GitHub a push with a job's own token starts no workflow; --dispatch starts it.
    """
    from tunesmith.cli.experiment import config_names, told
    from tunesmith.pipeline.branches.apply import apply
    from tunesmith.pipeline.branches.prefixes import prefixes_of
    from tunesmith.pipeline.ci.checkout import Checkout
    from tunesmith.pipeline.git_host.host import git_host_needed

    git_host = git_host_needed()
    checkout = Checkout.in_ci(Path(), git_host)
    names = config_names(checkout, config)
    prefixes = prefixes_of(checkout, names)
    tuning = checkout.tuning_branch(git_host, branch, prefixes)
    name = tuning.removeprefix(prefixes.tuning)
    if dry_run:
        show(f"{prefixes.training}{name} would get the parameters of {tuning}.")
        return
    # Never with `force`: in a job nobody is there to judge what stands against it.
    done = apply(checkout, name, names, remote="origin")
    show(told(done))
    if workflow is not None:
        start(git_host, workflow, done.branch)
