"""What ``tunesmith dvc init`` changes: stages, outputs, plots and ignored files.

All of it is decided before anything is written, and what is there stays: comments, other stages,
the order, entries that people added. Asked again, it finds nothing to do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path

from tunesmith import git
from tunesmith.config.load import define
from tunesmith.config.model import Definition
from tunesmith.config.source import parse_document
from tunesmith.errors import UsageError
from tunesmith.files import write_atomic
from tunesmith.formats import FormatError, format_of, yaml, yaml_blocks
from tunesmith.formats import json as json_format
from tunesmith.formats import toml as toml_format
from tunesmith.pipeline.dvc import wanted
from tunesmith.pipeline.dvc.document import FILE
from tunesmith.pipeline.dvc.health import IGNORE, leaves_out_bytecode
from tunesmith.pipeline.dvc.pipeline_file import Pipeline, Request
from tunesmith.pipeline.dvc.stages import Coupling, coupling
from tunesmith.pipeline.dvc.wanted import Paths

DVC_FOLDER = ".dvc"
IGNORED = {IGNORE: "__pycache__/", ".gitignore": "dvc_plots/"}
"""DVC hashes all that lies in a folder that a stage depends on; what it draws is for looking at."""
OWN_KEYS = ("tuned", "trials", "history", "metrics")


@dataclass(frozen=True)
class FileChange:
    """A file as it is (``None``: not there) and as it is going to be."""

    path: Path
    before: str | None
    after: str

    def diff(self, root: Path) -> str:
        """As a unified diff, named from the project folder."""
        name = self.path.relative_to(root).as_posix()
        old = "/dev/null" if self.before is None else f"a/{name}"
        rows = unified_diff(_rows(self.before or ""), _rows(self.after), old, f"b/{name}")
        return "".join(row if row.endswith("\n") else f"{row}\n" for row in rows)


def _rows(text: str) -> list[str]:
    rows = text.split("\n")
    return [f"{row}\n" for row in rows[:-1]] + [row for row in rows[-1:] if row]


@dataclass(frozen=True)
class Plan:
    """What would be written, and what a user should know."""

    changes: tuple[FileChange, ...]
    notes: tuple[str, ...]

    def write(self) -> None:
        """Write the files, each in one step.

        Raises:
            StorageError: the file system refused.
        """
        for change in self.changes:
            write_atomic(change.path, change.after)


def plan_init(definition: Definition, request: Request) -> Plan:
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
    text = _text(root / FILE)
    pipeline = Pipeline.of(text or "", definition, request)
    mode = request.coupling or _present(pipeline, definition)
    outputs = wanted.wanted_outputs(definition.file.outputs, mode)
    later = replace(definition, file=definition.file.model_copy(update={"outputs": outputs}))
    paths = wanted.paths_of(later, outputs)
    changed, notes = pipeline.changed(later, paths)
    source = root / paths.config
    config = _text(source) or ""
    after = with_outputs(config, source, later)
    changes = [FileChange(root / FILE, text, changed), FileChange(source, config, after)]
    changes += _ignoring(root)
    notes = (*notes, *_hidden(root, paths))
    return Plan(tuple(c for c in changes if c.before != c.after), notes)


def dvc_root(root: Path) -> Path:
    """The folder that holds ``.dvc``: the project folder, or one above it.

    Raises:
        UsageError: there is none.
    """
    found = next((p for p in (root, *root.parents) if (p / DVC_FOLDER / "config").is_file()), None)
    if found is None:
        raise UsageError(
            f"{root}: no DVC project here or above (no folder {DVC_FOLDER}).\n"
            "  Make one with `dvc init`, in a part of a repository with `dvc init --subdir`."
        )
    return found


def _present(pipeline: Pipeline, definition: Definition) -> Coupling:
    """As the stage is now; loose where there is none."""
    found = coupling(pipeline.tuning, definition.file.outputs.best.path)
    return Coupling.LOOSE if found is Coupling.NONE else found


def _text(path: Path) -> str | None:
    if not path.is_file():
        return None
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text (byte {error.start})") from None


def with_outputs(text: str, source: Path, definition: Definition) -> str:
    """The configuration's text with the outputs that its stages have.

    Raises:
        UsageError: the text cannot be changed so.
        ConfigError: an output would be written over something else.
    """
    outputs = definition.file.outputs.model_dump(include=set(OWN_KEYS))
    present = parse_document(text, source).data.get("outputs") or {}
    values = {key: value for key, value in outputs.items() if value != present.get(key)}
    if not values:
        return text
    try:
        changed = _set(text, source, values)
    except FormatError as error:
        lines = "".join(f"\n    {key}: {value}" for key, value in values.items())
        raise UsageError(f"{source}: {error}.\n  Set under `outputs` by hand:{lines}") from None
    define(parse_document(changed, source).data, root=definition.root)
    return changed


def _set(text: str, source: Path, values: Mapping[str, str | None]) -> str:
    form = format_of(source.name)
    if form == "yaml":
        content = yaml.read(text)
        merged = {**(content.get("outputs") or {}), **values}
        content["outputs"] = {key: value for key, value in merged.items() if value is not None}
        return yaml_blocks.rewrite(text, content)
    update = json_format.update if form == "json" else toml_format.update
    return update(text, {("outputs", key): value for key, value in values.items()})


def _ignoring(root: Path) -> Iterator[FileChange]:
    for name, line in IGNORED.items():
        before = _text(root / name)
        present = {row.strip().strip("/") for row in (before or "").splitlines()}
        if line.strip("/") in present or (name == IGNORE and leaves_out_bytecode(root)):
            continue
        gap = "" if not before or before.endswith("\n") else "\n"
        yield FileChange(root / name, before, f"{before or ''}{gap}{line}\n")


def _hidden(root: Path, paths: Paths) -> Iterator[str]:
    """Outs that Git ignores: nothing else keeps them."""
    names = [*paths.outs, paths.metrics, paths.best]
    found = git.answer(root, "check-ignore", "--no-index", "--", *names)
    if found:
        hidden = ", ".join(found.splitlines())
        yield (
            f"Git ignores {hidden}, and DVC keeps no copy: take them out of .gitignore, or a clone"
            " has to tune again."
        )
