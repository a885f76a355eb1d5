"""``tunesmith dvc``."""

import sys
from pathlib import Path

import click

from tunesmith.cli.common.options import config_option, find_config
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError
from tunesmith.system.redact import printable


@click.group("dvc")
def command() -> None:
    """Add tuning and training as stages of a DVC pipeline.

    You need no DVC for this: its files are read and edited.
    """


@command.command("init")
@config_option
@click.option("--loose", "coupling", flag_value="loose", help="Best parameters belong to people.")
@click.option("--tight", "coupling", flag_value="tight", help="Best parameters belong to tuning.")
@click.option("--training", metavar="CMD", help="The command that trains.  [default: guessed]")
@click.option("--stage", default="tuning", show_default=True, help="Name of the tuning stage.")
@click.option("--training-stage", default="training", show_default=True, help="Its name.")
@click.option("--force", is_flag=True, help="Replace stages that do something else.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def init(
    config: Path | None,
    coupling: str | None,
    training: str | None,
    stage: str,
    training_stage: str,
    *,
    force: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Add the stages, plots and metrics of the study to dvc.yaml; shows the diff first.

    You choose who owns the best parameters. User-owned (--loose): a hand edit trains again and
    never tunes again. Managed (--tight): the next `dvc repro` reverts it. A second call with the
    other option changes its own entries only.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.pipeline.attributes import hint
    from tunesmith.pipeline.dvc.agreement import repro
    from tunesmith.pipeline.dvc.init import plan_init
    from tunesmith.pipeline.dvc.pipeline_file import Request
    from tunesmith.pipeline.dvc.stages import Coupling

    path = find_config(config)
    definition = load_definition(path)
    mode = None if coupling is None else Coupling(coupling)
    request = Request(mode, stage, training_stage, training, force)
    plan = plan_init(definition, request)
    root = definition.root.resolve()
    show(printable("".join(change.diff(root) for change in plan.changes)), nl=False)
    for note in plan.notes:
        say(printable(note))
    if not plan.changes:
        say("Nothing to do: the pipeline has all that the study needs.")
        return
    if dry_run:
        say("Nothing was written (--dry-run).")
        return
    _ask(is_answered=yes)
    plan.write()
    if text := hint(root):
        say(text)
    say(f"Next: `{repro(plan.folder, [])}`, then `git add` what it names.")


def _ask(*, is_answered: bool) -> None:
    if is_answered:
        return
    # In a job nobody answers, and the question would be waited on until the job is ended.
    if not sys.stdin.isatty():
        raise UsageError("nothing was written: there is nobody to ask; write it with --yes.")
    # Asked on standard error: standard output holds the diff.
    if not click.confirm("Write this?", default=True, err=True):
        raise click.Abort
