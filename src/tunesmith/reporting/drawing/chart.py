"""Charts as plain data, without pixels: axes, marks and panels.

Two renderers draw the same charts: ``svg`` makes files, ``page/charts.js`` draws in the HTML
report. Everything that is worked out (ranges, ticks, labels, colour levels) is worked out here.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, Literal, TypeAlias

Scale: TypeAlias = Literal["linear", "log", "category"]
Numbers: TypeAlias = tuple[float | None, ...]
Role: TypeAlias = Literal["trial", "best", "failed", "front", "band", "tied"]
"""Meaning of a mark; renderers choose the colour."""
N_LEVELS = 8
"""Steps of the colour scale, from the worst scores (0) to the best (7)."""


@dataclass(frozen=True)
class Axis:
    """A scale with its range, ticks and label.

    On a ``category`` axis values are positions 0, 1, …, and the range is widened by half a step.
    """

    label: str
    scale: Scale
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Points:
    """Dots; ``levels`` colours them by score."""

    x: Numbers
    y: Numbers
    _: KW_ONLY
    role: Role = "trial"
    trials: tuple[int, ...] = ()
    """The trial behind each dot, if there is one."""
    levels: tuple[int, ...] = ()
    label: str = ""
    """In the legend; without one the mark is not listed."""


@dataclass(frozen=True)
class Line:
    """A line through points; ``is_stepped`` holds each value until the next point."""

    x: Numbers
    y: Numbers
    _: KW_ONLY
    role: Role = "best"
    label: str = ""
    is_stepped: bool = False
    trial: int | None = None
    level: int | None = None


@dataclass(frozen=True)
class Band:
    """The area between two lines."""

    x: Numbers
    low: Numbers
    high: Numbers
    label: str = ""


@dataclass(frozen=True)
class Bars:
    """Horizontal bars from zero, one a position of the category axis on the left."""

    values: Numbers
    errors: Numbers = ()
    texts: tuple[str, ...] = ()
    """Beside each bar."""
    role: Role = "trial"
    label: str = ""


@dataclass(frozen=True)
class Cells:
    """A panel cut into equal cells, row by row from the top, coloured by level."""

    n_columns: int
    n_rows: int
    levels: tuple[int, ...]
    """Colour levels, -1 for an empty cell."""
    texts: tuple[str, ...] = ()
    """Text of each cell, shown when you point at it."""
    failed: tuple[int, ...] = ()
    """Indices of cells without a score because the fold failed."""


Mark: TypeAlias = Points | Line | Band | Bars | Cells


@dataclass(frozen=True)
class Panel:
    """Two axes and the marks between them, drawn in order."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    title: str = ""


@dataclass(frozen=True)
class Parallel:
    """One upright axis a column; one line a trial. ``None`` is drawn below the axis."""

    axes: tuple[Axis, ...]
    columns: tuple[Numbers, ...]
    trials: tuple[int, ...]
    levels: tuple[int, ...]


@dataclass(frozen=True)
class Chart:
    """A figure, ready to be drawn."""

    title: str
    description: str
    """One sentence for readers who do not see it."""
    _: KW_ONLY
    panels: tuple[Panel | Parallel, ...] = ()
    note: str = ""
    """Text below the title: a remark, or the reason for which there is nothing to see."""
    columns: int = 1
    """Panels side by side if there is room."""
    key: str = ""
    """Meaning of the colour levels; empty if none are used."""


def plain(chart: Chart) -> dict[str, Any]:
    """Return the chart as JSON content; marks and panels name their type, defaults are left out."""
    content = dict(vars(chart))
    content["panels"] = [_plain_panel(panel) for panel in chart.panels]
    return content


def _plain_panel(panel: Panel | Parallel) -> dict[str, Any]:
    if isinstance(panel, Parallel):
        return {"kind": "parallel", **vars(panel), "axes": [vars(axis) for axis in panel.axes]}
    # Not `asdict`: it copies every number by itself.
    marks = [{"mark": type(m).__name__.lower(), **_filled(m)} for m in panel.marks]
    return {"kind": "panel", "title": panel.title, **_axes(panel), "marks": marks}


def _axes(panel: Panel) -> dict[str, Any]:
    return {"x": dict(vars(panel.x)), "y": dict(vars(panel.y))}


def _filled(mark: Mark) -> dict[str, Any]:
    """The fields of a mark without those that have their default."""
    return {f.name: v for f in fields(mark) if (v := getattr(mark, f.name)) != f.default}


def legend(chart: Chart) -> list[tuple[str, Role]]:
    """Return the entries of the legend: label and role, each once, in the order of the marks."""
    entries: dict[str, Role] = {}
    for panel in chart.panels:
        for mark in panel.marks if isinstance(panel, Panel) else ():
            label = "" if isinstance(mark, Cells) else mark.label
            if label:
                entries.setdefault(label, "band" if isinstance(mark, Band) else role_of(mark))
    return list(entries.items())


def role_of(mark: Mark) -> Role:
    """Return the role of a mark; areas and cells have one of their own."""
    return mark.role if isinstance(mark, Points | Line | Bars) else "band"


def levels_of(gains: Sequence[float], low: float, high: float) -> tuple[int, ...]:
    """Colour levels of numbers that grow with quality, between the ends of a range.

    >>> levels_of([0.0, 0.5, 1.0], 0.0, 1.0)
    (0, 4, 7)
    """
    width = high - low
    # If all scores are equal, they are neither the worst nor the best.
    shares = [(gain - low) / width if width > 0 else 0.5 for gain in gains]
    return tuple(min(max(int(share * N_LEVELS), 0), N_LEVELS - 1) for share in shares)
