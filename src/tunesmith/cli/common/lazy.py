"""A group whose commands are imported when they are used."""

import re
import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click
from click.shell_completion import CompletionItem

from tunesmith.system.quick_imports import importing

EXTRA = re.compile(r"Got unexpected extra argument \((\S+)\)")
"""click's message on an argument that a command does not take."""
ENDINGS = (".yaml", ".yml", ".json", ".toml", ".db")
"""Ends of names of configurations and ledgers."""


class LazyGroup(click.Group):
    """A group that lists commands without importing any of them.

    Args:
        package: its modules hold one command each.
        lines: command -> one line for the list, in the order of the list.
        attributes: of click's group.
    """

    def __init__(self, *, package: str, lines: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self.package, self.lines = package, lines

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of a day's work."""
        return list(self.lines)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        if cmd_name not in self.lines:
            return None
        name = cmd_name.replace("-", "_")
        # As usual for Python's keywords: `import` is in the module `import_`.
        with importing():
            module = import_module(
                f"{self.package}.{name}_" if iskeyword(name) else f"{self.package}.{name}"
            )
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the nearest one."""
        name = args[0]
        # click itself has the better message for an option that it does not know.
        # While the shell completes a line, a message would be printed into it.
        is_typed = not ctx.resilient_parsing and not name.startswith("-")
        if name not in self.lines and is_typed:
            near = get_close_matches(name, self.lines, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            ctx.fail(f"there is no command `{name}`.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; say how a configuration is named if it stands there without ``-c``."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            command = None if error.ctx is None else error.ctx.command
            extra = EXTRA.match(error.message)
            options = {name for one in getattr(command, "params", ()) for name in one.opts}
            if extra and "-c" in options and extra[1].endswith(ENDINGS):
                hint = f"The option -c names a file: -c {shlex.quote(extra[1])}"
                raise click.UsageError(f"{extra[0]}. {hint}", error.ctx) from None
            raise

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """Complete the names of commands without importing any of them."""
        named = [
            CompletionItem(name, help=line)
            for name, line in self.lines.items()
            if name.startswith(incomplete)
        ]
        # Options; click's own group would add the commands, and import each for its line.
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.lines.items()))
