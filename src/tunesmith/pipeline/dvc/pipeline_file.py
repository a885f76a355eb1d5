"""``dvc.yaml`` with the stages of a study in it."""

import json
import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.config.source import parse_document
from tunesmith.errors import ConfigError, FilePosition, UsageError, Violation
from tunesmith.formats import FormatError, yaml, yaml_blocks
from tunesmith.pipeline.dvc import wanted
from tunesmith.pipeline.dvc.agreement import study_stage
from tunesmith.pipeline.dvc.document import FILE
from tunesmith.pipeline.dvc.entries import view, written
from tunesmith.pipeline.dvc.inputs.dependencies import is_within
from tunesmith.pipeline.dvc.stages import LISTS, Coupling, Stage, stages_at
from tunesmith.pipeline.dvc.targets import downstream, upstream
from tunesmith.pipeline.dvc.wanted import Content, Paths, literal, path_in
from tunesmith.system.files import exact_text
from tunesmith.system.redact import texts

STAGE_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True)
class Request:
    """The user's choices for ``tunesmith dvc init``."""

    coupling: Coupling | None = None
    """By default the one that the file has, or else loose."""
    stage: str = "tuning"
    """Name of a new tuning stage."""
    training_stage: str = "training"
    training: str | None = None
    """The command that trains; by default it is guessed."""
    is_forced: bool = False
    """Replace stages that do something else."""


