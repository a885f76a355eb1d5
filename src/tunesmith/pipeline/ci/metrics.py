"""Metrics of a training program, beside those of another revision."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.config.source import parse_document
from tunesmith.errors import UsageError
from tunesmith.pipeline.dvc.document import FILE
from tunesmith.pipeline.dvc.stages import stages_at
from tunesmith.reporting.cells import name_cell, table
from tunesmith.reporting.escape import md_code
from tunesmith.system import git

Reader = Callable[[Path, str, str], str | None]
"""Folder, commit and name of a file -> its text."""
USUAL = "outputs/training_metrics.json"


@dataclass(frozen=True)
class TrainingMetric:
    """One number, before and after; ``None`` if it is missing."""

    file: str
    name: str
    """Keys from the top of the file, with dots between them."""
    before: float | None
    after: float | None
    is_compared: bool = True
    """True if the number before is known."""

    @property
    def change(self) -> float | None:
        """After minus before."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before

    @property
    def is_same(self) -> bool:
        """True if both are there and equal; two NaN are equal."""
        # By their text, because NaN is not equal to itself.
        return self.before is not None and repr(self.before) == repr(self.after)


@dataclass(frozen=True)
class MetricsDiff:
    """Metrics of two revisions, side by side."""

    base: str
    commit: str | None
    """Commit that the name stands for; ``None`` if it is not in this clone."""
    metrics: tuple[TrainingMetric, ...]
    """By file in the order given, then by name."""
    missing: str = ""
    """Reason for which there is nothing to compare with, as Markdown; empty if there is."""
    unread: tuple[str, ...] = ()
    """Remarks on files that could not be read; they may quote the files."""

    @property
    def notes(self) -> tuple[str, ...]:
        """All that there is to say besides."""
        return (*([self.missing] if self.missing else []), *self.unread)

    @property
    def changed(self) -> tuple[TrainingMetric, ...]:
        """Metrics that differ."""
        return tuple(metric for metric in self.metrics if not metric.is_same)


def metrics_files(folder: Path) -> list[str]:
    """List a project's metrics files, as ``dvc.yaml`` names them, or the usual file.

    Raises:
        UsageError: ``dvc.yaml`` cannot be read.
    """
    pipeline = folder / FILE
    if not pipeline.is_file():
        return [USUAL] if (folder / USUAL).is_file() else []
    text = pipeline.read_text(encoding="utf-8")
    paths = [p for stage in stages_at(pipeline).values() for p in stage.metrics]
    data = parse_document(text, pipeline).data
    listed = data.get("metrics") if isinstance(data, dict) else None
    paths += [item for item in listed or () if isinstance(item, str)]
    # Names that DVC puts together from variables are not known without it.
    return [path for path in dict.fromkeys(paths) if "${" not in path]


def metrics_diff(
    folder: Path,
    files: Sequence[str],
    base: str,
    commit: str | None,
    note: str = "",
    *,
    read: Reader | None = None,
) -> MetricsDiff:
    """Compare the files of the working tree with those of a commit; nothing is checked out.

    Args:
        folder: that the names are relative to.
        files: JSON, YAML or TOML.
        base: name of the commit in the output.
        commit: ``None`` if it is not here: nothing is compared then.
        note: what to do about that, as Markdown.
        read: gives the text of a file of a commit, or ``None`` if it has none; raises
            ``UsageError`` if that cannot be told. By default this clone is asked.
    """
    read = read or git.content
    missing = f"{md_code(base)} is not here, so there is nothing to compare with. {note}".rstrip()
    unread: list[str] = []
    metrics: list[TrainingMetric] = []
    for file in files:
        path = folder / file
        here = path.read_text("utf-8", errors="replace") if path.is_file() else None
        after = _numbers(here, file, unread)
        text, is_compared = None, commit is not None
        try:
            text = None if commit is None else read(folder, commit, file)
        except UsageError as error:
            unread.append(f"{base}:{file}: not compared: {str(error).splitlines()[0]}")
            is_compared = False
        before = _numbers(text, f"{base}:{file}", unread)
        names = sorted({*before, *after})
        metrics += [
            TrainingMetric(file, n, before.get(n), after.get(n), is_compared) for n in names
        ]
    return MetricsDiff(base, commit, tuple(metrics), "" if commit else missing, tuple(unread))


def _numbers(text: str | None, place: str, notes: list[str]) -> dict[str, float]:
    if text is None:
        return {}
    try:
        return dict(numbers_in(parse_document(text, Path(place)).data))
    except UsageError as error:
        notes.append(str(error).splitlines()[0])
        return {}


def numbers_in(data: Any, above: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a nested mapping, by their keys.

    >>> list(numbers_in({"a": 1, "b": {"c": 0.5, "d": "text", "e": True}}))
    [('a', 1), ('b.c', 0.5)]
    """
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from numbers_in(value, f"{above}.{key}" if above else str(key))
    # `True` is an int in Python, and a flag is no metric.
    elif isinstance(data, int | float) and not isinstance(data, bool) and above:
        yield above, data


# -- as text -------------------------------------------------------------------------------------


def markdown(diff: MetricsDiff) -> str:
    """Return a table of what changed, or a sentence that says that nothing did."""
    notes = [*([diff.missing] if diff.missing else []), *map(md_code, diff.unread)]
    return "\n\n".join([*notes, *_table(diff)])


def _table(diff: MetricsDiff) -> Iterator[str]:
    is_alone = len({metric.file for metric in diff.metrics}) == 1
    rows = [
        [*([] if is_alone else [name_cell(m.file)]), name_cell(m.name), *_cells(m)]
        for m in diff.changed
    ]
    header = [*([] if is_alone else ["file"]), "metric", name_cell(diff.base), "here", "change"]
    if rows:
        yield table(header, rows)
    yield from _rest(diff)


def plain(diff: MetricsDiff) -> str:
    """Return the same for a terminal."""
    rows = [(f"{m.file}: {m.name}", *_cells(m)) for m in diff.changed]
    head = ("metric", diff.base, "here", "change")
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join([*diff.notes, *(lines if rows else []), *_rest(diff)])


def _rest(diff: MetricsDiff) -> list[str]:
    n_same = len(diff.metrics) - len(diff.changed)
    if not diff.metrics:
        return ["There are no metrics, neither here nor there."]
    if not diff.changed:
        return [f"All {n_same} metrics are as on `{diff.base}`."]
    return [f"{n_same} more did not change."] if n_same else []


def _cells(metric: TrainingMetric) -> list[str]:
    before, after = (_shown(value) for value in (metric.before, metric.after))
    if not metric.is_compared:
        return [before, after, "not compared"]
    if metric.change is None:
        return [before, after, "removed" if metric.after is None else "new"]
    relative = f" ({metric.change / abs(metric.before):+.2%})" if metric.before else ""
    return [before, after, f"{metric.change:+.6g}{relative}"]


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
