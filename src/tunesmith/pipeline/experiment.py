"""Experiments: a branch to tune on and a branch to train on, from the same commit.

``tuning/NAME`` is where the study runs; ``training/NAME`` gets the parameters that it found, as one
commit, and goes into a pull request. Where an experiment stands is told from Git alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.fingerprint import digest
from tunesmith.pipeline.repository import Repository
from tunesmith.reporting.compare import differences

TUNING, TRAINING = "tuning/", "training/"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z")
TRAILER = "Tunesmith-Parameters"
METRICS = re.compile(r"(^|/)[\w.-]*metrics[\w.-]*\.(json|ya?ml)\Z")
"""Files that training leaves its results in."""


@dataclass(frozen=True)
class Experiment:
    """Where one experiment stands."""

    name: str
    tuning: str | None
    """The commit of its tuning branch."""
    training: str | None
    """The commit of its training branch."""
    state: str
    """``begun``, ``tuned``, ``applied``, ``trained`` or ``merged``."""
    note: str = ""


@dataclass(frozen=True)
class Parameters:
    """A best-parameters file of some revision."""

    text: str
    params: Mapping[str, Any]
    meta: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Of the parameters as they are."""
        return digest(dict(self.params))

    @property
    def is_edited(self) -> bool:
        """Whether somebody changed the parameters after they were written."""
        return self.meta.get("digest") != self.digest


def check_name(repository: Repository, name: str) -> None:
    """Refuse names that no branch can have, or that are up to no good.

    Raises:
        UsageError: with the rule.
    """
    is_branch = all(repository.is_branch_name(f"{kind}{name}") for kind in (TUNING, TRAINING))
    if not NAME.match(name) or not is_branch:
        raise UsageError(
            f"`{name}` cannot name an experiment: letters, digits, dots, dashes and underscores,"
            " beginning with a letter or digit, at most 80."
        )


def start(repository: Repository, name: str, revision: str = "HEAD") -> str:
    """Create both branches at the same commit; the working tree stays where it is.

    Returns:
        The commit.

    Raises:
        UsageError: the name is taken or cannot be one, or there is no such commit.
    """
    check_name(repository, name)
    commit = repository.commit_of(revision)
    if commit is None:
        hint = (
            "Commit something first." if revision == "HEAD" else "Is it spelt right, and fetched?"
        )
        raise UsageError(f"`{revision}` names no commit of this repository. {hint}")
    names = [f"{TUNING}{name}", f"{TRAINING}{name}"]
    taken = [branch for branch in names if branch in repository.branches()]
    if taken:
        raise UsageError(
            f"there is a branch `{taken[0]}` already.\n  Name the experiment otherwise, or go on"
            f" with it: `git switch {taken[0]}`."
        )
    repository.make_branches(names, commit)
    return commit


def experiments(repository: Repository, best: str) -> list[Experiment]:
    """All experiments, by name.

    Args:
        repository: where.
        best: path of the best-parameters file.
    """
    branches = repository.branches()
    names = {
        b.removeprefix(kind) for kind in (TUNING, TRAINING) for b in branches if b.startswith(kind)
    }
    return [_experiment(repository, name, branches, best) for name in sorted(names)]


def find(repository: Repository, name: str, best: str) -> Experiment:
    """One experiment.

    Raises:
        UsageError: there is none of this name.
    """
    from tunesmith.errors import did_you_mean

    known = {experiment.name: experiment for experiment in experiments(repository, best)}
    if name not in known:
        hint = (
            did_you_mean(name, list(known)) if known else "Begin one: `tunesmith experiment start`."
        )
        raise UsageError(f"there is no experiment `{name}`. {hint}")
    return known[name]


def _experiment(
    repository: Repository, name: str, branches: Mapping[str, str], best: str
) -> Experiment:
    tuning, training = branches.get(f"{TUNING}{name}"), branches.get(f"{TRAINING}{name}")
    state, note = _state(repository, tuning, training, best)
    return Experiment(name, tuning, training, state, note)


def _state(
    repository: Repository, tuning: str | None, training: str | None, best: str
) -> tuple[str, str]:
    if tuning is None or training is None:
        missing = TUNING if tuning is None else TRAINING
        return "incomplete", f"there is no branch {missing}…"
    base = repository.merge_base(tuning, training)
    main = repository.main_branch()
    target = repository.branches().get(main) if main else None
    if training != base and target and repository.is_ancestor(training, target):
        return "merged", f"into {main}"
    tuned = _read(repository, tuning, best)
    is_tuned = base is not None and repository.read(base, best) != repository.read(tuning, best)
    own = _read(repository, training, best)
    if tuned is None or not is_tuned:
        return "begun", ""
    if own is None or own.digest != tuned.digest:
        return "tuned", "its parameters are not on the training branch"
    applied = repository.last_change(training, best)
    later = [] if applied is None else repository.changed_since(applied, training)
    if any(METRICS.search(path) for path in later):
        return "trained", ""
    return "applied", ""


