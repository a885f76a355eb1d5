"""Where experiments stand, told from Git alone."""

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.config.load import project_root
from tunesmith.config.model import Outputs
from tunesmith.config.source import parse_document
from tunesmith.errors import UsageError, did_you_mean
from tunesmith.pipeline.committed import joined, parse_parameters
from tunesmith.pipeline.dvc.document import FILE
from tunesmith.pipeline.experiment import TRAINING, TUNING, shown_name
from tunesmith.pipeline.notes import EXPERIMENT, Note, notes_in
from tunesmith.pipeline.repository import Repository, Tip

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
    """``begun``, ``tuned``, ``applied``, ``trained``, ``merged`` or ``incomplete``."""
    note: str = ""
    next: str = ""
    """The command that takes it further; empty where nothing is left to do."""


@dataclass(frozen=True)
class _Facts:
    """What one experiment's state is told from."""

    name: str
    tuning: Tip | None
    training: Tip | None
    base: str | None
    outputs: Outputs | None
    """As the tuning branch has them; ``None`` where its configuration cannot be read."""
    folder: str
    has_pipeline: bool
    notes: Sequence[Note]
    """On its training branch, the newest first."""

    def path(self, name: str | None) -> str | None:
        return None if name is None else joined(self.folder, name)

    @property
    def found(self) -> str | None:
        """The file of what the study has found."""
        return self.path(self.outputs.tuned or self.outputs.best) if self.outputs else None

    @property
    def best(self) -> str | None:
        """The file that training reads."""
        return self.path(self.outputs.best) if self.outputs else None

    @property
    def results(self) -> list[str]:
        """Files that change when a study has been run."""
        named = self.outputs
        listed = [named.tuned or named.best, named.report, named.history] if named else []
        return [path for name in listed if (path := self.path(name)) is not None]


