"""Experiments: a branch to tune on and a branch to train on, from the same commit.

The study runs on ``tuning/NAME``; ``training/NAME`` gets the parameters that it found, as one
commit, and goes into a pull request. The configuration may set other prefixes.
"""

import re
from collections.abc import Iterable
from contextlib import suppress

from tunesmith.config.prefixes import Prefixes
from tunesmith.errors import UsageError
from tunesmith.pipeline.repository import Repository
from tunesmith.system.git import GitError

USUAL = Prefixes()
PROJECT_KEY = "tunesmith-project"
"""Key of Git's configuration under which this clone notes the project of a branch."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")


def check_name(repository: Repository, name: str, prefixes: Prefixes = USUAL) -> None:
    """Refuse names that no branch can have, or that could mislead a command.

    Raises:
        UsageError: with the rule.
    """
    is_word = NAME.match(name) is not None
    if not is_word or not all(map(repository.is_branch_name, prefixes.branches(name))):
        raise UsageError(
            f"{shown_name(name)} cannot name an experiment: letters, digits, dots, dashes and"
            " underscores, beginning with a letter or digit, at most 80."
        )


def shown_name(name: str) -> str:
    """Quote a name for a message, whatever characters it holds.

    >>> shown_name("a\\nb"), shown_name("trees")
    ("'a\\\\nb'", '`trees`')
    """
    if name.isprintable() and "`" not in name and len(name) <= 80:
        return f"`{name}`"
    # A name may hold escape sequences, which would rewrite what a terminal shows.
    return ascii(name if len(name) <= 80 else f"{name[:80]}…")


def start(
    repository: Repository,
    name: str,
    revision: str = "HEAD",
    remote: str | None = None,
    *,
    project: str | None = None,
    prefixes: Prefixes = USUAL,
) -> str:
    """Create both branches at the same commit; the working tree stays on its branch.

    Args:
        repository: to work in.
        name: of the experiment.
        revision: the commit at which the branches begin.
        remote: to push both to; then both sides have them, or neither.
        project: the project folder within the repository; noted in this clone until a commit shows
            it.
        prefixes: of the branches' names.

    Returns:
        The commit.

    Raises:
        UsageError: the name is taken or cannot be one, or there is no such commit.
    """
    check_name(repository, name, prefixes)
    commit = repository.commit_of(revision)
    if commit is None:
        hint = (
            "Commit something first." if revision == "HEAD" else "Is it spelt right, and fetched?"
        )
        raise UsageError(f"{shown_name(revision)} names no commit of this repository. {hint}")
    names = list(prefixes.branches(name))
    _refuse_taken(names, repository.branches())
    repository.make_branches(names, commit, remote)
    if project is not None:
        # The branches are there by now: a note that cannot be made is no failure.
        with suppress(GitError):
            repository.mark_branch(names[0], PROJECT_KEY, project)
    return commit


def _refuse_taken(names: list[str], branches: Iterable[str]) -> None:
    # Some file systems know no difference between Trees and trees, and none between a file and a
    # folder of one name.
    known = {branch.lower(): branch for branch in branches}
    for name in names:
        low = name.lower()
        above = [low[:at] for at, letter in enumerate(low) if letter == "/"]
        blocking = next((known[one] for one in above if one in known), None)
        if blocking is not None:
            raise UsageError(
                f"there is a branch {shown_name(blocking)} already, and Git keeps none below it.\n"
                f"  Rename that one: `git branch -m {blocking} {blocking}-before`; or have branches"
                " begin otherwise: `branches: {tuning: hpo/, training: train/}` in the"
                " configuration."
            )
        taken = known.get(low)
        taken = taken or next((b for key, b in known.items() if key.startswith(f"{low}/")), None)
        if taken is not None:
            way = f", or go on with it: `git switch {taken}`" if taken == name else ""
            raise UsageError(
                f"there is a branch {shown_name(taken)} already.\n  Name the experiment"
                f" otherwise{way}."
            )
