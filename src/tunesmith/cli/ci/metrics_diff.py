"""``tunesmith ci metrics-diff``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.common.options import json_option, print_json
from tunesmith.cli.common.streams import show
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.pipeline.ci.metrics import MetricsDiff


@click.command("metrics-diff")
@click.argument("files", nargs=-1)
@click.option("--base", metavar="REV", help="Compare with it.  [the target, or default branch]")
@click.option("--markdown", "is_markdown", is_flag=True, help="Print Markdown.")
@json_option
def command(files: tuple[str, ...], base: str | None, *, is_markdown: bool, as_json: bool) -> None:
    """Compare the metrics of this tree with those of the base branch; checks nothing out.

    FILES are JSON, YAML or TOML; by default the metrics that dvc.yaml names.
    """
    from tunesmith.cli.experiment import config_names
    from tunesmith.pipeline.branches.prefixes import prefixes_of
    from tunesmith.pipeline.ci import metrics
    from tunesmith.pipeline.ci.base import base_of, pull_request_of
    from tunesmith.pipeline.ci.checkout import Checkout
    from tunesmith.pipeline.git_host.host import git_host_here

    if is_markdown and as_json:
        raise UsageError("--markdown and --json: choose one of them.")
    git_host, folder = git_host_here(), Path()
    checkout = Checkout.in_ci(folder, git_host)
    listed = files or tuple(metrics.metrics_files(folder))
    # A base that is named needs no request to the Git host.
    pull = None if base else pull_request_of(git_host, checkout.branch_here(git_host))[0]
    prefixes = prefixes_of(checkout, config_names(checkout, None))
    compared = base_of(checkout, git_host, base, pull, prefixes)
    about = compared.name, compared.commit, compared.note
    diff = metrics.metrics_diff(folder, listed, *about, read=checkout.content)
    if as_json:
        print_json("metrics_diff", _content(diff))
    else:
        show(metrics.markdown(diff) if is_markdown else metrics.plain(diff))


def _content(diff: "MetricsDiff") -> dict[str, Any]:
    rows = [
        {
            "file": m.file,
            "metric": m.name,
            "before": _finite(m.before),
            "after": _finite(m.after),
            "change": _finite(m.change),
        }
        for m in diff.metrics
    ]
    return {"base": diff.base, "commit": diff.commit, "metrics": rows, "notes": list(diff.notes)}


def _finite(value: float | None) -> float | str | None:
    from math import isfinite

    # JSON has neither NaN nor infinity; as text they reach the reader all the same.
    return value if value is None or isfinite(value) else repr(value)
