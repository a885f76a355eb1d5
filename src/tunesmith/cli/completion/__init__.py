"""``tunesmith completion``."""

import click
from click.shell_completion import get_completion_class

from tunesmith.cli.common.streams import show

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "tunesmith"
# The variable by which click recognises a call of the shell's, made from the program's name.
VARIABLE = "_TUNESMITH_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and their values in SHELL.

    For bash, add this line to ~/.bashrc: eval "$(tunesmith completion bash)". The documentation
    has the lines for zsh and fish.
    """
    kind = get_completion_class(shell)
    # All of `SHELLS` come with click.
    assert kind is not None  # noqa: S101
    script = kind(ctx.find_root().command, {}, PROGRAM, VARIABLE).source()
    show(script.rstrip())
