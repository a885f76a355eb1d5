"""States of experiments, read from Git alone, each with the command that comes next."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import UsageError, did_you_mean
from tunesmith.parameters.shape import PLAIN
from tunesmith.pipeline.branches.experiment import shown_name
from tunesmith.pipeline.branches.survey import Facts, Survey
from tunesmith.pipeline.branches.ways import UNCHANGED, is_unchanged, origin_of, way_on
from tunesmith.pipeline.committed import joined
from tunesmith.pipeline.dvc.document import LOCK
from tunesmith.pipeline.repository import Repository, Tip

METRICS = re.compile(r"(^|/)[\w.-]*metrics[\w.-]*\.(json|ya?ml)\Z")
"""Names of files in which training leaves its results."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """State of one experiment."""

    name: str
    state: str
    """``begun``, ``tuned``, ``applied``, ``trained``, ``merged`` or ``incomplete``."""
    note: str = ""
    next: str = ""
    """The next command; empty if nothing is left to do."""
    tuning: str | None = None
    """The commit of its tuning branch."""
    training: str | None = None
    """The commit of its training branch."""

    def as_json(self) -> Mapping[str, Any]:
        """Return the state as data for other programs."""
        return asdict(self)


def experiments(
    repository: Repository, names: Sequence[str], *, with_gone: bool = False
) -> list[Experiment]:
    """Return all experiments, sorted by name.

    Args:
        repository: to work in.
        names: possible names of configurations, as the repository names them; the first counts.
        with_gone: also those that were merged and whose branches are gone.
    """
    survey = Survey(repository, names)
    known = survey.experiments
    own = sorted(name for name in known if survey.owner(name) == survey.projects.own)
    listed = [_experiment(survey, facts) for facts in survey.facts(own)]
    if with_gone:
        notes = [n for n in survey.merged_notes if survey.projects.is_own(n.project)]
        gone = {note.experiment for note in notes} - known
        listed += map(_gone, gone)
    return sorted(listed, key=lambda e: e.name)


def find(repository: Repository, names: Sequence[str], name: str) -> Experiment:
    """Return one experiment.

    Args:
        repository: to work in.
        names: as above.
        name: of the experiment.

    Raises:
        UsageError: there is none of this name.
    """
    survey = Survey(repository, names)
    known = survey.experiments
    if name in known and (owner := survey.owner(name)) != survey.projects.own:
        raise UsageError(
            f"experiment {shown_name(name)} is of the project in {owner or 'the top folder'}.\n"
            f"  Ask there: `cd {shlex.quote(_from_here(repository, owner))}`."
        )
    if name in known:
        return _experiment(survey, survey.facts([name])[0])
    notes = [note for note in survey.merged_notes if survey.projects.is_own(note.project)]
    if any(note.experiment == name for note in notes):
        return _gone(name)
    hint = did_you_mean(name, [n for n in known if n.isprintable()])
    begin = "Begin one: `tunesmith experiment start NAME`."
    raise UsageError(f"there is no experiment {shown_name(name)}. {hint or begin}")


def _from_here(repository: Repository, folder: str) -> str:
    root, here = repository.root.resolve(), Path.cwd()
    return os.path.relpath(root / folder, here) if here.is_relative_to(root) else str(root / folder)


def _gone(name: str) -> Experiment:
    return Experiment(name=name, state="merged", note="its branches are gone")


def _experiment(survey: Survey, facts: Facts) -> Experiment:
    state, note = _state(survey, facts)
    branches, tips = survey.prefixes.branches(_clean(facts.name)), (facts.tuning, facts.training)
    parted = [b for b, tip in zip(branches, tips, strict=True) if tip and tip.has_parted]
    if parted and state != "merged":
        note = f"{' and '.join(parted)} and the remote's have parted"
    tuning, training = (tip.commit if tip else None for tip in tips)
    following = way_on(survey, facts, state)
    return Experiment(
        name=facts.name, state=state, note=note, next=following, tuning=tuning, training=training
    )


def _state(survey: Survey, facts: Facts) -> tuple[str, str]:
    # First, because a merged experiment may lack all that the other questions are about.
    if (into := _merged_into(survey, facts)) is not None:
        return "merged", into
    if facts.training is None or (facts.tuning is None and not facts.notes):
        tuning, training = survey.prefixes.branches(_clean(facts.name))
        return "incomplete", f"there is no branch {tuning if facts.tuning is None else training}"
    if facts.layout.outputs is None:
        return "incomplete", "its configuration is missing or cannot be read"
    if facts.tuning is not None and facts.base is None:
        return "incomplete", f"its branches have no commit in common here{_unshallow(survey)}"
    if facts.tuning is not None and not _is_applied(survey, facts):
        if not _is_tuned(survey, facts):
            return "begun", _since_begun(survey, facts)
        what = "what was found since is" if facts.notes else "its parameters are"
        return "tuned", f"{what} not on the training branch"
    return _since_applied(survey, facts)


def _unshallow(survey: Survey) -> str:
    repository = survey.repository
    return f": `{repository.fetch_command()}`" if repository.is_shallow() else ""


def _since_begun(survey: Survey, facts: Facts) -> str:
    """Advice if a run leaves all files as they are."""
    tuning, main = facts.tuning, survey.main
    outputs = facts.layout.outputs
    report = None if outputs is None else survey.at(tuning, facts.layout.path(outputs.report))
    if tuning is None or main is None or report is None or tuning.commit != facts.base:
        return ""
    branches = shlex.join(survey.prefixes.branches(_clean(facts.name)))
    return (
        "with results of before; if a run changes none of them, nothing is left to do:"
        f" `git switch {main[0]} && git branch -D {branches}`"
    )


def _since_applied(survey: Survey, facts: Facts) -> tuple[str, str]:
    """State and advice after an ``apply``: were results of training committed since?"""
    best, training = facts.layout.best, facts.training
    if best is None or training is None or facts.layout.outputs is None:
        return "applied", ""
    since = _given_by(survey, facts, training, best)
    is_other = False
    if facts.notes:
        since = facts.notes[0].commit
        is_other = (
            survey.digest(survey.at(training, best), best, facts.layout.shape)
            != facts.notes[0].digest
        )
    changed = survey.repository.changed_since(since, training.commit) if since else []
    # Tuning's own metrics tell nothing of training.
    own = {facts.layout.path(name) for name in facts.layout.outputs.paths.values()}
    is_trained = any(METRICS.search(path) for path in changed if path not in own)
    # DVC notes what it has run; training may leave no metrics.
    is_trained |= bool(facts.layout.training) and joined(facts.layout.pipeline, LOCK) in changed
    if is_trained or is_other or facts.tuning is None or not is_unchanged(survey, facts):
        note = "parameters were edited there since" if is_other else ""
        return "trained" if is_trained else "applied", note
    return "applied", UNCHANGED


def _given_by(survey: Survey, facts: Facts, training: Tip, best: str) -> str | None:
    """The commit by which a training branch got its parameters without a note of ``apply``."""
    repository, base = survey.repository, origin_of(survey, facts)
    # What was trained before the experiment began tells nothing of it.
    if base is not None and best not in repository.changed_since(base, training.commit):
        return base
    return repository.last_change(training.commit, best)


def _merged_into(survey: Survey, facts: Facts) -> str | None:
    """Words for the branch that it was merged into; ``None`` if it was not merged."""
    if survey.main is None:
        return None
    name, target = survey.main
    training = facts.training
    if training is None:
        is_there = any(note.experiment == facts.name for note in survey.merged_notes)
        return f"into {name}" if is_there else None
    if training.commit in survey.merged:
        return f"into {name}" if _is_more_than_begun(survey, facts, training) else None
    return f"into {name}, squashed" if _is_squashed(survey, facts, target) else None


def _is_more_than_begun(survey: Survey, facts: Facts, training: Tip) -> bool:
    """Check if a training branch that the main branch holds has had parameters of its own."""
    if facts.tuning is None:
        return any(note.experiment == facts.name for note in survey.merged_notes)
    return training.commit != facts.base or _is_merged_tuning(survey, facts)


def _is_merged_tuning(survey: Survey, facts: Facts) -> bool:
    """Tell whether the main branch has the results, and training needed nothing of them."""
    tuning, main = facts.tuning, survey.main
    if tuning is None or main is None or tuning.commit == facts.base:
        return False
    is_there = tuning.commit in survey.merged or _are_results_there(survey, facts, main[1])
    return is_there and is_unchanged(survey, facts) and _is_applied(survey, facts)


def _is_squashed(survey: Survey, facts: Facts, target: str) -> bool:
    """Tell whether the main branch got these parameters by a commit of its own."""
    best, training = facts.layout.best, facts.training
    own = survey.at(training, best)
    if own is None or best is None or training is None:
        return False
    base = facts.base or survey.repository.merge_base(training.commit, target)
    if base is None:
        return False
    # The main branch has the file of a branch that never changed it, too: that is no merge.
    if survey.at(base, best) == own:
        return _are_results_there(survey, facts, target)
    # Later commits may have changed the file again, so every version since the base is asked.
    versions = survey.repository.versions(target, best, unless=base)
    survey.read([*versions, own])
    shape = facts.layout.shape
    digest = survey.digest(own, best, shape)
    return digest is not None and digest in {survey.digest(b, best, shape) for b in versions}


def _are_results_there(survey: Survey, facts: Facts, target: str) -> bool:
    """Tell whether the main branch got the results of a study whose winner was known before."""
    base, tuning, layout = origin_of(survey, facts), facts.tuning, facts.layout
    if base is None or tuning is None or not _is_applied(survey, facts):
        return False
    changed = [p for p in layout.results if survey.at(base, p) != survey.at(tuning, p)]
    versions = survey.repository.versions
    return all(survey.at(tuning, path) in versions(target, path, unless=base) for path in changed)


def _is_tuned(survey: Survey, facts: Facts) -> bool:
    """Tell whether a study has been run on the tuning branch."""
    base, tuning = origin_of(survey, facts), facts.tuning
    if base is None or tuning is None or survey.at(tuning, facts.layout.found) is None:
        return False
    return any(survey.at(base, path) != survey.at(tuning, path) for path in facts.layout.results)


def _is_applied(survey: Survey, facts: Facts) -> bool:
    layout = facts.layout
    tuned, own = survey.at(facts.tuning, layout.found), survey.at(facts.training, layout.best)
    if tuned is None or own is None:
        return False
    if facts.notes:
        # Another trial than the winner may have been taken, and edited since.
        return survey.at(facts.notes[0].source, layout.found) == tuned
    digest = survey.digest(own, layout.best, layout.shape)
    shape = layout.shape if layout.found == layout.best else PLAIN
    is_same = digest is not None and digest == survey.digest(tuned, layout.found, shape)
    return is_same and _is_tuned(survey, facts)


def _clean(name: str) -> str:
    # Git allows invisible characters in names, such as those that turn the direction of text.
    return name if name.isprintable() else ascii(name)
