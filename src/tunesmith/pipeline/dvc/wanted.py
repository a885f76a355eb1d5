"""The contents of the stages ``tuning`` and ``training``, as plain data."""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tunesmith.config.model import Definition, OutputsSection
from tunesmith.errors import UsageError
from tunesmith.formats import dotted
from tunesmith.parameters.best_file import BestFile, shape_of
from tunesmith.parameters.shape import WRAPPED
from tunesmith.pipeline.dvc.inputs.dependencies import is_within, plain
from tunesmith.pipeline.dvc.inputs.named_data import named_by
from tunesmith.pipeline.dvc.stages import Coupling

TABLES = (".csv", ".tsv", ".parquet", ".feather", ".arrow", ".npy", ".npz", ".h5", ".xlsx")
FLAGS = {"cache": False, "persist": True}
"""Git keeps the file, and DVC does not take it away before a run: a crash leaves what was there.
An out that is no metric and has ``cache: false`` also keeps a stage out of DVC's run cache."""
USUAL_CONFIG = "tuning.yaml"
SCRIPTS = ("train.py", "src/train.py", "scripts/train.py")
METRICS_NAME = re.compile(r"[\w./-]*metrics[\w-]*\.json")
TEMPLATE = re.compile(r"\$\{")
Content = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Paths:
    """The files of a study, relative to the project folder."""

    config: str
    best: str
    best_keys: tuple[str, ...] | None
    """Keys of the best-parameters file that training depends on; ``None`` for the whole file."""
    outs: tuple[str, ...]
    """Outs of the tuning stage, but for its metrics."""
    metrics: str
    dropped: str
    """The out that the other coupling has in the place of one of these."""
    trials: str
    """The table of trials."""
    tables: tuple[str, ...] = ()
    """The study's own data."""

    @property
    def best_place(self) -> tuple[str, ...] | None:
        """Place of the parameters in a file that other stages read other keys of."""
        return None if self.best_keys == WRAPPED else self.best_keys

    @property
    def written(self) -> tuple[str, ...]:
        """Everything that a run writes."""
        return (*self.outs, self.metrics, self.best)


def paths_of(definition: Definition, outputs: OutputsSection) -> Paths:
    """Return the paths of a study's files.

    Args:
        definition: of the study; it has a source.
        outputs: as they are going to be.
    """
    tuned, best = outputs.tuned or tuned_name(outputs), plain(outputs.best.path)
    is_loose = outputs.tuned is not None
    names = [tuned if is_loose else best, outputs.report, outputs.html]
    names += [outputs.history, outputs.trials]
    names += [] if outputs.predictions is None else [outputs.predictions.path]
    source = (definition.source or Path(USUAL_CONFIG)).resolve()
    return Paths(
        config=source.relative_to(definition.root.resolve()).as_posix(),
        best=best,
        best_keys=_keys_of_best(definition, outputs),
        outs=tuple(plain(name) for name in names if name),
        metrics=plain(outputs.metrics or ""),
        dropped=best if is_loose else plain(tuned),
        trials=str(outputs.trials),
        tables=()
        if definition.file.objective.data is None
        else definition.file.objective.data.path,
    )


def _keys_of_best(definition: Definition, outputs: OutputsSection) -> tuple[str, ...] | None:
    """Return the key above the parameters, so that remarks beside them train nothing."""
    shape = shape_of(definition.file, definition.space)
    try:
        content = BestFile(definition.root, outputs, shape.names).content
        place = shape.place_of(content, Path(outputs.best.path))
    except UsageError:
        # Whoever writes the file tells what is wrong with it.
        place = shape.place_of(None, Path(outputs.best.path))
    return (dotted(place),) if place else None


def wanted_outputs(outputs: OutputsSection, coupling: Coupling) -> OutputsSection:
    """Return the outputs that the stages need; outputs that the configuration names stay."""
    folder = PurePosixPath(outputs.report).parent
    tuned = outputs.tuned or tuned_name(outputs)
    return outputs.model_copy(
        update={
            "tuned": tuned if coupling is Coupling.LOOSE else None,
            "trials": outputs.trials or str(folder / "trials.csv"),
            "history": outputs.history or str(folder / "history.jsonl"),
            "metrics": outputs.metrics or str(folder / "tuning_metrics.json"),
        }
    )


def tuned_name(outputs: OutputsSection) -> str:
    """Return the path for the tuned parameters, beside the report."""
    suffix = PurePosixPath(outputs.best.path).suffix
    return str(PurePosixPath(outputs.report).parent / f"tuned_parameters{suffix}")