@dataclass
class Survey:
    """Every experiment of a repository, looked at with a few calls of Git."""

    repository: Repository
    names: Sequence[str]
    """What configurations may be called, as the repository names them; the first counts."""
    _blobs: dict[tuple[str, str], str | None] = field(default_factory=dict)
    _texts: dict[str, bytes] = field(default_factory=dict)

    # -- the whole ---------------------------------------------------------------------------

    @cached_property
    def tips(self) -> dict[str, Tip]:
        """Of all branches to tune or to train on."""
        return self.repository.tips((TUNING, TRAINING))

    @cached_property
    def main(self) -> tuple[str, str] | None:
        """The branch that experiments are merged into, and its newest commit."""
        name = self.repository.main_branch()
        return None if name is None else (name, self.repository.tips((name,))[name].commit)

    @cached_property
    def merged(self) -> set[str]:
        """Commits of branches that the main branch holds."""
        return set() if self.main is None else self.repository.merged_into(self.main[1])

    @cached_property
    def merged_notes(self) -> list[Note]:
        """Of all parameters that the main branch was given."""
        return [] if self.main is None else self._notes([self.main[1]], None)

    def experiments(self, *, with_gone: bool = False) -> list[Experiment]:
        """All of them, by name.

        Args:
            with_gone: also those that were merged and whose branches are gone.
        """
        names = {tip.partition("/")[2] for tip in self.tips}
        found = self._states(sorted(names))
        if with_gone:
            gone = {note.experiment for note in self.merged_notes} - names
            found += [self._gone(name) for name in gone]
        return sorted(found, key=lambda e: e.name)

    def find(self, name: str) -> Experiment:
        """One of them.

        Raises:
            UsageError: there is none of this name.
        """
        names = {tip.partition("/")[2] for tip in self.tips}
        if name in names:
            return self._states([name])[0]
        if any(note.experiment == name for note in self.merged_notes):
            return self._gone(name)
        hint = did_you_mean(name, [n for n in names if n.isprintable()])
        begin = "Begin one: `tunesmith experiment start NAME`."
        raise UsageError(f"there is no experiment {shown_name(name)}. {hint or begin}")

    def _gone(self, name: str) -> Experiment:
        return Experiment(name, None, None, "merged", "its branches are gone")

    # -- facts -------------------------------------------------------------------------------

    def _states(self, names: Sequence[str]) -> list[Experiment]:
        facts = self._facts(names)
        self._look_up([pair for f in facts for pair in _pairs(f)])
        self._read([b for f in facts for b in (self._at(f.tuning, f.found), self._own(f)) if b])
        return [self._experiment(f) for f in facts]

    def _facts(self, names: Sequence[str]) -> list[_Facts]:
        tips = [(self.tips.get(TUNING + n), self.tips.get(TRAINING + n)) for n in names]
        commits = [(one or other).commit for one, other in tips if one or other]  # type: ignore[union-attr]
        configs = self._configs(commits)
        training = [other.commit for _, other in tips if other]
        unless = self.main and self.main[1]
        notes = self._notes(training, unless)
        found = []
        for name, (one, other), config in zip(names, tips, configs, strict=True):
            base = self.repository.merge_base(one.commit, other.commit) if one and other else None
            own = [note for note in notes if note.experiment == name]
            found.append(_Facts(name, one, other, base, *config, own))
        return found

    def _configs(self, commits: Sequence[str]) -> list[tuple[Outputs | None, str, bool]]:
        """What the configuration of a commit says: outputs, project folder, whether DVC runs it."""
        pairs = [(commit, name) for commit in commits for name in self.names]
        self._look_up(pairs)
        chosen = [
            next((n for n in self.names if self._blobs[commit, n]), None) for commit in commits
        ]
        folders = ["" if n is None else _folder(n) for n in chosen]
        files = [(c, posixpath.join(f, FILE)) for c, f in zip(commits, folders, strict=True)]
        self._look_up(files)
        blobs = [
            None if n is None else self._blobs[c, n] for c, n in zip(commits, chosen, strict=True)
        ]
        texts = self.repository.contents([blob for blob in blobs if blob])
        read = {
            (blob, name): _outputs(texts[blob], name)
            for blob, name in zip(blobs, chosen, strict=True)
            if blob and name
        }
        return [
            (read.get((blob, name)) if blob and name else None, folder, bool(self._blobs[file]))
            for blob, name, folder, file in zip(blobs, chosen, folders, files, strict=True)
        ]

    def _notes(self, revisions: Sequence[str], unless: str | None) -> list[Note]:
        found = self.repository.messages(EXPERIMENT, dict.fromkeys(revisions), unless)
        return [note for commit, message in found for note in notes_in(commit, message)]

    def _look_up(self, pairs: Sequence[tuple[str, str]]) -> None:
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._blobs]
        self._blobs |= dict(zip(new, self.repository.blobs(new), strict=True))

    def _read(self, blobs: Sequence[str]) -> None:
        self._texts |= self.repository.contents(b for b in blobs if b not in self._texts)

    def _digest(self, blob: str, path: str) -> str | None:
        """Of the parameters in a file; ``None`` where it holds none."""
        self._read([blob])
        try:
            return parse_parameters(self._texts[blob].decode("utf-8-sig"), path).digest
        except (UsageError, ValueError):
            return None

    def _at(self, tip: Tip | str | None, path: str | None) -> str | None:
        if tip is None or path is None:
            return None
        pair = (tip if isinstance(tip, str) else tip.commit, path)
        self._look_up([pair])
        return self._blobs[pair]

    def _own(self, facts: _Facts) -> str | None:
        return self._at(facts.training, facts.best)

    # -- states ------------------------------------------------------------------------------

    def _experiment(self, facts: _Facts) -> Experiment:
        state, note = self._state(facts)
        one, other = facts.tuning, facts.training
        parted = [
            kind + facts.name
            for kind, tip in ((TUNING, one), (TRAINING, other))
            if tip and tip.has_parted
        ]
        if parted and state != "merged":
            note = f"{' and '.join(parted)} and the remote's have parted"
        tuning, training = (tip.commit if tip else None for tip in (one, other))
        return Experiment(facts.name, tuning, training, state, note, _next(facts, state))

    def _state(self, facts: _Facts) -> tuple[str, str]:
        if (merged := self._merged(facts)) is not None:
            return merged
        if facts.training is None or (facts.tuning is None and not facts.notes):
            missing = TUNING if facts.tuning is None else TRAINING
            return "incomplete", f"there is no branch {missing}{_clean(facts.name)}"
        if facts.outputs is None:
            return "incomplete", "its configuration is missing or cannot be read"
        if facts.tuning is not None and not self._is_applied(facts):
            return ("tuned", self._why_tuned(facts)) if self._is_tuned(facts) else ("begun", "")
        applied = self._applied_at(facts)
        later = [] if applied is None else self._changed(facts, applied)
        edited = "" if self._is_as_applied(facts) else "parameters were edited there since"
        return ("trained" if any(map(METRICS.search, later)) else "applied"), edited

    def _merged(self, facts: _Facts) -> tuple[str, str] | None:
        if self.main is None:
            return None
        name, target = self.main
        training = facts.training
        if training is None:
            is_there = any(note.experiment == facts.name for note in self.merged_notes)
            return ("merged", f"into {name}") if is_there else None
        began = facts.base or self.repository.merge_base(training.commit, target)
        if training.commit in self.merged and (training.commit != began or facts.tuning is None):
            return "merged", f"into {name}"
        return ("merged", f"into {name}, squashed") if self._is_squashed(facts, target) else None

    def _is_squashed(self, facts: _Facts, target: str) -> bool:
        """Whether the main branch got these parameters by a commit of its own."""
        own, best, training = self._own(facts), facts.best, facts.training
        if own is None or best is None or training is None:
            return False
        base = facts.base or self.repository.merge_base(training.commit, target)
        if base is None or self._at(base, best) == own:
            return False
        versions = self.repository.versions(target, best, unless=base)
        self._read([*versions])
        digests = {self._digest(blob, best) for blob in versions} - {None}
        return self._digest(own, best) in digests

    def _is_tuned(self, facts: _Facts) -> bool:
        """Whether a study has been run on the tuning branch."""
        base, tuning = facts.base, facts.tuning
        if base is None or tuning is None or self._at(tuning, facts.found) is None:
            return False
        if base == tuning.commit and self.main is not None:
            # The tuning branch was merged into the training branch, or has only begun.
            base = self.repository.merge_base(base, self.main[1]) or base
        return any(self._at(base, path) != self._at(tuning, path) for path in facts.results)

    def _why_tuned(self, facts: _Facts) -> str:
        if facts.notes:
            return "what was found since is not on the training branch"
        return "its parameters are not on the training branch"

    def _is_applied(self, facts: _Facts) -> bool:
        found, own = self._at(facts.tuning, facts.found), self._own(facts)
        if found is None:
            return False
        if facts.notes:
            # Another trial than the winner may have been taken, and edited since.
            return self._at(facts.notes[0].source, facts.found) == found
        if own is None or facts.best is None or facts.found is None or not self._is_tuned(facts):
            return False
        digest = self._digest(own, facts.best)
        return digest is not None and digest == self._digest(found, facts.found)

    def _is_as_applied(self, facts: _Facts) -> bool:
        own = self._own(facts)
        if own is None or facts.best is None or not facts.notes:
            return True
        return self._digest(own, facts.best) == facts.notes[0].digest

    def _applied_at(self, facts: _Facts) -> str | None:
        if facts.notes:
            return facts.notes[0].commit
        if facts.training is None or facts.best is None:
            return None
        return self.repository.last_change(facts.training.commit, facts.best)

    def _changed(self, facts: _Facts, since: str) -> list[str]:
        """What training has changed: tuning's own outputs tell nothing of it."""
        if facts.training is None or facts.outputs is None:
            return []
        own = {facts.path(name) for _, name in facts.outputs}
        changed = self.repository.changed_since(since, facts.training.commit)
        return [path for path in changed if path not in own]


