"""``tunesmith ci apply``."""

import os
from pathlib import Path

import click

from tunesmith.cli.options import config_option
from tunesmith.cli.streams import show
from tunesmith.errors import UsageError


@click.command("apply")
@config_option
@click.option("--dispatch", "workflow", metavar="WORKFLOW", help="Then start it on training/NAME.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def command(config: Path | None, workflow: str | None, *, dry_run: bool) -> None:
    """Do `tunesmith experiment apply NAME --push origin` for the tuning/NAME that CI runs on.

    What a job's own token pushes starts no workflow on GitHub: --dispatch starts it.
    """
    from tunesmith.cli.experiment import apply
    from tunesmith.pipeline.ci.checkout import Checkout
    from tunesmith.pipeline.experiment import TRAINING, TUNING
    from tunesmith.pipeline.forge.forge import forge_needed

    forge = forge_needed()
    checkout = Checkout.in_ci(Path(), forge)
    branch = checkout.current_branch(forge)
    name = branch.removeprefix(TUNING)
    if name == branch:
        raise UsageError(f"`{branch}` is no tuning branch: they are called {TUNING}NAME.")
    if dry_run:
        show(f"{TRAINING}{name} would get the parameters of {branch}.")
        return
    checkout.follow(f"{TRAINING}{name}")
    # For Git alone, and only in this process and those that it starts.
    os.environ.update(checkout.environment)
    named = [] if config is None else ["-c", str(config)]
    apply.main([name, "--push", "origin", *named], standalone_mode=False)
    if workflow is not None:
        forge.dispatch(workflow, f"{TRAINING}{name}", {})
        show(f"{workflow} is started on {TRAINING}{name}.")
