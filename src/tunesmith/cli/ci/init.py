"""``tunesmith ci init``."""

import difflib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.options import config_option, find_config, naming_option
from tunesmith.cli.common.streams import say, show
from tunesmith.cli.init import file_word
from tunesmith.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunesmith.config.model import Definition
    from tunesmith.config.prefixes import Prefixes
    from tunesmith.pipeline.ci.checkout import Checkout
    from tunesmith.system.files import NewFile

GIT_HOSTS = ("github", "gitlab")


@click.command("init")
@click.argument("git_host", type=click.Choice(GIT_HOSTS))
@config_option
@click.option("--training", metavar="CMD", help="How to train.  [dvc repro training]")
@click.option("--requirements", metavar="FILE", default="requirements.txt", show_default=True)
@click.option("--python", metavar="VERSION", default="3.13", show_default=True)
@click.option("--main", metavar="BRANCH", help="What pull requests go into.  [the main branch]")
@click.option(
    "--time-budget",
    metavar="TIME",
    default="320m",
    show_default=True,
    help="Interrupt a run then, to be continued by the next one; a job takes 30 minutes more.",
)
@click.option("--tuning-prefix", metavar="PREFIX", help="Branches to tune on.  [tuning/]")
@click.option("--training-prefix", metavar="PREFIX", help="Branches to train on.  [training/]")
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
def command(
    *,
    git_host: str,
    config: Path | None,
    training: str | None,
    requirements: str,
    python: str,
    main: str | None,
    time_budget: str,
    tuning_prefix: str | None,
    training_prefix: str | None,
    dry_run: bool,
    force: bool,
) -> None:
    """Write workflows that tune on tuning/NAME, train on training/NAME and review pull requests.

    With a dvc.yaml they call `dvc repro`, else `tunesmith run` and the command of --training. Other
    prefixes are written into the configuration, so that all commands know them.
    """
    from tunesmith.pipeline.ci.workflows import Wishes, workflows

    path = find_config(config)
    setup = _Setup.of(path, tuning_prefix, training_prefix)
    setup.check(requirements)
    wishes = Wishes(
        requirements=requirements,
        training=training,
        budget_s=_budget(time_budget, git_host),
        python=python,
        main=main or "",
        config=naming_option(path, setup.definition.root),
        default=setup.default or "",
    )
    top = setup.checkout.root
    planned = _planned(top, workflows(git_host, setup.definition, top, wishes), force=force)
    note, joining = setup.note, _joining(setup.definition.root, setup.history)
    edits = [file for file in (note, joining) if file is not None]
    _write(planned, edits, dry_run=dry_run, force=force)
    _say_others(top, planned)
    if not dry_run:
        setup.finish(is_changed=note is not None)
        say(_next(git_host, setup.definition.root, requirements, setup.history))


@dataclass(frozen=True)
class _Setup:
    """A project that gets workflows, and the prefixes of its branches before and after."""

    path: Path
    """The configuration."""
    definition: "Definition"
    """With the new prefixes."""
    checkout: "Checkout"
    before: "Prefixes"

    @classmethod
    def of(cls, path: Path, tuning: str | None, training: str | None) -> "_Setup":
        """Read the project.

        Raises:
            UsageError: the prefixes are not valid.
        """
        from tunesmith.cli.ci.prefixes import chosen_prefixes
        from tunesmith.config.load import load_definition
        from tunesmith.pipeline.ci.checkout import Checkout

        found = load_definition(path)
        before = found.file.branches
        file = found.file.model_copy(update={"branches": chosen_prefixes(before, tuning, training)})
        checkout = Checkout.in_ci(found.root, None)
        return cls(path, replace(found, file=file), checkout, before)

    @cached_property
    def default(self) -> str | None:
        """The default branch."""
        from tunesmith.pipeline.ci.base import default_branch

        # By the prefixes of before: the branches here still have these names.
        return default_branch(self.checkout, None, self.before)

    @property
    def after(self) -> "Prefixes":
        """The new prefixes."""
        return self.definition.file.branches

    @property
    def history(self) -> str | None:
        """The history of the study, if Git is to keep one."""
        return self.definition.file.outputs.history

    @property
    def note(self) -> "NewFile | None":
        """The configuration with the new prefixes; ``None`` if it has them already."""
        from tunesmith.cli.ci.prefixes import remembered

        return remembered(self.path, self.before, self.after)

    def check(self, requirements: str) -> None:
        """Refuse prefixes and requirements that no job could work with."""
        from tunesmith.pipeline.branches.prefixes import check_prefixes
        from tunesmith.pipeline.ci.surroundings import check_requirements

        check_prefixes(self.checkout, self.after, self.default)
        check_requirements(self.definition.root / requirements, requirements)

    def finish(self, *, is_changed: bool) -> None:
        """Say what the files that were written bring about."""
        from tunesmith.cli.ci.prefixes import say_changed, say_left
        from tunesmith.pipeline.dvc.agreement import study_stage

        say_left(self.checkout, self.before, self.after)
        if is_changed:
            say_changed(*study_stage(self.definition))
        _say_driver(self.definition.root, self.history)


