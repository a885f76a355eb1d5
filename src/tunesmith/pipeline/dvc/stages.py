"""``dvc.yaml``: its tuning stage, that stage's dependencies, and its coupling with training."""

import posixpath
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.pipeline.dvc.commands import StudyCall, calls
from tunesmith.pipeline.dvc.document import FILE, document, stages_of
from tunesmith.pipeline.dvc.sites import Site, below
from tunesmith.pipeline.dvc.templates import (
    Read,
    UnresolvedError,
    has_templates,
    resolved,
    unescaped,
)

PARAMS_FILE = "params.yaml"
"""File from which DVC takes keys if an entry of ``params`` names no file."""
WHAT_RUNS = ("cmd", "wdir", "deps", "params", "outs", "metrics", "plots", "frozen")
"""Keys of a stage's content that decide what it does; the rest describes it."""


class Coupling(Enum):
    """Coupling of training and tuning."""

    LOOSE = "loose"
    """User-owned best parameters; the tuned parameters are an out of their own."""
    TIGHT = "tight"
    """Managed best parameters, an out of tuning: the next ``dvc repro`` reverts an edit."""
    NONE = "none"
    """No stage tunes."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of ``dvc.yaml`` as DVC resolves it, its paths relative to a folder of choice."""

    name: str
    """Name of the stage; of one that a template makes, ``tune@a``."""
    commands: tuple[str, ...]
    deps: tuple[str, ...]
    outs: Mapping[str, Mapping[str, Any]]
    """Outs, metrics and plots by path, with their flags (``cache``, ``persist``, …)."""
    metrics: tuple[str, ...]
    content: Mapping[str, Any]
    """As it stands in the file, without templates: paths are relative to ``wdir`` here."""
    site: Site
    """Folder in which its commands are called."""

    @property
    def params(self) -> Mapping[str, list[str]]:
        """Keys by file; no key stands for all of them."""
        by_file: dict[str, list[str]] = {}
        listed = self.content.get("params")
        # DVC itself refuses anything but a list here.
        for item in listed if isinstance(listed, list | tuple) else ():
            pairs = item.items() if isinstance(item, dict) else [(PARAMS_FILE, [item])]
            for path, keys in pairs:
                own = keys if isinstance(keys, list | tuple) else ()
                by_file.setdefault(self.site.seen(str(path)), []).extend(map(str, own))
        return by_file

    @property
    def what_runs(self) -> Mapping[str, Any]:
        """Content that DVC compares to tell whether it has to run the stage again."""
        return {key: self.content[key] for key in WHAT_RUNS if key in self.content}

    def reads(self, path: str, keys: Sequence[str] | None = None) -> bool:
        """Tell whether it takes a file, or some of its keys, as a dependency or as parameters.

        Args:
            path: of the file.
            keys: dotted; by default any of them counts.
        """
        wanted = PurePosixPath(path)
        own = self.params.get(path)
        # A stage without keys of its own takes all of them.
        is_taken = own is not None and (not own or keys is None or _overlap(own, keys))
        return is_taken or any(wanted.is_relative_to(dep) for dep in self.deps)

    @property
    def calls(self) -> list[StudyCall]:
        """Calls of ``tunesmith run`` in its commands."""
        return calls(self.content.get("cmd") or ())

    def runs(self, config: str, read: Read | None = None) -> bool:
        """Tell whether a command runs the study of a configuration.

        Args:
            config: its path.
            read: reads a file, to see which of the usual configurations a command takes.
        """
        for call in self.calls:
            names = [self.site.seen(name) for name in call.candidates]
            before = names[: names.index(config)] if config in names else names
            is_first = read is None or all(read(name) is None for name in before)
            if config in names and is_first:
                return True
        return False