@dataclass(frozen=True, kw_only=True)
class PipelineFile:
    """A ``dvc.yaml``, read for one study; its stages' paths are relative to the project folder."""

    file: Path
    text: str
    stages: Mapping[str, Stage]
    tuning: Stage | None
    """The stage that runs the study."""
    request: Request
    root: Path
    """The project folder."""

    @classmethod
    def of(cls, definition: Definition, request: Request) -> "PipelineFile":
        """Read the file with the study's stage, or else that of the project folder.

        Raises:
            UsageError: it is no YAML, not of DVC's shape, or a name cannot be a stage's.
        """
        for option, name in (("stage", request.stage), ("training-stage", request.training_stage)):
            if not STAGE_NAME.match(name):
                raise UsageError(
                    f"--{option}: `{name}` cannot be a stage's name: letters, digits, `_`, `-`"
                )
        root = definition.root.resolve()
        stage, folder = study_stage(definition)
        file = folder / FILE
        stages = stages_at(file, FILE) if stage is None else stage.stages
        text = exact_text(file) or ""
        return cls(
            file=file,
            text=text,
            stages=stages,
            tuning=stage.stage if stage else None,
            request=request,
            root=root,
        )

    @property
    def raw(self) -> Content:
        """The stages as they stand in the file."""
        stages = yaml.read(self.text).get("stages") or {}
        return {name: content or {} for name, content in stages.items()}

    def raw_name(self, stage: str) -> str:
        """Name under which a stage stands in the file: a template makes several of one."""
        return stage if stage in self.raw else stage.rpartition("@")[0] or stage

    @property
    def wdir(self) -> str:
        """The project folder, relative to the file."""
        return Path(os.path.relpath(self.root, self.file.parent)).as_posix()

    @property
    def tuning_name(self) -> str:
        """Name of the tuning stage, present or new."""
        return self.request.stage if self.tuning is None else self.tuning.name

    def changed(
        self, paths: Paths, inputs: Sequence[str], columns: Sequence[str]
    ) -> tuple[str, tuple[str, ...]]:
        """Return the text with all stages and plots that the study needs, and notes.

        Args:
            paths: of its files, as they are going to be.
            inputs: everything that tuning is to depend on.
            columns: of the table of trials, to be drawn.

        Raises:
            UsageError: the text cannot be changed without changing something else in it.
            ConfigError: every stage and out that stands in the way.
        """
        trainers, notes = self._trainers(paths)
        # All obstacles before any change, so that you see them in one round.
        problems = [*self._problems(paths, trainers), *self._circles(paths, inputs)]
        if problems:
            raise ConfigError(problems)
        data = yaml.read(self.text)
        stages = self.raw
        own = self.raw_name(self.tuning_name)
        present = {} if self.tuning is None else stages[own]
        stages[own] = self._tuning_content(paths, present, inputs)
        stages |= trainers
        readers = [*dict.fromkeys([*map(self.raw_name, self.readers(paths)), *trainers])]
        readers = [name for name in readers if name != own]
        data["stages"] = _in_order(stages, own, readers)
        trials = posixpath.normpath(posixpath.join(self.wdir, paths.trials))
        plots, hint = _with_plot(data.get("plots"), own, trials, columns)
        if plots:
            data["plots"] = plots
        try:
            # Keeps the order of present stages; only a second step moves a new stage.
            text = yaml_blocks.rewrite(self.text, data)
            text = _before_readers(text, own, readers)
        except FormatError as error:
            raise UsageError(
                f"{FILE}: {error}.\n  Write that part out as lines of its own, and ask again."
            ) from None
        return text, (*notes, *hint)

    def readers(self, paths: Paths) -> list[str]:
        """The stages that read the best parameters."""
        own = self.tuning_name
        others = {n: stage for n, stage in self.stages.items() if n != own}
        return [n for n, stage in others.items() if stage.reads(paths.best, paths.best_place)]

    def trainers(self, paths: Paths) -> list[str]:
        """The stages that train, as far as they are there."""
        name = self.request.training_stage
        usual = [name] if name in self.stages and name != self.tuning_name else []
        return list(dict.fromkeys([*self.readers(paths), *usual]))

    def _tuning_content(self, paths: Paths, raw: Content, inputs: Sequence[str]) -> Content:
        """Return the content that the tuning stage needs.

        Raises:
            ConfigError: a template would have to be changed.
        """
        stage = self.tuning
        if stage is None:
            return wanted.tuning(paths, raw, inputs)
        # A template is compared and never edited: it makes other stages as well.
        is_made = "do" in raw or "matrix" in raw
        inner = raw["do"] if "do" in raw else {k: v for k, v in raw.items() if k != "matrix"}
        content = wanted.tuning(paths, view(stage, inner), inputs)
        lists = {key: written(key, stage, inner, content.get(key, ())) for key in LISTS}
        changed = {**inner, **{key: items for key, items in lists.items() if items}}
        changed = {key: value for key, value in changed.items() if lists.get(key, [value])}
        if not is_made:
            return changed
        if changed != inner:
            raise ConfigError([self._about_template(stage, inner, lists)])
        return raw

    def _about_template(self, stage: Stage, inner: Content, lists: Content) -> Violation:
        """Violation for a template, which makes other stages as well and is not ours to change."""
        name = self.raw_name(stage.name)
        rows = [
            f"{key}: {json.dumps(items)}"
            for key, items in lists.items()
            if items != (inner.get(key) or [])
        ]
        under = "under `do`" if "do" in self.raw[name] else "there"
        hint = f"Write {under}, with `${{item}}` where stages differ:\n    " + "\n    ".join(rows)
        message = f"a template makes the stage `{stage.name}`, which lacks entries."
        return self._violation(("stages", name), message, hint)

    def _trainers(self, paths: Paths) -> tuple[dict[str, Content], tuple[str, ...]]:
        """Training stages that are new or lack something, and notes."""
        name, asked, root = self.request.training_stage, self.request.training, self.root
        present = self.stages.get(name)
        is_read = bool(self.readers(paths))
        if present is not None and (asked is None or present.commands == (asked,)):
            if is_read or name == self.tuning_name or name not in self.raw:
                return {}, ()
            params = list(view(present, self.raw[name]).get("params") or [])
            lacking = wanted.with_best(params, paths)
            items = written("params", present, self.raw[name], lacking)
            return {name: {**self.raw[name], "params": items}}, ()
        command = asked or (None if is_read else wanted.guessed_training(root))
        if command is None:
            return {}, () if is_read else (HOW_TO_TRAIN,)
        content = wanted.training(paths, command, root)
        notes = tuple(_about_metrics(content, command, root))
        if self.wdir != ".":
            content = {"cmd": content.pop("cmd"), "wdir": self.wdir, **content}
        return {name: content}, notes

    def _problems(self, paths: Paths, trainers: Mapping[str, Content]) -> Iterator[Violation]:
        yield from self._taken(trainers)
        yield from self._owners((*paths.outs, paths.metrics))
        yield from _tracked((*paths.outs, paths.metrics), self.root)

    def _taken(self, trainers: Mapping[str, Content]) -> Iterator[Violation]:
        """Yield stages that do something else under the names that ours would have."""
        if self.request.is_forced:
            return
        name, training = self.request.stage, self.request.training_stage
        if self.tuning is None and name in self.stages:
            message = f"the stage does something else: {_command(self.stages[name])}"
            hint = "Choose another name with --stage NAME, or replace it with --force."
            yield self._violation(("stages", name), message, hint)
        present = self.stages.get(training)
        if present is not None and training in trainers and self._replaces(trainers[training]):
            message = f"the stage does something else: {_command(present)}"
            hint = "Choose another name with --training-stage NAME, or replace it with --force."
            yield self._violation(("stages", training), message, hint)

    def _replaces(self, content: Content) -> bool:
        present = self.stages[self.request.training_stage]
        return content.get("cmd") != present.content.get("cmd")

    def _owners(self, paths: Sequence[str]) -> Iterator[Violation]:
        """Other stages that write files of ours, or a folder around them."""
        for stage in self.stages.values():
            if stage is self.tuning or (self.request.is_forced and stage.name in self._own_names):
                continue
            for out in map(path_in, stage.outs):
                ours = [p for p in paths if is_within(p, out) or is_within(out, p)]
                if ours:
                    message = f"`{out}` is an out of this stage; of tuning is {', '.join(ours)}."
                    hint = "Name other files under `outputs` in the configuration."
                    yield self._violation(("stages", stage.name), message, hint)

    def _circles(self, paths: Paths, inputs: Sequence[str]) -> Iterator[Violation]:
        """Yield stages that tuning needs results of, and that read what tuning is to write."""
        others = {n: stage for n, stage in self.stages.items() if n != self.tuning_name}
        present = () if self.tuning is None else self.tuning.deps
        before = upstream(others, [*inputs, *present])
        for name in before & downstream(others, [*paths.outs, paths.metrics]):
            stage = others[name]
            read = [out for out in paths.outs if out in (*stage.deps, *stage.params)]
            is_best = paths.best in paths.outs and paths.best in read
            what = read[0] if read else "what depends on tuning"
            message = f"tuning needs what this stage makes, and it reads {what}: DVC sees a circle."
            way = "Name another file as `outputs.best`, or keep it out of the stage with --loose."
            yield self._violation(
                ("stages", name), message, way if is_best else "Take one of the two out."
            )

    @property
    def _own_names(self) -> tuple[str, str]:
        return self.tuning_name, self.request.training_stage

    def _violation(self, path: tuple[str, ...], message: str, hint: str) -> Violation:
        try:
            place = parse_document(self.text, Path(FILE)).place(path)
        except ConfigError:
            place = FilePosition(FILE)  # it holds what DVC reads and a configuration may not
        return Violation(path, message, hint, place)


