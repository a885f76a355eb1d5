"""Charts as plain data, without pixels: axes, marks and panels.

Two renderers draw the same charts: ``svg`` makes files, ``page/scripts`` draw in the HTML report.
Ranges, ticks, labels and colour levels are worked out here. The page itself works out only what the
reader chooses: the cells and levels over other axes.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, Literal, TypeAlias

Scale: TypeAlias = Literal["linear", "log", "category"]
Numbers: TypeAlias = tuple[float | None, ...]
Role: TypeAlias = Literal["trial", "best", "failed", "front", "band", "tied", "clipped", "current"]
"""Meaning of a mark; renderers choose the colour."""
Form: TypeAlias = Literal["dot", "cross", "line", "dashes", "area", "triangle"]
"""Picture of a mark in the legend: the form that it has in the panel."""
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
    _: KW_ONLY
    values: tuple[float, ...] = ()
    """The only values, if they are a short list of numbers; rising."""

    def side(self, value: float) -> int:
        """Return the side on which a value lies off the scale: -1 below, 1 above, else 0.

        >>> Axis("", "linear", 0.0, 1.0, ()).side(-3.0), Axis("", "linear", 0.0, 1.0, ()).side(1.0)
        (-1, 0)
        """
        # As in `page/scripts/draw.js`, in which the ends of axes are rounded.
        slack = (self.high - self.low) * 1e-6
        return -1 if value < self.low - slack else int(value > self.high + slack)


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
    is_dashed: bool = False
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
    intervals: tuple[tuple[float, float], ...] = ()
    """Ends of the interval of each bar."""
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


@dataclass(frozen=True)
class Rug:
    """Trials without a score that compares, in a row of their own below the panel.

    Inside it, at any height, they would look as if they had scored so.
    """

    x: Numbers
    label: str
    """Beside the row."""
    _: KW_ONLY
    role: Role = "band"
    trials: tuple[int, ...] = ()


Mark: TypeAlias = Points | Line | Band | Bars | Cells | Rug


@dataclass(frozen=True)
class Panel:
    """Two axes and the marks between them, drawn in order."""

    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    title: str = ""

    @property
    def rugs(self) -> tuple[Rug, ...]:
        """Rows below the panel, from the top."""
        return tuple(mark for mark in self.marks if isinstance(mark, Rug))


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


def legend(chart: Chart) -> list[tuple[str, Role, Form]]:
    """Return label, role and form of what is explained, each once, in the order of the marks."""
    entries: dict[str, tuple[Role, Form]] = {}
    for panel in chart.panels:
        for mark in panel.marks if isinstance(panel, Panel) else ():
            # Rows below a panel have their label beside them.
            label = "" if isinstance(mark, Cells | Rug) else mark.label
            if label:
                entries.setdefault(label, (role_of(mark), form_of(mark)))
    if any(_has_beyond(panel) for panel in chart.panels if isinstance(panel, Panel)):
        entries["beyond the scale"] = "clipped", "triangle"
    return [(label, *entry) for label, entry in entries.items()]


def form_of(mark: Mark) -> Form:
    """Return the form of a mark, for the legend."""
    if isinstance(mark, Line):
        return "dashes" if mark.is_dashed else "line"
    if isinstance(mark, Points):
        return "cross" if mark.role == "failed" else "dot"
    return "area"


def _has_beyond(panel: Panel) -> bool:
    """Tell whether a dot lies off the upright axis, at whose end it is drawn."""
    dots = [mark for mark in panel.marks if isinstance(mark, Points)]
    return any(y is not None and panel.y.side(y) for mark in dots for y in mark.y)


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
