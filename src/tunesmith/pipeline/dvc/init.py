"""Changes by ``tunesmith dvc init``: stages, outputs, plots and ignored files.

All of it is decided before anything is written, and what is there stays: comments, other stages,
the order, entries that people added. A second call finds nothing to do.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path
from typing import Any

from tunesmith.config.load import define
from tunesmith.config.model import Definition, OutputsSection
from tunesmith.config.objective import ObjectiveSection
from tunesmith.config.source import parse_document
from tunesmith.errors import UsageError
from tunesmith.formats import FormatError
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.edits import edit_of
from tunesmith.pipeline.attributes import attributes
from tunesmith.pipeline.dvc import wanted
from tunesmith.pipeline.dvc.health import IGNORE, leaves_out_bytecode
from tunesmith.pipeline.dvc.inputs.stage_inputs import StageInputs
from tunesmith.pipeline.dvc.pipeline_file import PipelineFile, Request
from tunesmith.pipeline.dvc.stages import Coupling, coupling
from tunesmith.pipeline.dvc.wanted import Paths
from tunesmith.pipeline.parameters import parse
from tunesmith.pipeline.settings import with_values
from tunesmith.system import git
from tunesmith.system.files import NewFile, exact_text, write_files

DVC_FOLDER = ".dvc"
IGNORED = {IGNORE: "__pycache__/", ".gitignore": "dvc_plots/"}
"""Patterns by file. DVC hashes all files in a folder that a stage depends on, and its plots are
only for viewing."""
OWN_KEYS = ("tuned", "trials", "history", "metrics")


@dataclass(frozen=True)
class FileChange:
    """A file as it is and as it is going to be; ``None`` if it is not there."""

    path: Path
    before: str | None
    after: str | None

    def diff(self, root: Path) -> str:
        """Return a unified diff with paths relative to the project folder."""
        name = Path(os.path.relpath(self.path, root)).as_posix()
        old = "/dev/null" if self.before is None else f"a/{name}"
        new = "/dev/null" if self.after is None else f"b/{name}"
        rows = unified_diff(_rows(self.before or ""), _rows(self.after or ""), old, new)
        return "".join(row if row.endswith("\n") else f"{row}\n" for row in rows)


def _rows(text: str) -> list[str]:
    # Not `splitlines`, which splits at characters that editors and Git keep within a line.
    rows = text.split("\n")
    return [f"{row}\n" for row in rows[:-1]] + [row for row in rows[-1:] if row]


@dataclass(frozen=True)
class InitPlan:
    """Files to be written, and notes for the user."""

    changes: tuple[FileChange, ...]
    notes: tuple[str, ...]
    folder: Path
    """Folder of ``dvc.yaml``."""

    def write(self) -> None:
        """Write all files or none, each in one step; then remove what has become of no use.

        Raises:
            StorageError: the file system refused.
        """
        write_files(NewFile(c.path, c.after) for c in self.changes if c.after is not None)
        for change in self.changes:
            if change.after is None:
                change.path.unlink(missing_ok=True)


def plan_init(definition: Definition, request: Request) -> InitPlan:
    """Decide what the project needs for ``dvc repro`` to tune and to train.

    Args:
        definition: of the study, from a file.
        request: what the user asked for.

    Raises:
        UsageError: there is no DVC project, or a file cannot be changed as asked.
        ConfigError: a stage or an out of somebody else's stands in the way; all at once.
    """
    root = definition.root.resolve()
    dvc_root(root)
    pipeline = PipelineFile.of(definition, request)
    before = definition.file.outputs
    outputs = wanted.wanted_outputs(before, request.coupling or _present(pipeline, before))
    later = replace(definition, file=definition.file.model_copy(update={"outputs": outputs}))
    paths = wanted.paths_of(later, outputs)
    inputs = StageInputs(later, pipeline.stages, pipeline.tuning_name)
    present = pipeline.tuning.deps if pipeline.tuning else ()
    found = inputs.completed(pipeline.trainers(paths), present, paths.written)
    changed, notes = pipeline.changed(paths, found.paths, _columns(later.file.objective))
    source = root / paths.config
    config = exact_text(source) or ""
    after = with_sections(config, source, root, outputs, found.depends_on)
    changes = [
        FileChange(pipeline.file, exact_text(pipeline.file), changed),
        FileChange(source, config, after),
        *_ignoring(root),
    ]
    if outputs.history is not None:
        changes.append(FileChange(*attributes(root, outputs.history)))
    changes += _left_over(root, before, outputs)
    lost = _to_be_lost(BestFile.of(definition), outputs)
    notes = (*found.notes, *notes, *_hidden(root, paths), *lost)
    changes = [change for change in changes if change.before != change.after]
    return InitPlan(tuple(changes), notes, pipeline.file.parent)


def dvc_root(root: Path) -> Path:
    """The folder that holds ``.dvc``: the project folder, or one above it.

    Raises:
        UsageError: there is none.
    """
    folder = next((p for p in (root, *root.parents) if (p / DVC_FOLDER / "config").is_file()), None)
    if folder is None:
        raise UsageError(
            f"{root}: no DVC project here or above (no folder {DVC_FOLDER}).\n"
            "  Make one with `dvc init`, in a part of a repository with `dvc init --subdir`."
        )
    return folder


def _present(pipeline: PipelineFile, outputs: OutputsSection) -> Coupling:
    """Coupling of the stage as it is; loose if there is none."""
    kind = coupling(pipeline.tuning, outputs.best.path)
    return Coupling.LOOSE if kind is Coupling.NONE else kind


def _columns(section: ObjectiveSection) -> tuple[str, str]:
    """Columns of the table of trials that are drawn: the score, and the best so far."""
    is_single = len({metric.name for metric in (*section.metric, *section.also)}) == 1
    suffix = "score" if is_single else section.metric[0].name
    return f"mean_test_{suffix}", f"best_{suffix}"


def with_sections(
    text: str, source: Path, root: Path, outputs: OutputsSection, named: tuple[str, ...] | None
) -> str:
    """Return the configuration's text with the outputs of its stages, and its dependencies.

    Args:
        text: content of the configuration.
        source: its path.
        root: the project folder.
        outputs: as the stages need them.
        named: value of ``objective.depends_on``; ``None`` if it is not given.

    Raises:
        UsageError: the text cannot be changed so.
        ConfigError: an output would be written over something else.
    """
    data = parse_document(text, source).data
    own = outputs.model_dump(include=set(OWN_KEYS))
    values: dict[tuple[str, ...], Any] = {("outputs", k): v for k, v in own.items()}
    if named is not None and _tuple((data.get("objective") or {}).get("depends_on")) != named:
        values["objective", "depends_on"] = list(named)
    values = {at: v for at, v in values.items() if v != (data.get(at[0]) or {}).get(at[1])}
    if not values:
        return text
    try:
        changed = with_values(text, source, values)
    except FormatError as error:
        lines = "".join(f"\n    {part}.{key}: {value}" for (part, key), value in values.items())
        raise UsageError(f"{source}: {error}.\n  Set by hand:{lines}") from None
    # As a run would check it: a new output may now lie over another file.
    define(parse_document(changed, source).data, root=root)
    return changed


def _tuple(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _ignoring(root: Path) -> Iterator[FileChange]:
    for name, line in IGNORED.items():
        before = exact_text(root / name)
        present = {row.strip().strip("/") for row in (before or "").splitlines()}
        if line.strip("/") in present or (name == IGNORE and leaves_out_bytecode(root)):
            continue
        # Without a line end the new pattern would become a part of the last one.
        gap = "" if not before or before.endswith("\n") else "\n"
        yield FileChange(root / name, before, f"{before or ''}{gap}{line}\n")


def _hidden(root: Path, paths: Paths) -> Iterator[str]:
    """Outs that Git ignores: nothing else keeps them."""
    # `--no-index`: without it Git never calls a file ignored that it already tracks.
    ignored = git.answer(root, "check-ignore", "--no-index", "--", *paths.written)
    if ignored:
        hidden = ", ".join(ignored.splitlines())
        yield (
            f"Git ignores {hidden}, and DVC keeps no copy: take them out of .gitignore, or a clone"
            " has to tune again."
        )


def _left_over(root: Path, before: OutputsSection, after: OutputsSection) -> Iterator[FileChange]:
    """Files of the other mode, which no run writes any more, so that they would go stale."""
    if before.tuned is None or after.tuned is not None:
        return
    path = root / before.tuned
    # An edited file is kept: what people wrote is never removed.
    if (text := exact_text(path)) is not None and _is_edited(path) is False:
        yield FileChange(path, text, None)


def _to_be_lost(best: BestFile, after: OutputsSection) -> Iterator[str]:
    """Yield notes on hand-edited values that a stage is about to overwrite."""
    tuned = best.outputs.tuned
    if tuned is None or after.tuned is not None:
        return
    if _is_best_edited(best):
        back = "`dvc repro` puts back what the study found: keep them with --loose"
        yield f"{best.outputs.best.path} was edited by hand, and {back}."
    if _is_edited(best.root / tuned):
        rest = "no run writes it any more: remove it when it has served"
        yield f"{tuned} was edited by hand, and {rest}."


def _is_best_edited(best: BestFile) -> bool:
    try:
        # Without an origin in the file, the tuned parameters tell.
        return edit_of(best) is not None
    except UsageError:
        return False


def _is_edited(path: Path) -> bool | None:
    """Tell whether parameters were changed after they were written; ``None`` if there are none."""
    try:
        text = exact_text(path)
        return None if text is None else parse(text, path.name).is_edited
    except UsageError:
        return None
