"""The command line: one thin module a command, imported only when it is called.

A command turns arguments into a library call, prints the result to stdout and everything else to
stderr. Errors that Tunesmith raises on purpose are printed without a traceback, and each kind has
its exit code.
"""

import os
import sys
import traceback
from pathlib import Path

import click

from tunesmith.cli.common.held import Held, is_wanted
from tunesmith.cli.common.lazy import LazyGroup
from tunesmith.cli.common.streams import command_ci, prepare, say, say_warnings
from tunesmith.errors import ConfigError, ExitCode, TunesmithError
from tunesmith.system.interruptions import Interrupted, interruption_behind, leave
from tunesmith.system.redact import clean, printable
from tunesmith.system.user_output import hold_with, let_go
from tunesmith.version import VERSION

MAX_SHOWN = 50

# Command -> one line for the list. The function lives in the module of the same name, so that
# listing the commands imports none of them.
COMMANDS = {
    "init": "Write a first tuning.yaml beside your code; overwrites nothing.",
    "import": "Turn another tool's tuning setup into a tuning.yaml.",
    "check": "Validate the configuration and show the plan; runs no project code.",
    "run": "Run the study: best parameters, report, every fold in the ledger.",
    "worker": "Make fits of a run with the executor `pull`, on any machine.",
    "status": "Show where the study stands.",
    "trials": "List trials: filter, sort, CSV, JSON or Markdown.",
    "logs": "Print what a trial's program has printed.",
    "note": "Write a note on a trial; it goes into ledger, history and report.",
    "best": "Print the best parameters.",
    "model": "Write a model: the winner, an average or an ensemble of fold models.",
    "adopt": "Take the winner, or another trial, over into the best-parameters file.",
    "verify": "Check that parameters, report, history, ledger and dvc.lock agree.",
    "report": "Rebuild every output file from the ledger alone.",
    "plot": "Draw a figure: history, importance, slice, contour, ...",
    "serve": "Show the HTML report in a browser, live while a run is on.",
    "export": "Write the full history in another format.",
    "track": "Show the study in a tracker, such as MLflow.",
    "compare": "Compare two studies, ledgers or commits.",
    "experiment": "Branches to tune and to train on, and the way between them.",
    "dvc": "Tuning and training as stages of a DVC pipeline.",
    "ci": "Report, commit and open pull requests from CI; write its workflows.",
    "merge-history": "Join the histories of two branches (Git's merge driver).",
    "ledger": "Copy, share, join and clean up ledgers; what they have saved.",
    "schema": "Print the JSON Schema of the configuration.",
    "doctor": "Check this machine, the project and the ledger.",
    "completion": "Print the script for completion in bash, zsh or fish.",
}


@click.group(
    cls=LazyGroup,
    package="tunesmith.cli",
    lines=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(VERSION, prog_name="tunesmith")
def cli() -> None:
    """Hyperparameter tuning where you already work: one file, one command.

    Start with `tunesmith init`, then `tunesmith run`.
    """


def main() -> None:
    """Run the command line; every deliberate error becomes a message and an exit code."""
    prepare()
    say_warnings()
    # Before a command is called, because the user's code may print as soon as it is imported.
    if is_wanted():
        hold_with(Held())
    try:
        # Standalone, click would exit with codes of its own, 1 for Ctrl-C among them.
        status = cli(standalone_mode=False)
    except click.exceptions.Exit as exit_:
        status = exit_.exit_code
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except TunesmithError as error:
        _show(error)
        status = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        status = ExitCode.INTERRUPTED
    except Interrupted as stop:
        status = _say_interrupted(stop)
    except OSError as error:
        # The file system's own message; code that knows more raises a StorageError.
        where = f"{error.filename}: " if error.filename else ""
        say(printable(f"{where}{error.strerror or error}"))
        status = ExitCode.STORAGE
    except Exception as error:  # noqa: BLE001 - nobody should read a traceback who did not ask
        status = _after(error)
    finally:
        let_go()
    leave()
    sys.exit(int(status or 0))


def _say_interrupted(stop: Interrupted) -> int:
    say(str(stop))
    # As a shell reports a process that was ended by a signal.
    return 128 + stop.signum


def _after(error: Exception) -> int:
    """Show what nobody expected; return the exit code."""
    if (stop := interruption_behind(error)) is not None:
        return _say_interrupted(stop)
    _show_defect(error)
    return ExitCode.INTERNAL


def _show(error: TunesmithError) -> None:
    # What a file or an exception says is data: it may hold terminal escapes.
    if not isinstance(error, ConfigError):
        say(printable(str(error)))
        return
    count = len(error.violations)
    shown = "\n".join(str(violation) for violation in error.violations[:MAX_SHOWN])
    more = f" The first {MAX_SHOWN} are shown." if count > MAX_SHOWN else ""
    total = "1 problem" if count == 1 else f"{count:,} problems"
    say(f"{printable(shown)}\n\n{total} found.{more}")
    _annotate(error)


def _show_defect(error: Exception) -> None:
    if os.environ.get("TUNESMITH_TRACEBACK"):
        say("".join(traceback.format_exception(error)))
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    say(
        f"This is a defect in Tunesmith {VERSION}, not in your project:\n"
        f"  {clean(f'{type(error).__name__}: {error}')} ({place})\n"
        "  What was evaluated is kept. Set TUNESMITH_TRACEBACK=1 to see the details for a report."
    )


def _annotate(error: ConfigError) -> None:
    """Put the first violations beside the lines of a pull request (GitHub Actions)."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    # GitHub shows at most ten annotations of a step.
    for violation in error.violations[:10]:
        if violation.place and violation.place.line:
            place, text = violation.place, _escaped(clean(violation.message))
            # Within the properties of a command, a colon or a comma ends a value.
            file = _escaped(place.file).replace(":", "%3A").replace(",", "%2C")
            command_ci(f"::error file={file},line={place.line},col={place.column}::{text}")


def _escaped(text: str) -> str:
    # The percent sign first, or those of the other codes would be encoded once more.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
