"""Evidence for the states of all experiments, looked up by a few calls of Git."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.config.model import OutputsSection
from tunesmith.config.prefixes import Prefixes
from tunesmith.config.source import parse_document
from tunesmith.errors import UsageError
from tunesmith.parameters.shape import PLAIN, Shape
from tunesmith.pipeline.branches.notes import EXPERIMENT, Note, notes_in
from tunesmith.pipeline.branches.prefixes import prefixes_of
from tunesmith.pipeline.branches.projects import Projects, folder_of
from tunesmith.pipeline.committed import joined, pipelines_at
from tunesmith.pipeline.dvc.places import Wanted, above, find, only_of
from tunesmith.pipeline.dvc.targets import training_targets
from tunesmith.pipeline.parameters import parse
from tunesmith.pipeline.repository import Repository, Tip
from tunesmith.space.parse import parse_space


@dataclass(frozen=True, kw_only=True)
class ProjectLayout:
    """Paths of a project's files and the names of its stages."""

    outputs: OutputsSection | None = None
    """``None`` if the configuration is missing or cannot be read."""
    folder: str = ""
    """The project folder within the repository."""
    tuning: str = ""
    """DVC's stage that tunes; empty if there is none."""
    training: tuple[str, ...] = ()
    """The last stages of those that train."""
    names: frozenset[str] | None = None
    """Every parameter that the study may write; ``None`` if that is not known."""
    pipeline: str = ""
    """Folder of ``dvc.yaml``; empty for the top of the repository."""

    def path(self, name: str | None) -> str | None:
        """Path of the configuration's, relative to the repository."""
        return None if name is None else joined(self.folder, name)

    @property
    def found(self) -> str | None:
        """Path of the tuned parameters."""
        return self.path(self.outputs.tuned or self.outputs.best.path) if self.outputs else None

    @property
    def best(self) -> str | None:
        """The file that training reads."""
        return self.path(self.outputs.best.path) if self.outputs else None

    @property
    def shape(self) -> Shape:
        """The place of the parameters in the file that training reads."""
        return Shape(self.outputs.best, self.names) if self.outputs else PLAIN

    @property
    def results(self) -> list[str]:
        """Files that change when a study has been run."""
        named = self.outputs
        listed = [named.tuned or named.best.path, named.report, named.history] if named else []
        return [path for name in listed if (path := self.path(name)) is not None]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Evidence for the state of one experiment."""

    name: str
    tuning: Tip | None
    training: Tip | None
    base: str | None
    """The commit that both branches come from."""
    layout: ProjectLayout
    """Layout on the tuning branch, or else on the training branch."""
    notes: Sequence[Note]
    """Notes of the parameters that its training branch was given, the newest first."""


@dataclass
class Survey:
    """The experiments of a repository."""

    repository: Repository
    names: Sequence[str]
    """Possible names of configurations, as the repository names them; the first counts."""
    _blobs: dict[tuple[str, str], str | None] = field(default_factory=dict)
    _texts: dict[str, bytes] = field(default_factory=dict)
    _digests: dict[tuple[str, str], str | None] = field(default_factory=dict)

    @cached_property
    def prefixes(self) -> Prefixes:
        """Prefixes of these branches."""
        return prefixes_of(self.repository, self.names, self.main and self.main[1])

    @cached_property
    def tips(self) -> dict[str, Tip]:
        """Tips of all branches to tune or to train on."""
        return self.repository.tips(self.prefixes.both)

    def tips_of(self, name: str) -> tuple[Tip | None, Tip | None]:
        """Tips of the branches of an experiment: to tune on, and to train on."""
        tuning, training = self.prefixes.branches(name)
        return self.tips.get(tuning), self.tips.get(training)

    @property
    def experiments(self) -> set[str]:
        """Names of the experiments that have a branch."""
        return {name for branch in self.tips if (name := self.prefixes.name_of(branch))}

    @cached_property
    def main(self) -> tuple[str, str] | None:
        """The branch that experiments are merged into, and its newest commit."""
        name = self.repository.main_branch()
        tip = None if name is None else self.repository.tips((name,)).get(name)
        return None if name is None or tip is None else (name, tip.commit)

    @cached_property
    def projects(self) -> Projects:
        """Projects of the repository."""
        return Projects(self.repository, folder_of(self.names[0]), self.main and self.main[1])

    def owner(self, name: str) -> str:
        """The folder of the project that an experiment belongs to."""
        return self.projects.owner(self.prefixes.branches(name)[0], self.tips_of(name))

    @cached_property
    def merged(self) -> set[str]:
        """Commits of branches that the main branch holds."""
        return set() if self.main is None else self.repository.merged_into(self.main[1])

    @cached_property
    def merged_notes(self) -> list[Note]:
        """Notes of all parameters that the main branch was given."""
        return [] if self.main is None else self._notes([self.main[1]], None)

    # -- many at a time ----------------------------------------------------------------------

    def facts(self, names: Sequence[str]) -> list[Facts]:
        """Facts about experiments that have a branch, in the order of the given names."""
        pairs = [self.tips_of(name) for name in names]
        layouts = self._layouts([tip.commit for one, other in pairs if (tip := one or other)])
        ends = [other.commit for _, other in pairs if other]
        notes = self._notes(ends, self.main and self.main[1])
        all_facts = [
            Facts(
                name=name,
                tuning=tuning,
                training=training,
                base=self._base(tuning, training),
                layout=layout,
                notes=[n for n in notes if n.experiment == name],
            )
            for name, (tuning, training), layout in zip(names, pairs, layouts, strict=True)
        ]
        # All at once: with many branches, a call of Git for each file would take seconds.
        self.look_up(pair for facts in all_facts for pair in _pairs(facts))
        places = [(f.tuning, f.layout.found) for f in all_facts]
        places += [(f.training, f.layout.best) for f in all_facts]
        self.read(blob for place in places if (blob := self.at(*place)))
        return all_facts

    def _base(self, tuning: Tip | None, training: Tip | None) -> str | None:
        if tuning is None or training is None:
            return None
        return self.repository.merge_base(tuning.commit, training.commit)

    def _notes(self, revisions: Sequence[str], unless: str | None) -> list[Note]:
        messages = self.repository.messages(EXPERIMENT, dict.fromkeys(revisions), unless)
        return [note for commit, message in messages for note in notes_in(commit, message)]

    def _layouts(self, commits: Sequence[str]) -> list[ProjectLayout]:
        """Layouts that the configuration of each commit, and DVC's file beside it, describe."""
        self.look_up((commit, name) for commit in commits for name in self.names)
        configs = [next((n for n in self.names if self._blobs[c, n]), None) for c in commits]
        files = [[] if n is None else [*above(folder_of(n)), *self._pipelines] for n in configs]
        self.look_up((c, f) for c, listed in zip(commits, files, strict=True) for f in listed)
        keys = [
            (n, self.at(c, n), tuple(self.at(c, f) for f in listed))
            for c, n, listed in zip(commits, configs, files, strict=True)
        ]
        self.read(blob for _, one, more in keys for blob in (one, *more) if blob)
        made: dict[object, ProjectLayout] = {}
        layouts = []
        for commit, listed, (name, config, pipelines) in zip(commits, files, keys, strict=True):
            # Most commits share these files, so that their layout is computed once.
            key = (name, config, pipelines, None if self._is_plain(pipelines) else commit)
            if key not in made:
                made[key] = self._layout(commit, name, config, listed)
            names = self._space_names(commit, name, config)
            layouts.append(replace(made[key], names=names))
        return layouts

    def _space_names(
        self, commit: str, name: str | None, config: str | None
    ) -> frozenset[str] | None:
        """Names of a configuration's parameters, whose space may lie in a file of its own."""
        try:
            if name is None or config is None:
                return None
            space = _sections(self._texts[config], name).get("space")
            if isinstance(space, str):
                path = joined(folder_of(name), space)
                blob = self.at(commit, path)
                if blob is None or path is None:
                    return None
                self.read([blob])
                space = parse_document(self._texts[blob].decode("utf-8-sig"), Path(path)).data
        except (UsageError, ValueError, AttributeError):
            return None
        parsed, _ = parse_space(space)
        return None if parsed is None else frozenset(parsed.names)

    @cached_property
    def _pipelines(self) -> list[str]:
        """Every ``dvc.yaml`` of the branch that experiments are merged into."""
        return [] if self.main is None else pipelines_at(self.repository, self.main[1])

    def _is_plain(self, blobs: Iterable[str | None]) -> bool:
        """Tell whether files say all: templates take values from others, which differ by commit."""
        texts = [self._texts[blob] for blob in blobs if blob]
        return not any(word in text for text in texts for word in (b"${", b"foreach", b"matrix"))

    def _layout(
        self, commit: str, name: str | None, config: str | None, pipelines: Sequence[str]
    ) -> ProjectLayout:
        if name is None or config is None:
            return ProjectLayout()
        folder = folder_of(name)
        outputs = _outputs(self._texts[config], name)
        if outputs is None:
            return ProjectLayout(outputs=None, folder=folder)
        results = [path for one in only_of(outputs) if (path := joined(folder, one)) is not None]
        wanted = Wanted("", name, results)
        try:
            stage = find(pipelines, wanted, lambda path: self._text(commit, path))
        except (UsageError, ValueError):
            stage = None
        best = joined(folder, outputs.best.path)
        if stage is None or best is None:
            return ProjectLayout(outputs=outputs, folder=folder)
        training = training_targets(stage.stages, best, stage.stage.name)
        return ProjectLayout(
            outputs=outputs,
            folder=folder,
            tuning=stage.stage.name,
            training=tuple(training),
            pipeline=stage.folder,
        )

    def _text(self, commit: str, path: str) -> str | None:
        blob = self.at(commit, path)
        if blob is None:
            return None
        self.read([blob])
        return self._texts[blob].decode("utf-8-sig")

    # -- files -------------------------------------------------------------------------------

    def look_up(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Find the blobs of commits and paths, by one call for all that are not known."""
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._blobs]
        self._blobs |= dict(zip(new, self.repository.blobs(new), strict=True))

    def read(self, blobs: Iterable[str]) -> None:
        """Read blobs, by one call for all that are not known."""
        self._texts |= self.repository.contents(b for b in blobs if b not in self._texts)

    def at(self, place: Tip | str | None, path: str | None) -> str | None:
        """The blob of a path at a commit; ``None`` if there is none."""
        if place is None or path is None:
            return None
        pair = (place if isinstance(place, str) else place.commit, path)
        self.look_up([pair])
        return self._blobs[pair]

    def digest(self, blob: str | None, path: str | None, shape: Shape = PLAIN) -> str | None:
        """Digest of the parameters that a file holds; ``None`` if it holds none."""
        if blob is None or path is None:
            return None
        if (blob, path) not in self._digests:
            self.read([blob])
            self._digests[blob, path] = _digest(self._texts[blob], path, shape)
        return self._digests[blob, path]


def _pairs(facts: Facts) -> list[tuple[str, str]]:
    """Commits and paths that a state may depend on."""
    layout, tuning = facts.layout, facts.tuning
    commits = [facts.base, tuning.commit if tuning else None]
    pairs = [(commit, path) for commit in commits if commit for path in layout.results]
    if layout.best and facts.training:
        pairs.append((facts.training.commit, layout.best))
    if layout.found and facts.notes:
        pairs.append((facts.notes[0].source, layout.found))
    return pairs


def _outputs(data: bytes, name: str) -> OutputsSection | None:
    """The section ``outputs`` of a configuration; mistakes in other sections do not matter here."""
    try:
        return OutputsSection.model_validate(_sections(data, name).get("outputs") or {})
    except (UsageError, ValueError, AttributeError):
        return None


def _sections(data: bytes, name: str) -> Any:
    return parse_document(data.decode("utf-8-sig"), Path(name)).data


def _digest(data: bytes, path: str, shape: Shape) -> str | None:
    try:
        return parse(data.decode("utf-8-sig"), path, shape).digest
    except (UsageError, ValueError):
        return None
