"""``tunesmith plot``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from tunesmith import registry
from tunesmith.cli.common.options import config_option, json_option, print_json, shown
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.reporting.drawing.svg import Theme


def _kinds(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """List the kinds that begin with a text, for the shell."""
    return [name for name in registry.BUILTIN["figures"] if name.startswith(incomplete)]


class _Listing(click.Command):
    """A command whose help lists the kinds of figures, those of installed packages as well."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list, which is made here because looking through packages takes long."""
        outside = sorted(registry.outside("figures").keys() - registry.BUILTIN["figures"].keys())
        self.epilog = f"Kinds: {', '.join([*registry.BUILTIN['figures'], *outside])}."
        super().format_epilog(ctx, formatter)


@click.command("plot", cls=_Listing)
@click.argument("kind", shell_complete=_kinds)
@config_option
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="SVG or PNG.")
@click.option("--metric", metavar="NAME", help="A recorded metric.  [default: the objective]")
@click.option("--param", "params", metavar="NAME", multiple=True, help="May be given repeatedly.")
@click.option("--theme", type=click.Choice(("auto", "light", "dark")), default="auto")
@json_option
def command(
    *,
    kind: str,
    config: Path | None,
    output: Path | None,
    metric: str | None,
    params: tuple[str, ...],
    theme: str,
    as_json: bool,
) -> None:
    """Draw a figure of the study, also while a run is on.

    KIND is one of those below. The drawing goes to a file (-o), or to stdout if you redirect that.
    With --json you get the data instead.
    """
    from tunesmith.reporting.drawing.save import checked_format, save
    from tunesmith.reporting.drawing.svg import render
    from tunesmith.reporting.figures.kind import kind_of
    from tunesmith.reporting.figures.view import view_of
    from tunesmith.runs.models.reading import summary_of

    figure = kind_of(kind)
    if output is not None:
        # Before the record is read: a wrong ending is told at once.
        checked_format(output)
    elif not as_json and sys.stdout.isatty():
        raise UsageError(f"a drawing is no text for a terminal.\n  Add `-o {kind}.svg`.")
    definition, record = open_record(config)
    view = view_of(record, summary_of(definition, record), metric=metric, params=params)
    style = cast("Theme", theme)
    if as_json:
        content = {"study": record.head.name, "figure": kind, "data": figure.content(view)}
        print_json("plot", content)
    elif output is None:
        show(render(figure(view), theme=style), nl=False)
    else:
        save(figure(view), output, theme=style)
        say(f"{kind} drawn into {shown(output.absolute())}")