def _pairs(facts: _Facts) -> list[tuple[str, str]]:
    """Commits and paths that the state of an experiment may be told from."""
    found = [
        (tip, path)
        for tip in (facts.base, facts.tuning and facts.tuning.commit)
        if tip
        for path in facts.results
    ]
    if facts.best and facts.training:
        found.append((facts.training.commit, facts.best))
    if facts.found and facts.notes:
        found.append((facts.notes[0].source, facts.found))
    return found


def _next(facts: _Facts, state: str) -> str:
    name = shlex.quote(facts.name) if facts.name.isprintable() else "NAME"
    run = "dvc repro" if facts.has_pipeline else "tunesmith run"
    train = "dvc repro" if facts.has_pipeline else "train"
    return {
        "begun": f"git switch {TUNING}{name} && {run}, and commit",
        "tuned": f"tunesmith experiment apply {name}",
        "applied": f"git switch {TRAINING}{name}, {train}, and commit the metrics",
        "trained": f"git push origin {TRAINING}{name}, and open a pull request",
        "incomplete": f"git fetch origin {TUNING}{name} {TRAINING}{name}",
    }.get(state, "")


def _folder(config: str) -> str:
    return project_root(Path("/", config)).as_posix().strip("/")


def _outputs(data: bytes, name: str) -> Outputs | None:
    """The section of a configuration; other sections play no part here, right or wrong."""
    try:
        content: Any = parse_document(data.decode("utf-8-sig"), Path(name)).data
        return Outputs.model_validate(content.get("outputs") or {})
    except (UsageError, ValueError, AttributeError):
        return None


def _clean(name: str) -> str:
    return name if name.isprintable() else ascii(name)


def as_json(experiment: Experiment) -> Mapping[str, Any]:
    """As data for other programs."""
    return {
        "name": experiment.name,
        "state": experiment.state,
        "note": experiment.note,
        "next": experiment.next,
        "tuning": experiment.tuning,
        "training": experiment.training,
    }