def _joining(root: Path, history: str | None) -> "NewFile | None":
    """Return the attributes by which Git uses the merge driver for the history, if they change."""
    from tunesmith.pipeline.attributes import attributes
    from tunesmith.system.files import NewFile

    if history is None:
        return None
    path, before, after = attributes(root, history)
    return None if before == after else NewFile(path, after)


def _say_driver(root: Path, history: str | None) -> None:
    """Print the command that registers the merge driver, if this clone lacks it."""
    from tunesmith.pipeline.attributes import hint

    if history is not None and (text := hint(root)):
        say(text)


def _planned(root: Path, texts: "Mapping[str, str]", *, force: bool) -> "list[NewFile]":
    """Return the files to be written, without a pipeline that is the project's own."""
    from tunesmith.pipeline.ci.workflows import PIPELINE
    from tunesmith.system.files import NewFile

    planned = [NewFile(root / name, text) for name, text in texts.items()]
    # A pipeline that is there already is the project's own: it gets a hint, not a replacement.
    own = [f for f in planned if f.path.name == PIPELINE and f.exists and not f.is_same]
    if own and not force:
        say(
            f"{PIPELINE} is there already: add to it `include: [{{local: .gitlab/tunesmith.yml}}]`."
        )
        planned = [file for file in planned if file not in own]
    return planned


def _say_others(root: Path, planned: "list[NewFile]") -> None:
    """Name the workflows that will run on the same pull requests."""
    from tunesmith.pipeline.ci.surroundings import pull_request_workflows

    names = pull_request_workflows(root, {file.path for file in planned})
    if names:
        verb = "runs" if len(names) == 1 else "run"
        say(
            f"{', '.join(names)} {verb} on pull requests too. These workflows add a check and a"
            " comment of their own and leave the others as they are; a step there that trains"
            " would train twice."
        )


def _write(planned: "list[NewFile]", edits: "list[NewFile]", *, dry_run: bool, force: bool) -> None:
    """Write files and edits of files, all of them or none, or say what they would be."""
    from tunesmith.system.files import write_files

    taken = [file for file in planned if file.exists and not file.is_same]
    for file in planned:
        show(f"  {file_word(file, force=force):9} {_near(file.path)}")
    for file in edits:
        show(f"  {'edit' if file.exists else 'create':9} {_near(file.path)}")
    for file in [*taken, *(edit for edit in edits if edit.exists)]:
        show(_diff(file), nl=False)
    if dry_run:
        say("Nothing was written (--dry-run).")
        return
    if taken and not force:
        names = ", ".join(_near(file.path) for file in taken)
        raise UsageError(
            f"{names}: already there; nothing was written.\n  Overwrite what differs with --force."
        )
    write_files([*planned, *edits])


def _near(path: Path) -> str:
    here = Path.cwd().resolve()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _diff(file: "NewFile") -> str:
    there = file.path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    new = file.content.splitlines(keepends=True)
    return "".join(difflib.unified_diff(there, new, _near(file.path), "new"))


def _budget(given: str, git_host: str) -> float:
    from tunesmith.config.section import seconds
    from tunesmith.pipeline.ci.workflows import AFTERWARDS_S, MAX_JOB_S

    try:
        budget_s = float(seconds(given))
    except ValueError as error:
        raise UsageError(f"--time-budget: {error}") from None
    if budget_s <= 0:
        raise UsageError(f"--time-budget: `{given}` is no time to run in.")
    if git_host == "github" and budget_s + AFTERWARDS_S > MAX_JOB_S:
        say("A job of more than 6 hours needs a machine of your own (`runs-on: self-hosted`).")
    return budget_s


def _next(git_host: str, root: Path, requirements: str, history: str | None) -> str:
    lines = []
    if not (root / requirements).is_file():
        lines.append(
            f"{requirements} is missing: it has to name `tunesmith` and what you train with."
        )
    if history is None:
        lines.append(
            "Git keeps no history of the study, so that `tunesmith verify` fails in pull requests:"
            " add `outputs: {history: outputs/history.jsonl}`."
        )
    if git_host == "gitlab":
        lines.append("GitLab: add a project access token as the masked variable TUNESMITH_TOKEN.")
    else:
        lines.append(
            "GitHub: allow Actions to create pull requests (Settings, Actions, General), and have"
            " these files on the default branch."
        )
    return "\n".join([*lines, "Next: commit them, and `tunesmith experiment start NAME`."])