def _read(repository: Repository, revision: str, path: str) -> Parameters | None:
    text = repository.read(revision, path)
    return None if text is None else parse(text, path)


def parse(text: str, path: str) -> Parameters:
    """Parameters from the text of a best-parameters file.

    Raises:
        UsageError: it holds none.
    """
    from tunesmith.config.source import parse_document
    from tunesmith.reporting.parameters import params_and_meta

    params, meta = params_and_meta(parse_document(text, Path(path)).data, path)
    return Parameters(text, params, meta or {})


# -- apply ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Applied:
    """What a training branch was given."""

    branch: str
    commit: str
    parameters: Parameters
    is_new: bool
    """Whether a commit was added; there is none where the branch has them already."""
    changes: tuple[str, ...]
    """``name: old -> new`` of what differs from before."""


def apply(
    repository: Repository, name: str, best: str, sources: tuple[str, ...], *, force: bool = False
) -> Applied:
    """Bring the tuned parameters to the training branch, as one commit.

    Args:
        repository: where.
        name: of the experiment.
        best: path of the best-parameters file.
        sources: paths of what the parameters were found with: when they have changed since, the
            parameters are stale.
        force: apply although they are stale, edited, or the training branch has its own.

    Raises:
        UsageError: there is nothing to apply, or it should not be applied; with the way out.
    """
    experiment = find(repository, name, best)
    tuning, training = f"{TUNING}{name}", f"{TRAINING}{name}"
    if experiment.tuning is None or experiment.training is None:
        missing = tuning if experiment.tuning is None else training
        raise UsageError(
            f"there is no branch `{missing}`.\n  Fetch it: `git fetch origin {missing}`."
        )
    tuned = _read(repository, experiment.tuning, best)
    if tuned is None or experiment.state == "begun":
        raise UsageError(
            f"`{tuning}` has no tuned parameters yet ({best}).\n  Run the study there, and commit."
        )
    if not force:
        _refuse(repository, experiment, tuned, best, sources)
    _check_place(repository, training)
    before = _read(repository, experiment.training, best)
    changes = tuple(differences(before.params if before else {}, tuned.params))
    message = _message(name, tuned, experiment.tuning, changes)
    commit = repository.commit_files(training, {best: tuned.text}, message)
    return Applied(training, commit, tuned, commit != experiment.training, changes)


def _refuse(
    repository: Repository,
    experiment: Experiment,
    tuned: Parameters,
    best: str,
    sources: tuple[str, ...],
) -> None:
    tuning, training = f"{TUNING}{experiment.name}", f"{TRAINING}{experiment.name}"
    assert experiment.tuning is not None and experiment.training is not None  # noqa: S101, PT018
    problems = []
    if tuned.is_edited:
        problems.append(f"{best} on `{tuning}` was edited after it was written by the study.")
    found = repository.last_change(experiment.tuning, best)
    for path in sources:
        changed = repository.last_change(experiment.tuning, path)
        if found and changed and changed != found and not repository.is_ancestor(changed, found):
            problems.append(f"{path} has changed on `{tuning}` since these parameters were found.")
    base = repository.merge_base(experiment.tuning, experiment.training)
    if base is not None and _has_own(repository, base, experiment.training, best):
        problems.append(f"{best} on `{training}` has changes of its own.")
    if problems:
        way = "  Run the study again and commit, or insist: `--force`."
        raise UsageError("\n".join([*problems, way]))


def _has_own(repository: Repository, base: str, training: str, best: str) -> bool:
    """Whether the parameters of the training branch come from somebody else than ``apply``."""
    if repository.read(base, best) == repository.read(training, best):
        return False
    own = _read(repository, training, best)
    return own is not None and own.is_edited


def _check_place(repository: Repository, training: str) -> None:
    if training not in repository.local_branches():
        raise UsageError(
            f"`{training}` is on a remote only.\n  Make it yours: `git branch {training}"
            f" origin/{training}`."
        )
    place = repository.checked_out().get(training)
    if place is not None:
        raise UsageError(
            f"`{training}` is checked out in {place}: a commit would go behind its back.\n"
            "  Switch to another branch there: `git switch -`."
        )


def _message(name: str, tuned: Parameters, commit: str, changes: tuple[str, ...]) -> str:
    meta = tuned.meta
    found = f"trial {meta['trial']} of study {meta['study']}" if "trial" in meta else "tuning"
    score = f": {meta['metric']} {meta['mean']:.6g}" if "mean" in meta else ""
    lines = [f"tune: parameters of {found}{score}", ""]
    lines += [*(f"- {change}" for change in changes), ""] if changes else []
    lines += [f"From {TUNING}{name} at {commit}.", "", f"{TRAILER}: {tuned.digest}", ""]
    return "\n".join(lines)
