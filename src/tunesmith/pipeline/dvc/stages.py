"""``dvc.yaml``: which stage tunes, what it depends on, and how tightly training hangs on it."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from typing import Any

from tunesmith.pipeline.dvc.document import FILE, stages_in

OPTION = re.compile(r"(?:-c|--config)(?:=|\Z)")


class Coupling(Enum):
    """How training depends on tuning."""

    LOOSE = "loose"
    """Best parameters belong to people; what tuning found is an out of its own."""
    TIGHT = "tight"
    """Best parameters are an out of tuning: an edit is undone."""
    NONE = "none"
    """No stage tunes."""


@dataclass(frozen=True)
class Stage:
    """A stage of ``dvc.yaml``, its paths relative to that file."""

    name: str
    commands: tuple[str, ...]
    deps: tuple[str, ...]
    outs: Mapping[str, Mapping[str, Any]]
    """Outs, metrics and plots by path, with their flags (``cache``, ``persist``, …)."""
    metrics: tuple[str, ...]
    content: Mapping[str, Any]
    """As it stands in the file."""


def read_stages(text: str, name: str = FILE) -> dict[str, Stage]:
    """The stages of a ``dvc.yaml``, in its order.

    Raises:
        UsageError: it is no YAML, or not of DVC's shape.
    """
    return {key: _stage(key, content) for key, content in stages_in(text, name).items()}


def _stage(name: str, content: Mapping[str, Any]) -> Stage:
    # A stage with `foreach` or `matrix` has its content one level further down.
    inner = content["do"] if isinstance(content.get("do"), dict) else content
    command = inner.get("cmd", ())
    commands = (command,) if isinstance(command, str) else tuple(map(str, command))
    outs = {p: f for key in ("outs", "metrics", "plots") for p, f in _entries(inner.get(key))}
    metrics = tuple(path for path, _ in _entries(inner.get("metrics")))
    deps = tuple(path for path, _ in _entries(inner.get("deps")))
    return Stage(name, commands, deps, outs, metrics, inner)


def _entries(listed: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Paths with their flags: an entry is a path, or a path over its flags."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for item in listed if isinstance(listed, list) else ():
        pairs = item.items() if isinstance(item, dict) else [(item, None)]
        found += [(str(path), flags if isinstance(flags, dict) else {}) for path, flags in pairs]
    return found


def tuning_stage(stages: Mapping[str, Stage], config: str) -> Stage | None:
    """The stage that runs a study.

    Args:
        stages: of a ``dvc.yaml``.
        config: path of the study's configuration, relative to that file.
    """
    found = [s for s in stages.values() if any(runs(c, config) for c in s.commands)]
    return next((s for s in found if names(s, config)), next(iter(found), None))


def names(stage: Stage, config: str) -> bool:
    """Whether a stage runs a study and names its configuration; others run the usual one."""
    own = [command for command in stage.commands if runs(command, config)]
    return any(not runs(command, f"{config}.other") for command in own)


def runs(command: str, config: str) -> bool:
    """Whether a command runs the study of a configuration.

    >>> runs("tunesmith run -q", "tuning.yaml")
    True
    >>> runs("python -m tunesmith run --config config/tuning.yaml", "tuning.yaml")
    False
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    places = [i for i, word in enumerate(words[:-1]) if PurePosixPath(word).name == "tunesmith"]
    if not places or words[places[0] + 1] != "run":
        return False
    named = _config_of(words[places[0] + 2 :])
    return named is None or PurePosixPath(named) == PurePosixPath(config)


def _config_of(words: list[str]) -> str | None:
    for place, word in enumerate(words):
        if OPTION.match(word):
            return word.partition("=")[2] or next(iter(words[place + 1 :]), "")
    return None


def coupling(stage: Stage | None, best: str) -> Coupling:
    """How tightly best parameters hang on the tuning stage.

    Args:
        stage: that tunes, if any.
        best: path of the best-parameters file, relative to ``dvc.yaml``.
    """
    if stage is None:
        return Coupling.NONE
    paths = {PurePosixPath(path) for path in stage.outs}
    return Coupling.TIGHT if PurePosixPath(best) in paths else Coupling.LOOSE