def tuning(paths: Paths, present: Mapping[str, Any], inputs: Iterable[str]) -> Content:
    """Return the content of the tuning stage: the present entries, and those that it lacks.

    Args:
        paths: of the study's files.
        present: the stage as it is, its paths relative to the project folder; empty if there
            is none.
        inputs: everything that it has to depend on.
    """
    usual = paths.config == USUAL_CONFIG
    words = ["tunesmith", "run", *([] if usual else ["-c", paths.config])]
    content = {"cmd": literal(shlex.join(words)), **present}
    # The configuration goes into `params`, which DVC compares by value: a comment is no change.
    listed = [item for item in content.get("deps") or [] if item != paths.config]
    _put(content, "deps", [*listed, *missing(inputs, listed)])
    _put(content, "params", with_params(content.get("params") or [], paths.config, None))
    outs = [item for item in content.get("outs") or [] if path_in(item) != paths.dropped]
    metrics = list(content.get("metrics") or [])
    # DVC refuses a path that is an out and a metric or a plot as well.
    elsewhere = {path_in(item) for item in [*metrics, *(content.get("plots") or [])]}
    outs = with_outs(outs, [path for path in paths.outs if path not in elsewhere])
    _put(content, "outs", outs)
    _put(content, "metrics", with_outs(metrics, [paths.metrics]))
    return content


def training(paths: Paths, command: str, root: Path) -> Content:
    """Return the content of a new training stage.

    Args:
        paths: of the files of the study, whose data it trains on.
        command: that trains.
        root: the project folder.
    """
    words = [word for word in _words(command) if (root / word).is_file()]
    names = [plain(name) for name in (*words, *paths.tables)]
    if (root / "src").is_dir():
        names.append("src")
    # Another tracked file that it names may be one that it writes.
    names += [name for name in named_by(root, _words(command)) if name.endswith(TABLES)]
    outs = [*paths.written, metrics_of(command, paths, root)]
    names = [name for name in dict.fromkeys(names) if name not in outs]
    whole = [name for name in names if not any(_covers(other, name) for other in names)]
    return {
        "cmd": command,
        "deps": [literal(name) for name in whole],
        "params": with_best([], paths),
        "metrics": [{metrics_of(command, paths, root): {"cache": False}}],
    }


def metrics_of(command: str, paths: Paths, root: Path) -> str:
    """Return the metrics file of a training program, named in its text, or the usual one."""
    for word in _words(command):
        if word.endswith(".py") and (root / word).is_file():
            names = METRICS_NAME.findall((root / word).read_text(errors="replace"))
            named = [name for name in names if plain(name) != paths.metrics]
            if named:
                return plain(named[0])
    return str(PurePosixPath(paths.metrics).parent / "training_metrics.json")


def guessed_training(root: Path) -> str | None:
    """Return a command that seems to train; ``None`` if no script has a usual name."""
    script = next((name for name in SCRIPTS if (root / name).is_file()), None)
    return None if script is None else f"python {script}"


def plot(stage: str, trials: str, columns: Iterable[str]) -> Content:
    """Return a top-level plot: scores by trial, and the best so far."""
    return {
        stage: {
            "title": "Scores by trial",
            "x": "trial",
            "y": {literal(trials): list(columns)},
        }
    }


def _covers(folder: str, path: str) -> bool:
    return folder != path and is_within(path, folder)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return []


def _put(content: Content, key: str, value: list[Any]) -> None:
    if value:
        content[key] = value
    else:
        content.pop(key, None)


def missing(wanted: Iterable[str], present: Iterable[Any]) -> list[str]:
    """Return the paths that no present entry covers, itself or as a folder above them."""
    folders = [path_in(item) for item in present]
    return [literal(p) for p in wanted if not any(is_within(p, folder) for folder in folders)]


def with_params(present: list[Any], path: str, keys: list[str] | None) -> list[Any]:
    """Return parameter entries with one of a file; if the file has one already, that stays."""
    has_it = any(isinstance(item, dict) and path_in(item) == path for item in present)
    return present if has_it else [*present, {literal(path): keys}]


def with_best(present: list[Any], paths: Paths) -> list[Any]:
    """Return parameter entries of a training stage with the best parameters among them."""
    keys = None if paths.best_keys is None else [*paths.best_keys]
    return with_params(present, paths.best, keys)


def with_outs(present: list[Any], paths: Iterable[str]) -> list[Any]:
    """Return entries in which every path has our flags; other flags, and other entries, stay."""
    items = list(present)
    names = [path_in(item) for item in items]
    for path in paths:
        if path in names:
            place = names.index(path)
            items[place] = _flagged(items[place])
        else:
            items.append({literal(path): dict(FLAGS)})
    return items


def _flagged(item: Any) -> Any:
    name, flags = next(iter(item.items())) if isinstance(item, dict) else (item, None)
    return {name: {**(flags or {}), **FLAGS}}


def path_in(item: Any) -> str:
    """Return the path of an entry of ``deps``, ``params``, ``outs``, …, which may have flags."""
    name = next(iter(item), "") if isinstance(item, dict) else item
    return plain(str(name).replace("\\${", "${"))


def literal(path: str) -> str:
    """Escape a path so that DVC finds no template in it.

    >>> literal("data/${x}.csv")
    'data/\\\\${x}.csv'
    """
    return TEMPLATE.sub(r"\\${", path)
