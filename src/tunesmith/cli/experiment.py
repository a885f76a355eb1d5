"""``tunesmith experiment``."""

import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.options import config_option, json_option, print_json
from tunesmith.cli.common.streams import say, show
from tunesmith.config.names import CONFIG_NAMES
from tunesmith.errors import TunesmithError, UsageError
from tunesmith.pipeline.branches import experiment
from tunesmith.pipeline.branches.projects import folder_of
from tunesmith.pipeline.repository import Repository

if TYPE_CHECKING:
    from tunesmith.pipeline.branches.apply import Applied
    from tunesmith.pipeline.branches.states import Experiment

SELECTIONS = ("best", "one_se", "simplest", "fastest")


@click.group("experiment")
def command() -> None:
    """Manage experiments: a branch tuning/NAME to tune on, and training/NAME to train on.

    Start both from one commit, run and commit the study on the first, apply its best parameters to
    the second, and open a pull request from there. Your working tree is never touched. You can set
    other prefixes under `branches:` in the configuration.
    """


@command.command("start")
@click.argument("name")
@click.option("--from", "revision", default="HEAD", metavar="REV", help="Where from.  [HEAD]")
@click.option("--push", "remote", metavar="REMOTE", help="Push both branches there.")
@config_option
@json_option
def start(
    name: str, revision: str, remote: str | None, config: Path | None, *, as_json: bool
) -> None:
    """Create tuning/NAME and training/NAME at the same commit."""
    from tunesmith.pipeline.branches.commands import named
    from tunesmith.pipeline.branches.prefixes import check_prefixes, prefixes_of
    from tunesmith.pipeline.branches.states import find

    repository = Repository.of(Path())
    names = config_names(repository, config)
    prefixes = prefixes_of(repository, names)
    check_prefixes(repository, prefixes, repository.main_branch())
    project = folder_of(names[0])
    commit = experiment.start(
        repository, name, revision, remote, project=project, prefixes=prefixes
    )
    branches = list(prefixes.branches(name))
    if as_json:
        print_json("started", {"commit": commit, "branches": branches})
    else:
        show(f"{' and '.join(branches)} begin at {commit[:12]}.")
    # What comes next depends on the commit: with DVC's stage it is `dvc repro`.
    begun = find(repository, names, name)
    usual = f"git switch {branches[0]} && tunesmith run{named(repository, names)}"
    if config is None and begun.state == "incomplete":
        usual = f"git switch {branches[0]}, run the study there (`-c FILE` names it), and commit"
    say(f"Next: {begun.next if begun.state == 'begun' else usual}")


