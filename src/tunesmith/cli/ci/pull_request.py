"""``tunesmith ci pull-request``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.options import config_option, find_config, json_option, print_json
from tunesmith.cli.streams import say, show
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.config.model import Definition
    from tunesmith.pipeline.ci.pull_request import Opened
    from tunesmith.pipeline.forge.forge import Forge


@click.command("pull-request")
@config_option
@click.option("--target", metavar="BRANCH", help="What it goes into.  [the default branch]")
@click.option("--title", help="By default the trial that the parameters come from.")
@click.option("--body", default="", help="Markdown.")
@click.option(
    "--branch", metavar="BRANCH", help="That is meant, although the job runs for another one."
)
@click.option("--dry-run", is_flag=True, help="Print title and body, and open nothing.")
@json_option
def command(
    config: Path | None,
    target: str | None,
    title: str | None,
    body: str,
    branch: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Open a pull request from the branch that CI runs on, unless there is an open one.

    Where the forge forbids it, the page where a person opens it is printed, and a warning.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.pipeline.ci.base import default_branch
    from tunesmith.pipeline.ci.checkout import Checkout
    from tunesmith.pipeline.ci.pull_request import ensure_pull_request
    from tunesmith.pipeline.forge.forge import forge_needed

    definition, forge = load_definition(find_config(config)), forge_needed()
    checkout = Checkout.in_ci(definition.root, forge)
    into = target or default_branch(checkout, forge)
    if into is None:
        raise UsageError("which branch is the default one? Name it: `--target BRANCH`.")
    source = branch or forge.job.branch
    source = source if source == into else checkout.place(forge, branch).branch
    if source == into:
        raise UsageError(f"`{into}` is where pull requests go into; run this on another branch.")
    title, body = _words(definition, source, into, title, body)
    if dry_run:
        show(f"{source} -> {into}: {title}\n\n{body}".rstrip())
        return
    _show(ensure_pull_request(forge, source, into, title, body), forge, as_json=as_json)


def _words(
    definition: "Definition", source: str, into: str, title: str | None, body: str
) -> tuple[str, str]:
    from tunesmith.pipeline.ci.pull_request import title_of
    from tunesmith.pipeline.parameters import parse
    from tunesmith.reporting.best_file import Best

    best = Best.of(definition)
    text = best.content
    parameters = None if text is None else parse(text, str(best.path), best.shape)
    about = (
        f"From `{source}`, for `{into}`. A comment below holds the report; it is kept up to date."
    )
    return title or title_of(parameters, source), body or about


def _show(done: "Opened", forge: "Forge", *, as_json: bool) -> None:
    if done.reason:
        say(forge.warning(f"no pull request could be opened ({done.reason}): open it by hand"))
    if as_json:
        content = {"url": done.url, "number": done.number, "is_new": done.is_new}
        print_json("pull_request", content)
    else:
        show(done.url)
