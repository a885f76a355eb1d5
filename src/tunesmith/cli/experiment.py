"""``tunesmith experiment``."""

from collections.abc import Sequence
from pathlib import Path

import click

from tunesmith.cli.options import config_option, find_config, json_option, print_json
from tunesmith.cli.streams import say, show
from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.pipeline import experiment as experiments
from tunesmith.pipeline.repository import Repository


@click.group("experiment")
def command() -> None:
    """Branches that hand over: tuning/NAME to tune on, training/NAME to train on.

    Start both from one commit, run and commit the study on the first, apply what it found to the
    second, and open a pull request from there. The working tree is never touched.
    """


@command.command("start")
@click.argument("name")
@click.option("--from", "revision", default="HEAD", metavar="REV", help="Where from.  [HEAD]")
@click.option("--push", "remote", metavar="REMOTE", help="Push both branches there.")
def start(name: str, revision: str, remote: str | None) -> None:
    """Create tuning/NAME and training/NAME at the same commit."""
    repository = Repository.of(Path())
    commit = experiments.start(repository, name, revision)
    if remote:
        repository.push(remote, [f"tuning/{name}", f"training/{name}"])
    show(f"tuning/{name} and training/{name} begin at {commit[:12]}.")
    say(f"Next: git switch tuning/{name} && tunesmith run")


@command.command("list")
@config_option
@json_option
def list_(config: Path | None, *, as_json: bool) -> None:
    """List experiments and where they stand: begun, tuned, applied, trained or merged."""
    repository, definition = Repository.of(Path()), load_definition(find_config(config))
    _show_all(experiments.experiments(repository, best_path(repository, definition)), as_json)
    if repository.is_shallow():
        say("This clone is shallow: states may be wrong. Run `git fetch --unshallow`.")


@command.command("status")
@click.argument("name")
@config_option
@json_option
def status(name: str, config: Path | None, *, as_json: bool) -> None:
    """Show where one experiment stands."""
    repository, definition = Repository.of(Path()), load_definition(find_config(config))
    _show_all([experiments.find(repository, name, best_path(repository, definition))], as_json)


@command.command("apply")
@click.argument("name")
@config_option
@click.option("--force", is_flag=True, help="Although they are stale or edited.")
@click.option("--push", "remote", metavar="REMOTE", help="Push the training branch there.")
@json_option
def apply(
    name: str, config: Path | None, *, force: bool, remote: str | None, as_json: bool
) -> None:
    """Bring the tuned parameters to training/NAME, as one commit."""
    repository, definition = Repository.of(Path()), load_definition(find_config(config))
    best = best_path(repository, definition)
    done = experiments.apply(repository, name, best, _sources(repository, definition), force=force)
    if remote:
        repository.push(remote, [done.branch])
    if as_json:
        content = {"branch": done.branch, "commit": done.commit, "is_new": done.is_new}
        print_json("applied", {**content, "params": dict(done.parameters.params)})
        return
    what = f"commit {done.commit[:12]}" if done.is_new else "it has these parameters already"
    show("\n".join([f"{done.branch}: {what}", *(f"  {change}" for change in done.changes)]))


def best_path(repository: Repository, definition: Definition) -> str:
    """The best-parameters file, as Git names it."""
    return _within(repository, definition.root / definition.file.outputs.best)


def _sources(repository: Repository, definition: Definition) -> tuple[str, ...]:
    return () if definition.source is None else (_within(repository, definition.source),)


def _within(repository: Repository, path: Path) -> str:
    return path.resolve().relative_to(repository.root.resolve()).as_posix()


def _show_all(found: Sequence[experiments.Experiment], as_json: bool) -> None:
    if as_json:
        rows = [
            {"name": e.name, "state": e.state, "tuning": e.tuning, "training": e.training}
            for e in found
        ]
        print_json("experiments", {"experiments": rows})
    elif not found:
        show("There are no experiments. Begin one: `tunesmith experiment start NAME`.")
    else:
        width = max(len(e.name) for e in found)
        for e in found:
            show(f"{e.name:<{width}}  {e.state:<10}  {e.note}".rstrip())
