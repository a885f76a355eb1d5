"""``tunesmith run``."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.common.gate import OPTION, gate_code, gate_content
from tunesmith.cli.common.kept import say_kept
from tunesmith.cli.common.options import (
    config_option,
    find_config,
    force_option,
    json_option,
    pointing_into,
    print_json,
    shown,
)
from tunesmith.cli.common.streams import say, show
from tunesmith.config.names import CONFIG_NAMES
from tunesmith.errors import UsageError
from tunesmith.system import quick_imports
from tunesmith.system.quick_imports import importing
from tunesmith.system.threads import one_thread

if TYPE_CHECKING:
    from tunesmith.config.model import Definition
    from tunesmith.runs.result import Result


@click.command("run")
@config_option
@click.option("--workers", type=click.IntRange(min=1), help="Fits at a time.  [default: cores]")
@click.option(
    "--executor", metavar="NAME", help="serial, processes, dask, or an installed executor's name."
)
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    envvar="TUNESMITH_TRIALS",
    help="End after so many trials.",
)
@click.option("--time", "time_limit", metavar="TIME", help="End after 90s, 30m, 1h30m.")
@click.option(
    # A variable, too: it has to pass through `dvc repro`, and a command line is part of its stage.
    "--time-budget",
    metavar="TIME",
    envvar="TUNESMITH_TIME_BUDGET",
    help="Interrupt the run then, to be continued by the next one (exit code 143).",
)
@click.option("--seed", type=click.IntRange(min=0), help="Another seed, another series of trials.")
@click.option(
    "--restart", is_flag=True, envvar="TUNESMITH_RESTART", help="Evaluate everything anew."
)
@click.option("--gate", is_flag=True, help=OPTION + " Implies the section `gate`.")
@click.option(
    "--base",
    metavar="REV",
    help="Weigh against the best parameters of this Git revision; implies the section `gate`.",
)
@force_option
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@json_option
def command(
    *,
    config: Path | None,
    workers: int | None,
    executor: str | None,
    trials: int | None,
    time_limit: str | None,
    time_budget: str | None,
    seed: int | None,
    base: str | None,
    force: tuple[str, ...],
    restart: bool,
    gate: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the study until a stopping criterion is met.

    Scores in the ledger are not evaluated again, so running an interrupted or finished study
    continues it. Options change this run only, not your file. Options that DVC and CI need are
    environment variables, too: TUNESMITH_TRIALS, TUNESMITH_RESTART, TUNESMITH_TIME_BUDGET.
    """
    # Without other threads this process can fork; NumPy would start some.
    with importing(), one_thread():
        from tunesmith.config.load import load_definition

    given = {"trials": trials, "time": time_limit, "seed": seed, "workers": workers}
    limit, path = _limited(time_budget), find_config(config)
    # Options go in before the rules are checked, so that these hold for them, too.
    definition = load_definition(path, overrides={**given, "executor": executor})
    # Any of these asks for more than to find that nothing has changed.
    is_plain = not (restart or gate or base or force)
    asked = _Asked(definition, path, as_json=as_json, is_plain=is_plain)
    # Before the other imports, which would take most of the time of such a run.
    if is_plain and asked.has_nothing_to_do():
        return
    if gate or base is not None:
        asked = replace(asked, definition=definition.with_gate(base))
    result = asked.run(limit, restart=restart, force=force, quiet=quiet)
    # A run without a result says so, whatever the gate would say.
    sys.exit(int(result.exit_code) or (int(gate_code(result.summary)) if gate else 0))