def _overlap(some: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether a dotted key is one of others, or lies above or below one."""
    return any(
        f"{a}.".startswith(f"{b}.") or f"{b}.".startswith(f"{a}.") for a in some for b in others
    )


def stages_at(path: Path, name: str | None = None) -> dict[str, Stage]:
    """Return the stages of a ``dvc.yaml`` in a working tree; none if there is no such file.

    Args:
        path: of it.
        name: for messages.

    Raises:
        UsageError: as ``read_stages``.
    """
    return read_stages(text_of(path) or "", name or str(path), reader(path.parent))


def reader(folder: Path) -> Read:
    """Return a reader of a working tree's files by paths relative to a folder."""
    return lambda name: text_of(folder / name)


def text_of(path: Path) -> str | None:
    """Return the text of a file; ``None`` if there is none.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return path.read_text("utf-8-sig") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} cannot be read: {error}") from None


LISTS = ("deps", "params", "outs", "metrics", "plots")
"""Keys of a stage whose entries are paths, or paths over their flags."""


def read_stages(
    text: str, name: str = FILE, read: Read | None = None, site: Site | None = None
) -> dict[str, Stage]:
    """Return the stages of a ``dvc.yaml`` as DVC resolves them, in its order.

    Args:
        text: of the file.
        name: for messages.
        read: reads files that its templates take values from; by default there are none.
        site: folder of the file, and the folder that paths are to be relative to; by default the
            same.

    Raises:
        UsageError: it is no YAML, not of DVC's shape, or its templates cannot be resolved.
    """
    data = document(text, name)
    stages = stages_of(data, name)
    if has_templates(stages):
        try:
            contents = resolved(data, read or (lambda _: None))
        except UnresolvedError as error:
            raise UsageError(f"{name}: {error}.") from None
    else:
        contents = {key: unescaped(content) for key, content in stages.items()}
    for key, content in contents.items():
        _check_shape(f"{name}: stage `{key}`", content)
    return {key: _stage(key, content, site or Site()) for key, content in contents.items()}


def _check_shape(where: str, content: Mapping[str, Any]) -> None:
    """Refuse what DVC refuses, too, before anything is read from it.

    Raises:
        UsageError: a key of the stage holds something that DVC does not know there.
    """
    command, wdir = content.get("cmd", ""), content.get("wdir")
    if not (isinstance(command, str) or _is_list_of(command, str)):
        raise UsageError(f"{where}: `cmd` must be a command or a list of them, not `{command}`.")
    if not isinstance(wdir, str | None):
        raise UsageError(f"{where}: `wdir` must be the path of a folder, not `{wdir}`.")
    for key in LISTS:
        listed = content.get(key)
        if not (listed is None or _is_list_of(listed, str | dict)):
            raise UsageError(f"{where}: `{key}` must be a list of paths, not `{listed}`.")


def _is_list_of(value: Any, kind: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _stage(name: str, content: Mapping[str, Any], file: Site) -> Stage:
    command = content.get("cmd", ())
    commands = (command,) if isinstance(command, str) else tuple(map(str, command))
    wdir = below(file.wdir, str(content.get("wdir") or "."))
    site = Site(wdir, file.origin)

    def entries(key: str) -> list[tuple[str, Mapping[str, Any]]]:
        return [(site.seen(path), flags) for path, flags in _entries(content.get(key))]

    outs = {path: flags for key in ("outs", "metrics", "plots") for path, flags in entries(key)}
    metrics = tuple(path for path, _ in entries("metrics"))
    deps = tuple(path for path, _ in entries("deps"))
    return Stage(
        name=name,
        commands=commands,
        deps=deps,
        outs=outs,
        metrics=metrics,
        content=content,
        site=site,
    )


def _entries(listed: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Paths with their flags: an entry is a path, or a path over its flags."""
    entries: list[tuple[str, Mapping[str, Any]]] = []
    for item in listed if isinstance(listed, list) else ():
        pairs = item.items() if isinstance(item, dict) else [(item, None)]
        entries += [(str(path), flags if isinstance(flags, dict) else {}) for path, flags in pairs]
    return entries


def tuning_stage(
    stages: Mapping[str, Stage], config: str, read: Read | None = None
) -> Stage | None:
    """Return the stage whose command runs a study.

    Args:
        stages: of a ``dvc.yaml``.
        config: path of the study's configuration, relative to the same folder.
        read: reads a file, to see which of the usual configurations a command takes.
    """
    running = [stage for stage in stages.values() if stage.runs(posixpath.normpath(config), read)]
    # `-c` names its study; without it a command takes whichever usual file is there.
    named = (stage for stage in running if any(call.config for call in stage.calls))
    return next(named, next(iter(running), None))


def stage_writing(stages: Mapping[str, Stage], results: Collection[str]) -> Stage | None:
    """Return the stage that writes a study's results, whatever its command (``make tune``).

    Args:
        stages: of a ``dvc.yaml``.
        results: files that only the study writes, relative to the same folder.
    """
    # A stage that calls `tunesmith run` runs the study that it names, whatever it writes; a
    # variable of the shell does not tell which.
    silent = (s for s in stages.values() if not any(call.is_told for call in s.calls))
    return next((stage for stage in silent if {*results} & {*stage.outs}), None)


def coupling(stage: Stage | None, best: str) -> Coupling:
    """Return the coupling of the best parameters with the tuning stage.

    Args:
        stage: that tunes, if any.
        best: path of the best-parameters file, relative to the same folder.
    """
    if stage is None:
        return Coupling.NONE
    # As paths: `./best.yaml` and `best.yaml` are one file.
    paths = {PurePosixPath(path) for path in stage.outs}
    return Coupling.TIGHT if PurePosixPath(best) in paths else Coupling.LOOSE
