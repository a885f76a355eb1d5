"""Apply the results of a study to the branch that trains with them, as one commit."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tunesmith.analysis.compare import differences
from tunesmith.errors import UsageError
from tunesmith.pipeline.branches.blockers import (
    Blocker,
    against_lock,
    committed_record,
    modified,
    stale,
)
from tunesmith.pipeline.branches.chosen import TrialChoice, chosen, nothing_tuned
from tunesmith.pipeline.branches.notes import EXPERIMENT, note_lines, notes_in
from tunesmith.pipeline.branches.prefixes import prefixes_of
from tunesmith.pipeline.branches.program_file import has_same_values, program_files
from tunesmith.pipeline.branches.states import Experiment, find
from tunesmith.pipeline.branches.transfer import files_of, locked_stage, unlike_there
from tunesmith.pipeline.committed import CommittedStudy, study_at
from tunesmith.pipeline.parameters import Parameters, origin
from tunesmith.pipeline.repository import Repository, TreeEntry
from tunesmith.system.fingerprint import digest

WINNER = TrialChoice()


@dataclass(frozen=True, kw_only=True)
class Applied:
    """The parameters that a training branch was given, and the commit that has them."""

    branch: str
    commit: str
    parameters: Parameters
    where: str
    """File that the parameters were read from."""
    source: str
    """The commit of the tuning branch."""
    is_new: bool
    """True if a commit was added; false if the branch had all of it already."""
    files: tuple[str, ...]
    """Paths that may differ from before."""
    changes: tuple[str, ...]
    """``name: old -> new`` of the parameters."""
    insisted: tuple[str, ...] = ()
    """Blockers that ``force`` overruled."""


@dataclass(frozen=True, kw_only=True)
class _Way:
    """The two ends of an ``apply``: a study and a training branch."""

    there: CommittedStudy
    """The study on the tuning branch."""
    training: str
    """The commit of the training branch."""
    branch: str
    base: str
    """The commit from which both branches come."""
    applied: str | None
    """The commit that applied parameters last."""
    files: Mapping[str, TreeEntry | None]


def apply(
    repository: Repository,
    name: str,
    names: Sequence[str],
    choice: TrialChoice = WINNER,
    *,
    force: bool = False,
    remote: str | None = None,
) -> Applied:
    """Apply the results to the training branch, as one commit; no working tree is touched.

    If the best parameters are an out of DVC's tuning stage, all of its results are applied, as they
    would not fit together otherwise; else the best-parameters file alone.

    Args:
        repository: to work in.
        name: of the experiment.
        names: possible names of its configuration, as the repository names it.
        choice: the trial whose parameters are applied.
        force: apply them although they are stale or edited, or the training branch has its own.
        remote: to push the training branch to; then both sides have it, or neither.

    Raises:
        UsageError: there is nothing to apply, or it should not be applied; with the remedy.
        GitError: the branch has moved meanwhile, or the remote refuses; nothing was changed.
    """
    branches = prefixes_of(repository, names).branches(name)
    # Read first: `set_branch` refuses if the branch has moved since.
    before = repository.local_branches().get(branches[1])
    experiment = find(repository, names, name)
    there, base = _both(repository, experiment, names, branches)
    report = there.path(there.outputs.report)
    if experiment.state == "begun" and not repository.entries(there.commit, [report]):
        raise nothing_tuned(there)
    parameters, where = _parameters(there, base, choice)
    way = _way(there, experiment, branches[1], base, parameters)
    insisted = _refuse(way, choice, force=force)
    done = _planned(way, _with_origin(there, parameters), where, insisted)
    message = _message(name, done, branches[0], there.folder)
    commit = repository.commit_on(way.training, way.files, message)
    repository.set_branch(way.branch, commit, before, remote)
    return replace(done, commit=commit, is_new=commit != way.training)


def _with_origin(there: CommittedStudy, parameters: Parameters) -> Parameters:
    """Return parameters with the trial that they come from, also if their file does not name it."""
    record = None if parameters.meta else committed_record(there)
    if record is None:
        return parameters
    metric, wanted = record.objectives[0].name, parameters.digest
    trials = (t for t in record.history.successful if digest(dict(t.params)) == wanted)
    trial = next(trials, None)
    if trial is None:
        return parameters
    meta = {"study": record.head.name, "trial": trial.number, "metric": metric}
    return replace(parameters, meta={**meta, "mean": trial.mean(metric), "digest": wanted})


def _planned(way: _Way, parameters: Parameters, where: str, insisted: tuple[str, ...]) -> Applied:
    before = _before(way)
    return Applied(
        branch=way.branch,
        commit=way.training,
        parameters=parameters,
        where=where,
        source=way.there.commit,
        is_new=False,
        files=tuple(sorted(way.files)),
        changes=tuple(differences(before.params if before else {}, parameters.params)),
        insisted=insisted,
    )


# -- the two branches ----------------------------------------------------------------------------


def _both(
    repository: Repository, experiment: Experiment, names: Sequence[str], branches: tuple[str, str]
) -> tuple[CommittedStudy, str]:
    """The study on the tuning branch, and the commit that both branches come from."""
    tuning, training = branches
    if experiment.tuning is None or experiment.training is None:
        if experiment.state == "merged":
            raise UsageError(
                f"experiment `{experiment.name}` is merged ({experiment.note}): there is nothing to"
                " bring.\n  Begin another one: `tunesmith experiment start NAME`."
            )
        missing = tuning if experiment.tuning is None else training
        raise UsageError(
            f"there is no branch `{missing}`.\n  Fetch it, or begin it: `{experiment.next}`."
        )
    _refuse_place(repository, tuning, training)
    there = study_at(repository, experiment.tuning, tuning, names)
    if there is None:
        raise UsageError(
            f"there is no configuration on `{tuning}` (looked for {', '.join(names)}).\n"
            "  Name it with `-c FILE`."
        )
    base = repository.merge_base(experiment.tuning, experiment.training)
    if base is None:
        way = (
            f"This clone is shallow: `{repository.fetch_command(tuning, training)}`."
            if repository.is_shallow()
            else "Begin a new experiment: `tunesmith experiment start NAME`."
        )
        raise UsageError(f"`{tuning}` and `{training}` have no commit in common.\n  {way}")
    return there, base


def _refuse_place(repository: Repository, tuning: str, training: str) -> None:
    tips = repository.tips((tuning, training))
    for branch in (tuning, training):
        if tips[branch].has_parted:
            raise UsageError(_parted(repository, branch))
    # If a checked-out branch moved, its working tree would show the reverse as changes.
    place = repository.checked_out().get(training)
    if place is not None:
        raise UsageError(
            f"`{training}` is checked out in {place}: a commit would go behind its back.\n"
            f"  Switch to another branch there: `{_switch(repository, place)}`."
        )


def _parted(repository: Repository, branch: str) -> str:
    said = f"`{branch}` and that of the remote have parted: each has commits that the other lacks."
    remotes = repository.remote_branches().get(branch, [])
    for tip in remotes:
        # `pull --rebase` would bring back the very commits that were rewritten here.
        if repository.was_here(branch, tip.commit):
            return (
                f"{said}\n  It was rewritten here (rebased or amended). If nobody else works on it:"
                f" `git push --force-with-lease {tip.remote} {branch}`."
            )
    return (
        f"{said}\n  Bring them together: `git switch {branch} && git pull --rebase"
        f" {remotes[0].remote} {branch}`."
    )


def _switch(repository: Repository, place: str) -> str:
    """Command by which a working tree leaves a branch, for the main one or else for no branch."""
    main, taken = repository.main_branch(), repository.checked_out()
    is_free = main is not None and taken.get(main, place) == place
    is_here = Path(place).resolve() == repository.root.resolve()
    aside = [] if is_here else ["-C", place]
    return shlex.join(["git", *aside, "switch", str(main) if is_free else "--detach"])


def _parameters(there: CommittedStudy, base: str, choice: TrialChoice) -> tuple[Parameters, str]:
    choice_there = chosen(there, base, choice)
    winner = there.parameters(there.found)
    # The stage's outs stand together in `dvc.lock`: another trial's parameters would not match it.
    if there.is_tight and winner is not None and winner.digest != choice_there.parameters.digest:
        raise UsageError(
            f"{there.best} is an out of DVC's tuning stage: only what the study itself chooses can"
            " be brought.\n"
            f"  Let it choose: set `selection:` in {there.config} on `{there.branch}`,"
            " run it again (nothing is evaluated twice), and commit."
        )
    return choice_there.parameters, choice_there.where


def _way(
    there: CommittedStudy, experiment: Experiment, branch: str, base: str, parameters: Parameters
) -> _Way:
    repository, training = there.repository, str(experiment.training)
    # Only since the base: older notes are of experiments before this one.
    messages = repository.messages(EXPERIMENT, [training], unless=base)
    notes = (note for commit, text in messages for note in notes_in(commit, text))
    applied = next((n.commit for n in notes if n.experiment == experiment.name), None)
    return _Way(
        there=there,
        training=training,
        branch=branch,
        base=base,
        applied=applied,
        files=_files(there, training, parameters),
    )


def _files(
    there: CommittedStudy, training: str, parameters: Parameters
) -> dict[str, TreeEntry | None]:
    pipeline, repository = there.pipeline, there.repository
    if pipeline is not None and there.is_tight and pipeline.locked is not None:
        return files_of(there, pipeline, training)
    own = program_files(there, training, parameters.params)
    present = repository.entries(training, [there.best]).get(there.best)
    mode = present.mode if present else "100644"
    text = _in_shape(there, training, parameters)
    return {**own, there.best: TreeEntry(mode, repository.store(text))}


def _in_shape(there: CommittedStudy, training: str, parameters: Parameters) -> str:
    """The file on the training branch once it holds these parameters: its shape stays."""
    repository, path = there.repository, Path(there.best)
    # A training branch that lacks the file gets the shape that the tuning branch has.
    before = repository.read(training, there.best) or repository.read(there.commit, there.best)
    shape = there.shape
    if shape.is_whole(parameters.text, path) and (before is None or shape.is_whole(before, path)):
        return parameters.text
    return shape.write(before, path, parameters.params, parameters.meta)


def _before(way: _Way) -> Parameters | None:
    """Parameters that the training branch trains with so far."""
    try:
        return replace(way.there, commit=way.training, branch=way.branch).parameters(way.there.best)
    except UsageError:
        return None


# -- blockers ------------------------------------------------------------------------------------


def _refuse(way: _Way, choice: TrialChoice, *, force: bool) -> tuple[str, ...]:
    """Refuse with all blockers at once, each with its remedy.

    Returns:
        The blockers that ``force`` overruled.
    """
    blockers = list(_blockers(way, choice))
    # A firm blocker means that DVC would tune again on the training branch, which `--force` cannot
    # help.
    is_firm = any(blocker.is_firm for blocker in blockers)
    if blockers and (is_firm or not force):
        lines = [line for o in blockers for line in (o.reason, f"  {o.way}")]
        if not is_firm:
            lines.append("Or insist: `--force`.")
        raise UsageError("\n".join(lines))
    return tuple(blocker.reason for blocker in blockers)


def _blockers(way: _Way, choice: TrialChoice) -> Iterator[Blocker]:
    there = way.there
    winner, record = there.parameters(there.found), committed_record(there)
    # `--take edited` says that the edit is wanted, so it is no reason against.
    if winner is not None and choice.take != "edited":
        yield from modified(there, winner, record)
    yield from stale(there, record)
    yield from against_lock(there)
    yield from _own_changes(way)
    if there.pipeline is not None and there.is_tight:
        yield from unlike_there(there, there.pipeline, way.training, way.branch, way.files)


def _own_changes(way: _Way) -> Iterator[Blocker]:
    """Yield the changes made on the training branch itself that would be lost."""
    # What an earlier `apply` brought is no change of the branch's own.
    repository, reference = way.there.repository, way.applied or way.base
    own = []
    for path, entry in way.files.items():
        before, now = repository.blobs([(reference, path), (way.training, path)])
        wanted = None if entry is None else entry.blob
        # A change to the wanted content is none that would be lost.
        if now not in (before, wanted) and not _says_the_same(way, path, reference):
            own.append(path)
    if own:
        verb = "has" if len(own) == 1 else "have"
        yield Blocker(
            f"{', '.join(own)} on `{way.branch}` {verb} changes of its own.",
            f"Look at them: `git diff {reference[:12]} {way.branch} -- {' '.join(own)}`.",
        )


def _says_the_same(way: _Way, path: str, reference: str) -> bool:
    """Tell whether two files with different text agree in what counts."""
    there, pipeline = way.there, way.there.pipeline
    # Training rewrites `dvc.lock` as well: only the block of the tuning stage counts.
    if pipeline is not None and path == pipeline.lock:
        return locked_stage(there, way.training) in (
            locked_stage(there, reference),
            pipeline.locked,
        )
    if path != there.best:
        return has_same_values(there, path, (reference, way.training))
    try:
        one, other = (replace(there, commit=c).parameters(path) for c in (reference, way.training))
    except UsageError:
        return False
    return one is not None and other is not None and one.digest == other.digest


# -- the commit ----------------------------------------------------------------------------------


def _message(name: str, done: Applied, tuning: str, project: str) -> str:
    listed = [f"- {text}" for text in (*done.changes, *(f"Overruled: {o}" for o in done.insisted))]
    lines = [f"tune: parameters of {origin(done.parameters)}", "", *listed]
    lines += [""] if listed else []
    lines += [f"From {tuning} at {done.source} ({done.where}).", ""]
    # A branch may be squashed or deleted later: these lines tell what it was given all the same.
    trailers = note_lines(name, done.parameters.digest, done.source, project)
    return "\n".join([*lines, *trailers, ""])