@dataclass(frozen=True)
class _Asked:
    """A run as it was asked for on the command line."""

    definition: "Definition"
    path: Path
    """The configuration."""
    as_json: bool
    is_plain: bool
    """True if no option asks for more than to find that nothing has changed."""

    def has_nothing_to_do(self) -> bool:
        """Tell whether everything is as the last run has left it, and say so if it is."""
        from tunesmith.runs.up_to_date import UpToDateCheck

        found = UpToDateCheck(self.definition).record()
        if found is None:
            return False
        if self.as_json:
            print_json("run", found.content)
        else:
            show(found.text)
        return True

    def run(
        self,
        limit: AbstractContextManager[None],
        *,
        restart: bool,
        force: tuple[str, ...],
        quiet: bool,
    ) -> "Result":
        """Run the study, and print what came of it."""
        self._start_fork_server()
        with importing():
            from tunesmith.parameters.best_file import BestFile
            from tunesmith.runs.progress import is_interactive, watching
            from tunesmith.runs.tune import tune
            from tunesmith.runs.up_to_date import UpToDateCheck

        # Before the run: a file that changes while it runs must not pass for unchanged.
        before = UpToDateCheck(self.definition).files() if self.is_plain else None
        with (
            pointing_into(self.path),
            limit,
            watching(live=is_interactive(), quiet=quiet) as observer,
        ):
            result = tune(self.definition, observer=observer, say=say, restart=restart, force=force)
        self._show(result)
        is_kept = say_kept(BestFile.of(self.definition), result.record, result.summary)
        # After a failure or a kept edit, the next run has to say so again.
        if self.is_plain and not int(result.exit_code) and not is_kept:
            self._stamp(before, result)
        return result

    def _start_fork_server(self) -> None:
        # Before anything of the project is loaded or opened, which workers must not inherit.
        if quick_imports.is_command:
            from tunesmith.runs.workers import fork_server_for

            file = self.definition.file
            fork_server_for(file.objective, file.execution, is_forked=True)

    def _show(self, result: "Result") -> None:
        if self.as_json:
            print_json("run", _content(result))
            return
        show(_closing(result))
        failed = next((t.number for t in result.record.history.completed if t.failure), None)
        if self.definition.file.objective.is_program and failed is not None:
            _point_to_logs(failed, self.path)

    def _stamp(self, before: list[str] | None, result: "Result") -> None:
        """Store the evidence for the next run's up-to-date check, with the text to print then."""
        from tunesmith.runs.up_to_date import UpToDateCheck

        # The next run prints this text without reading the ledger: as if it had reused every score.
        n_known = sum(len(trial.folds) for trial in result.record.history.completed)
        last = replace(result.record.runs[-1], n_evaluated=0, n_reused=n_known, n_fits=0)
        record = replace(result.record, runs=(*result.record.runs[:-1], last))
        written = tuple(replace(item, changed=False) for item in result.written)
        known = replace(
            result, record=record, n_evaluated=0, n_reused=n_known, n_fits=0, written=written
        )
        reading = result.record.head.reading
        check = UpToDateCheck(self.definition)
        check.put(before, _closing(known), _content(known), reading)


def _limited(time_budget: str | None) -> AbstractContextManager[None]:
    from tunesmith.config.section import seconds

    try:
        budget_s = None if time_budget is None else float(seconds(time_budget))
    except ValueError as error:
        raise UsageError(f"--time-budget: {error}") from None
    if budget_s is not None and budget_s <= 0:
        raise UsageError(f"--time-budget: `{time_budget}` is no time to run in.")
    return _within(budget_s, f"The time budget of {time_budget} is spent")


@contextmanager
def _within(budget_s: float | None, words: str) -> Iterator[None]:
    from tunesmith.study.signals import time_budget

    with time_budget(budget_s) as is_spent:
        try:
            yield
        finally:
            if is_spent():
                say(f"{words}. What was evaluated is kept; the next run goes on.")


def _closing(result: "Result") -> str:
    from tunesmith.reporting.terminal import closing_text

    files = [Path(shown(item.path)) for item in result.written]
    return closing_text(result.summary, result.record, files)


def _point_to_logs(trial: int, path: Path) -> None:
    usual = [] if str(path) in CONFIG_NAMES else ["-c", str(path)]
    command = shlex.join(["tunesmith", "logs", str(trial), *usual])
    say(f"`{command}` shows what the program of trial {trial} has printed.")


def _content(result: "Result") -> dict[str, Any]:
    from tunesmith.cli.common.content import best_content

    record = result.record
    stopped_by, race = record.runs[-1].stopped_by, result.summary.race
    return {
        "study": record.head.name,
        "generation": record.head.generation,
        "stopped_by": stopped_by and stopped_by.text,
        "n_told": record.history.n_completed,
        "n_failed": record.history.n_failed,
        "n_pruned": record.history.n_pruned,
        "race": race and asdict(race),
        "n_evaluated": result.n_evaluated,
        "n_reused": result.n_reused,
        "n_fits": result.n_fits,
        "best": best_content(record),
        "gate": gate_content(result.summary),
        "files": [{"path": str(item.path), "changed": item.changed} for item in result.written],
    }