HOW_TO_TRAIN = (
    "No stage trains, and none of train.py, src/train.py and scripts/train.py is there:"
    " add one with `tunesmith dvc init --training 'python my_script.py'`."
)


def _tracked(paths: Sequence[str], root: Path) -> Iterator[Violation]:
    """Yield files of ours, or folders around them, that ``dvc add`` tracks."""
    around = {str(p) for path in paths for p in (Path(path), *Path(path).parents)} - {"."}
    for name in sorted(around):
        if (root / f"{name}.dvc").is_file():
            message = f"is tracked by {name}.dvc, and a stage cannot write it as well."
            hint = f"Run `dvc remove {name}.dvc`, or name other files under `outputs`."
            yield Violation((), message, hint, FilePosition(name))


def _command(stage: Stage) -> str:
    return f"`{'; '.join(stage.commands)}`"


def _in_order(stages: Content, tuning: str, readers: list[str]) -> Content:
    """A new stage before the first one that reads what it writes."""
    names = [name for name in stages if name != tuning]
    at = names.index(readers[0]) if readers else len(names)
    return {name: stages[name] for name in (*names[:at], tuning, *names[at:])}


def _before_readers(text: str, tuning: str, readers: list[str]) -> str:
    names = list(yaml.read(text)["stages"])
    first = next((name for name in names if name in readers), None)
    if first is None or names.index(tuning) < names.index(first):
        return text
    return yaml_blocks.moved(text, ("stages", tuning), first)


def _with_plot(
    present: Any, stage: str, trials: str, columns: Sequence[str]
) -> tuple[Any, tuple[str, ...]]:
    """Top-level plots with the scores by trial; ``None`` if they stay as they are."""
    if not trials.endswith(".csv"):
        return None, (f"`dvc plots` cannot draw {trials}: name a .csv file as `outputs.trials`.",)
    # In any text, because DVC takes plots as a list, as a mapping, and with paths inside of both.
    if any(literal(trials) in text for text in texts(present)):
        return None, ()
    new = wanted.plot(stage, trials, columns)
    return ({**present, **new} if isinstance(present, dict) else [*(present or []), new]), ()


def _about_metrics(content: Content, command: str, root: Path) -> Iterator[str]:
    path = path_in(content["metrics"][0])
    name = Path(path).name
    scripts = [root / word for word in command.split() if (root / word).is_file()]
    if not any(name in script.read_text(errors="replace") for script in scripts):
        yield (
            f"The training stage expects {path} from `{command}`: write the scores there as JSON,"
            " or take the entry out of `metrics`."
        )
