"""``tunesmith logs``."""

from pathlib import Path

import click

from tunesmith.cli.options import config_option, json_option, print_json, shown
from tunesmith.cli.reading import open_record
from tunesmith.cli.streams import say, show
from tunesmith.errors import UsageError


@click.command("logs")
@click.argument("trial", type=click.IntRange(min=0))
@config_option
@click.option("--fold", type=click.IntRange(min=0), help="Only of this fold (or seed).")
@click.option("--err", "only_errors", is_flag=True, help="Only what went to standard error.")
@json_option
def command(
    trial: int, config: Path | None, fold: int | None, *, only_errors: bool, as_json: bool
) -> None:
    """Print what the program of TRIAL, a number, has printed."""
    from tunesmith.ledger.ledger import Ledger
    from tunesmith.objective.program.logs import logs_of, was_run_here
    from tunesmith.reporting.escape import terminal

    definition, record = open_record(config)
    if definition.file.objective.command is None:
        raise UsageError("this study runs no program: estimators leave no logs.")
    with Ledger.open(definition.ledger, create=False) as ledger:
        keys = ledger.fold_keys(record.head.id).get(trial)
    if keys is None:
        n = record.history.n_told
        last = f"the last one that is: {n - 1}" if n else "none is yet"
        raise UsageError(f"trial {trial} is not finished; {last}.")
    wanted = {f: k for f, k in keys.items() if fold in (None, f)}
    if not wanted:
        raise UsageError(f"trial {trial} has no fold {fold}; it has 0 to {max(keys)}.")
    if not was_run_here(definition, wanted):
        raise UsageError(f"trial {trial} has no logs here: it was run elsewhere, or they are gone.")
    logs = logs_of(definition, wanted, only_errors)
    failure = record.history[trial].failure
    if failure is not None:
        say(terminal(f"trial {trial} failed: {failure.kind}: {failure.message}"))
    elif not logs:
        say(f"trial {trial} has printed nothing.")
    if as_json:
        content = [{"fold": log.fold, "path": shown(log.path), "text": log.text} for log in logs]
        print_json("logs", {"study": record.head.name, "trial": trial, "logs": content})
        return
    for log in logs:
        show(click.style(f"==> {shown(log.path)} <==", bold=True))
        show(log.text)