def _existing(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """List the experiments of this repository that begin with a text, for the shell."""
    from tunesmith.pipeline.branches.survey import Survey

    try:
        repository = Repository.of(Path())
        names = Survey(repository, config_names(repository, None)).experiments
    # A message would be printed into the line that is being typed.
    except TunesmithError:
        return []
    return sorted(name for name in names if name.startswith(incomplete))


@command.command("list")
@config_option
@click.option("--all", "with_gone", is_flag=True, help="Also merged ones without branches.")
@json_option
def list_(config: Path | None, *, with_gone: bool, as_json: bool) -> None:
    """List experiments with their states: begun, tuned, applied, trained or merged."""
    from tunesmith.pipeline.branches.states import experiments

    repository = Repository.of(Path())
    listed = experiments(repository, config_names(repository, config), with_gone=with_gone)
    _show_all(listed, as_json=as_json)
    _warn_of_shallow(repository)


@command.command("status")
@click.argument("name", shell_complete=_existing)
@config_option
@json_option
def status(name: str, config: Path | None, *, as_json: bool) -> None:
    """Show the state of one experiment, and the next command."""
    from tunesmith.pipeline.branches.states import find

    repository = Repository.of(Path())
    experiment = find(repository, config_names(repository, config), name)
    _show_all([experiment], as_json=as_json)
    if experiment.next and not as_json:
        show(f"  next: {experiment.next}")
    _warn_of_shallow(repository)


@command.command("apply")
@click.argument("name", shell_complete=_existing)
@config_option
@click.option("--trial", type=click.IntRange(min=0), help="Of this trial, not of the winner.")
@click.option("--selection", type=click.Choice(SELECTIONS), help="Of the trial so chosen.")
@click.option(
    "--take",
    type=click.Choice(("winner", "edited")),
    help="What the study found, or what somebody has made of it on tuning/NAME.",
)
@click.option("--force", is_flag=True, help="Although they are stale or edited.")
@click.option("--push", "remote", metavar="REMOTE", help="Push the training branch there.")
@json_option
def apply(
    name: str,
    config: Path | None,
    trial: int | None,
    selection: str | None,
    take: str | None,
    *,
    force: bool,
    remote: str | None,
    as_json: bool,
) -> None:
    """Apply the tuned parameters to training/NAME, as one commit.

    If the best parameters are an out of DVC's tuning stage, its other outs, the configuration and
    its block of dvc.lock are applied, too, so that `dvc repro` trains and does not tune again.
    """
    from tunesmith.pipeline.branches.apply import apply as bring
    from tunesmith.pipeline.branches.chosen import TrialChoice

    if sum(option is not None for option in (trial, selection, take)) > 1:
        raise UsageError("--trial, --selection and --take: choose one of them.")
    repository = Repository.of(Path())
    choice = TrialChoice(trial, selection, take)
    names = config_names(repository, config)
    done = bring(repository, name, names, choice, force=force, remote=remote)
    for reason in done.insisted:
        say(f"Overruled: {reason}")
    if as_json:
        print_json("applied", _content(done))
    else:
        show(told(done))


def _content(done: "Applied") -> dict[str, object]:
    return {
        "branch": done.branch,
        "commit": done.commit,
        "is_new": done.is_new,
        "source": done.source,
        "where": done.where,
        "params": dict(done.parameters.params),
        "files": list(done.files),
        "overruled": list(done.insisted),
    }


def told(done: "Applied") -> str:
    """Describe what was applied to a training branch, in lines."""
    from tunesmith.pipeline.parameters import origin

    if not done.is_new:
        return f"{done.branch}: it has these parameters already"
    lines = [f"{done.branch}: commit {done.commit[:12]}", f"  {origin(done.parameters)}"]
    lines += [f"  {change}" for change in done.changes]
    if len(done.files) > 1:
        lines.append(f"  with {', '.join(done.files)}")
    return "\n".join(lines)


def config_names(repository: Repository, given: Path | None) -> list[str]:
    """Possible names of the configuration, as Git names them; branches have it, not this folder.

    Raises:
        UsageError: the file is not in this repository.
    """
    root, here = repository.root.resolve(), Path.cwd()
    folder = here.relative_to(root).as_posix() if here.is_relative_to(root) else "."
    # A bare repository has no working tree that paths could be relative to.
    is_bare = not (repository.root / ".git").exists()
    if is_bare:
        folder = "."
    if given is None:
        return [posixpath.normpath(posixpath.join(folder, name)) for name in CONFIG_NAMES]
    place = given if is_bare else given.absolute()
    name = given.as_posix() if is_bare else posixpath.relpath(place.resolve(), root)
    if name.startswith(("../", "/")):
        raise UsageError(f"{given} is not in the repository {repository.root}.")
    return [name]


def _warn_of_shallow(repository: Repository) -> None:
    if repository.is_shallow():
        say(f"This clone is shallow: states may be wrong. Run `{repository.fetch_command()}`.")


def _show_all(experiments: Sequence["Experiment"], *, as_json: bool) -> None:
    if as_json:
        print_json("experiments", {"experiments": [e.as_json() for e in experiments]})
    elif not experiments:
        show("There are no experiments. Begin one: `tunesmith experiment start NAME`.")
    else:
        names = [e.name if e.name.isprintable() else ascii(e.name) for e in experiments]
        width = max(map(len, names))
        for e, name in zip(experiments, names, strict=True):
            show(f"{name:<{width}}  {e.state:<10}  {e.note}".rstrip())
