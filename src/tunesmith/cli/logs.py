"""``tunesmith logs``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.options import config_option, json_option, print_json, shown
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.config.model import Definition
    from tunesmith.history import Trial
    from tunesmith.ledger.records import StudyRecord


@dataclass(frozen=True)
class FoldText:
    """The text that is shown for one fold."""

    fold: int
    path: str | None
    """File of the text; ``None`` if it is from the ledger."""
    text: str

    @property
    def title(self) -> str:
        """Its file, or the fold that it is of."""
        return self.path or f"fold {self.fold}, as the ledger keeps it"


@click.command("logs")
@click.argument("trial", type=click.IntRange(min=0))
@config_option
@click.option("--fold", type=click.IntRange(min=0), help="Only of this fold (or seed).")
@click.option("--err", "only_errors", is_flag=True, help="Only what went to standard error.")
@json_option
def command(
    trial: int, config: Path | None, fold: int | None, *, only_errors: bool, as_json: bool
) -> None:
    """Print the output of the program of TRIAL, a number.

    For an estimator, print the tracebacks of the fits that failed.
    """
    from tunesmith.reporting.escape import terminal

    definition, record = open_record(config)
    completed = _completed(record, trial, fold)
    kept = _kept(completed, fold)
    is_program = definition.file.objective.is_program
    logs = None
    if is_program:
        logs = logs_of(definition, record, completed, fold, only_errors=only_errors)
    if not logs and not kept:
        _say_nothing(completed, is_there=logs is not None, is_program=is_program)
    # The ledger keeps only the end of what was printed.
    texts = logs or kept
    if completed.failure is not None:
        failure = completed.failure
        say(terminal(f"trial {trial} failed: {failure.kind}: {failure.message}"))
    if as_json:
        content = [{"fold": log.fold, "path": log.path, "text": log.text} for log in texts]
        print_json("logs", {"study": record.head.name, "trial": trial, "logs": content})
        return
    for log in texts:
        show(click.style(f"==> {log.title} <==", bold=True))
        # The text is a program's: escape sequences in it would act on the terminal.
        show(terminal(log.text))


def _completed(record: "StudyRecord", number: int, fold: int | None) -> "Trial":
    n = record.history.n_completed
    if number >= n:
        last = f"the last one that is: {n - 1}" if n else "none is yet"
        raise UsageError(f"trial {number} is not finished; {last}.")
    trial = record.history[number]
    folds = [result.fold for result in trial.folds]
    if fold is not None and fold not in folds:
        raise UsageError(f"trial {number} has no fold {fold}; it has 0 to {max(folds)}.")
    return trial


def _kept(trial: "Trial", fold: int | None) -> list[FoldText]:
    """Texts of failures in the ledger: a traceback, or the last lines of output."""
    return [
        FoldText(result.fold, None, result.failure.traceback)
        for result in trial.folds
        if result.failure and result.failure.traceback and fold in (None, result.fold)
    ]


def logs_of(
    definition: "Definition",
    record: "StudyRecord",
    trial: "Trial",
    fold: int | None,
    *,
    only_errors: bool,
) -> list[FoldText] | None:
    """Return the logs of a program's runs; ``None`` if they are not here."""
    from tunesmith.ledger.ledger import Ledger
    from tunesmith.objective.program.trial_logs import TrialLogs, runs_folder

    location = definition.ledger
    if isinstance(location, Path) and not location.is_file():
        return None
    with Ledger.open(location, create=False) as ledger:
        # Logs lie under the keys of evaluations, and a history in Git holds no keys.
        keys = ledger.fold_keys(record.head.id).get(trial.number, {})
    wanted = {f: key for f, key in keys.items() if fold in (None, f)}
    logs = TrialLogs(runs_folder(definition.root, definition.file), wanted)
    if not logs.exist:
        return None
    own = definition.file.objective.environment.set
    return [
        FoldText(log.fold, shown(log.path), log.text)
        for log in logs.read(own, only_errors=only_errors)
    ]


def _say_nothing(trial: "Trial", *, is_there: bool, is_program: bool) -> None:
    """Refuse with the reason for which there is nothing to show.

    Raises:
        UsageError: there are no logs, rather than empty ones.
    """
    number = trial.number
    if is_program and not is_there:
        raise UsageError(
            f"trial {number} has no logs here: it was run elsewhere, or they are gone."
        )
    if trial.failure is None:
        nothing = "printed nothing" if is_program else "not failed: estimators leave no logs"
        say(f"trial {number} has {nothing}.")
