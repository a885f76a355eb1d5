"""The command line: one thin module a command, imported only when it is called.

A command turns arguments into a library call, prints the result to stdout and everything else to
stderr. Errors that Tunesmith raises on purpose are printed without a traceback, and each kind has
its exit code.
"""

import os
import sys
from importlib import import_module

import click

from tunesmith.errors import ConfigError, ExitCode, TunesmithError
from tunesmith.version import VERSION

# Command -> one line for the list. The function lives in the module of the same name, so that
# listing the commands imports none of them.
COMMANDS = {
    "init": "Write a tuning.yaml and a training script beside your code.",
    "check": "Validate the configuration and show the plan; runs no project code.",
    "run": "Run the study: best parameters, report, every fold in the ledger.",
    "status": "Show where the study stands.",
    "trials": "List trials: filter, sort, CSV, JSON or Markdown.",
    "best": "Print the best parameters.",
    "report": "Rebuild every output file from the ledger alone.",
    "export": "Write the full history in another format.",
    "schema": "Print the JSON Schema of the configuration.",
    "doctor": "Check this machine, the project and the ledger.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"tunesmith.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="tunesmith")
def cli() -> None:
    """Hyperparameter tuning where you already work: one file, one command.

    Start with `tunesmith init`, then `tunesmith run`.
    """


def main() -> None:
    """Run the command line; every deliberate error becomes a message and an exit code."""
    try:
        status = cli(standalone_mode=False)
    except click.exceptions.Exit as exit_:
        status = exit_.exit_code
    except click.Abort:
        status = ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except TunesmithError as error:
        _show(error)
        status = error.exit_code
    except KeyboardInterrupt:
        status = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # `tunesmith trials | head`: the reader has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = ExitCode.OK
    sys.exit(int(status or 0))


def _show(error: TunesmithError) -> None:
    click.echo(str(error), err=True)
    if isinstance(error, ConfigError):
        count = len(error.violations)
        click.echo(f"\n{count} {'problem' if count == 1 else 'problems'} found.", err=True)
        _annotate(error)


def _annotate(error: ConfigError) -> None:
    """Put the first violations beside the lines of a pull request (GitHub Actions)."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for violation in error.violations[:10]:
        if violation.place and violation.place.line:
            place, text = violation.place, violation.message.replace("%", "%25")
            text = text.replace("\r", "%0D").replace("\n", "%0A")
            where = f"file={place.file},line={place.line},col={place.column}"
            click.echo(f"::error {where}::{text}", err=True)
