"""The command reference, made from the parser."""

import re
from collections.abc import Iterator

import click

from tunesmith.cli.common.lazy import LazyGroup
from tunesmith.errors import ExitCode

INTRODUCTION = """\
# Commands

Every command of `tunesmith`, with its arguments and options; `tunesmith COMMAND --help` prints the same. Results go to standard output, progress and remarks
to standard error. Commands that only read have `--json`. [Completion](completion.md) in bash, zsh and fish helps you to type them.

This page is made from the command line itself by `python docs/generate.py`.
"""
EXIT_CODES = {
    ExitCode.OK: "done",
    ExitCode.NO_RESULT: "the study ended without one usable trial",
    ExitCode.USAGE: "the configuration, the data or the command line cannot be used",
    ExitCode.VERIFICATION: "something disagrees, or could not be verified",
    ExitCode.GATE: "the gate does not adopt the winner",
    ExitCode.INTERNAL: "a defect in Tunesmith",
    ExitCode.STORAGE: "the ledger or an output cannot be read or written",
    ExitCode.LOCKED: "another run holds the study",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C; what was evaluated is kept",
    ExitCode.TERMINATED: "ended by SIGTERM or a spent time budget; what was evaluated is kept",
}


def reference_markdown(cli: LazyGroup) -> str:
    """Return the command reference: one section a command, one table of its options."""
    with click.Context(cli, info_name="tunesmith") as context:
        parts = [INTRODUCTION, _overview(cli), _exit_codes()]
        for name in cli.list_commands(context):
            parts.extend(_sections(cli, name, context, level=2))
    return "\n".join(parts)


def _overview(cli: LazyGroup) -> str:
    rows = [
        f"| [`{name}`](#tunesmith-{name}) | {_cell(line)} |" for name, line in cli.lines.items()
    ]
    return "\n".join(["| command | purpose |", "|---|---|", *rows, ""])


def _exit_codes() -> str:
    rows = [f"| {int(code)} | {EXIT_CODES[code]} |" for code in ExitCode]
    return "\n".join(["## Exit codes", "", "| code | meaning |", "|---:|---|", *rows, ""])


def _sections(group: click.Group, name: str, parent: click.Context, *, level: int) -> Iterator[str]:
    """Yield the section of a command, and those of the commands below it."""
    command = group.get_command(parent, name)
    # Every listed name is a command.
    assert command is not None  # noqa: S101
    context = click.Context(command, info_name=name, parent=parent)
    title = f"{'#' * level} {context.command_path}"
    usage = (
        f"```text\n{' '.join((context.command_path, *command.collect_usage_pieces(context)))}\n```"
    )
    parts = [title, "", usage, "", _prose(command.help or ""), "", *_options(command, context)]
    yield "\n".join(parts)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from _sections(command, below, context, level=level + 1)


def _prose(text: str) -> str:
    """Join the lines of each paragraph, as a reader on a wide screen expects it."""
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(" ".join(line.strip() for line in p.splitlines()) for p in paragraphs)


def _options(command: click.Command, context: click.Context) -> list[str]:
    options = [p for p in command.get_params(context) if isinstance(p, click.Option)]
    rows = [_row(option, context) for option in options if option.name != "help"]
    return ["| option | meaning |", "|---|---|", *rows, ""] if rows else []


def _row(option: click.Option, context: click.Context) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    sentences = [_help(option, context)]
    if isinstance(option.type, click.Choice):
        sentences.append(f"One of {', '.join(f'`{choice}`' for choice in option.type.choices)}.")
    elif not option.is_flag:
        # click names a number with limits `INTEGER RANGE`; the limits stand in the text.
        names = f"{names} {option.make_metavar(context).removesuffix(' RANGE')}"
    if option.envvar:
        variables = [option.envvar] if isinstance(option.envvar, str) else option.envvar
        sentences.append(f"Also from the environment: `{'`, `'.join(variables)}`.")
    return f"| `{names}` | {_cell(' '.join(filter(None, sentences)))} |"


def _help(option: click.Option, context: click.Context) -> str:
    """Return the text of ``--help``, with the default and the range."""
    record = option.get_help_record(context)
    return "" if record is None else record[1]


def _cell(text: str) -> str:
    # Brackets, as in `[default: cores]`, could be taken for a link.
    text = re.sub(r"\[([^\]]+)\]", r"(\1)", text)
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")
