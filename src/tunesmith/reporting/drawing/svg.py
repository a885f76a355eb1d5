"""Charts as SVG files: the same chart, the same bytes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias

from tunesmith.reporting.drawing import paths
from tunesmith.reporting.drawing.chart import (
    N_LEVELS,
    Axis,
    Band,
    Bars,
    Cells,
    Chart,
    Form,
    Line,
    Panel,
    Parallel,
    Points,
    Role,
    Rug,
    legend,
)
from tunesmith.reporting.drawing.palette import DARK, LIGHT, variables
from tunesmith.reporting.drawing.paths import BELOW, Frame, text_of
from tunesmith.reporting.drawing.scales import share, shortened
from tunesmith.reporting.escape import xml

Theme: TypeAlias = Literal["auto", "light", "dark"]
WIDTH = 760.0
HEIGHT = 300.0
SMALL = 220.0
"""Height of one of several panels."""
MARGIN = 16.0
LETTER = 6.4
"""Pixels of a letter, about."""
BELOW_PANEL = 44.0
RUG = 15.0
"""Height of a row of trials below a panel."""
MAX_LEFT = 190.0
NAME = 17.0
"""Height of a row of names above upright axes."""
SAMPLE = 18.0
"""Width of a picture in the legend."""
MANY = 400
"""Dots and lines from which on they are drawn smaller."""


@dataclass
class Page:
    """The elements of a drawing, in order."""

    parts: list[str] = field(default_factory=list)

    def path(self, data: str, classes: str) -> None:
        """Add a path, unless it is empty."""
        if data:
            self.parts.append(f'<path class="{classes}" d="{data}"/>')

    def text(self, x: float, y: float, text: str, classes: str = "", turned: bool = False) -> None:
        """Add a line of text, escaped."""
        turn = f' transform="rotate(-90 {text_of(x)} {text_of(y)})"' if turned else ""
        name = f' class="{classes}"' if classes else ""
        self.parts.append(f'<text x="{text_of(x)}" y="{text_of(y)}"{name}{turn}>{xml(text)}</text>')


def render(chart: Chart, *, theme: Theme = "auto", width: float = WIDTH) -> str:
    """An SVG document.

    Args:
        chart: to draw.
        theme: ``auto`` follows the reader's setting; ``light`` and ``dark`` hold plain colours,
            for programs that know no CSS variables.
        width: in pixels.
    """
    page = Page()
    top = _head(page, chart, width)
    for begin in range(0, len(chart.panels), chart.columns):
        row = chart.panels[begin : begin + chart.columns]
        height = HEIGHT if chart.columns == 1 else SMALL
        # Panels side by side share their height, so that their axes line up.
        height = max(_height(panel, height) for panel in row)
        for place, panel in enumerate(row):
            each = (width - MARGIN) / chart.columns
            _panel(page, panel, (MARGIN / 2 + place * each, top, each, height))
        top += height + max(_below(panel) for panel in row) + MARGIN
    return _document(page, chart, width, top, theme)


def _document(page: Page, chart: Chart, width: float, height: float, theme: Theme) -> str:
    size = f'width="{text_of(width)}" height="{text_of(height)}"'
    box = f'viewBox="0 0 {text_of(width)} {text_of(height)}"'
    # With the role of an image, screen readers read its title and description.
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} role="img">'
    names = f"<title>{xml(chart.title)}</title><desc>{xml(chart.description)}</desc>"
    # Without a ground of its own, dark ink would vanish on a dark page.
    paper = '<rect class="paper" width="100%" height="100%"/>'
    body = "\n".join(page.parts)
    return f"{head}\n{names}\n<style>{style(theme)}</style>\n{paper}\n{body}\n</svg>\n"


@cache
def style(theme: Theme) -> str:
    """The style sheet of a file."""
    rules = marks_css()
    if theme == "auto":
        dark = f"@media (prefers-color-scheme:dark){{:root{{{variables(DARK)}}}}}"
        return f":root{{{variables(LIGHT)}}}\n{dark}\n{rules}"
    palette = LIGHT if theme == "light" else DARK
    # `system-ui` is no font outside browsers, and generic names find none either.
    plain = rules.replace('system-ui, -apple-system, "Segoe UI", ', "")
    return re.sub(r"var\(--([\w-]+)\)", lambda found: palette[found[1]], plain)


@cache
def marks_css() -> str:
    """The rules that files and the HTML report share."""
    return (files("tunesmith.reporting.figures") / "marks.css").read_text(encoding="utf-8").strip()


# -- above the panels ----------------------------------------------------------------------------


def _head(page: Page, chart: Chart, width: float) -> float:
    """Draw title, note and legend; return the vertical position in pixels below them."""
    y = MARGIN + 10
    page.text(MARGIN, y, chart.title, "title")
    if chart.note:
        y += 20
        page.text(MARGIN, y, shortened(chart.note, int((width - 2 * MARGIN) / LETTER)))
    listed = legend(chart)
    if listed or chart.key:
        y = _legend(page, chart, listed, (y + 20, width - MARGIN))
    return y + MARGIN


def _legend(
    page: Page, chart: Chart, listed: list[tuple[str, Role, Form]], box: tuple[float, float]
) -> float:
    """Draw the legend from a height on, as wide as given; returns the height of its last row."""
    (y, right), x = box, MARGIN
    for label, role, form in listed:
        wide = SAMPLE + 5 + len(label) * LETTER
        x, y = (x, y) if x + wide <= right or x == MARGIN else (MARGIN, y + NAME)
        page.path(*_sample(role, form, x, y - 4))
        page.text(x + SAMPLE + 5, y, label)
        x += wide + MARGIN
    if chart.key and chart.panels:
        text = f"worse to better {chart.key}"
        wide = N_LEVELS * 9 + 6 + len(text) * LETTER
        x, y = (x, y) if x + wide <= right or x == MARGIN else (MARGIN, y + NAME)
        for level in range(N_LEVELS):
            page.path(f"M{text_of(x + level * 9)} {text_of(y - 9)}h9v9h-9z", f"cell-{level}")
        page.text(x + N_LEVELS * 9 + 6, y, text)
    return y


def _sample(role: Role, form: Form, x: float, y: float) -> tuple[str, str]:
    """Path and classes of a picture in the legend, whose middle is at a height."""
    if form in ("line", "dashes"):
        dashed = " dashed" if form == "dashes" else ""
        return f"M{text_of(x)} {text_of(y)}h{SAMPLE:g}", f"line{dashed} {role}"
    if form == "area":
        down = f"h{SAMPLE:g}v8h-{SAMPLE:g}z"
        return f"M{text_of(x)} {text_of(y - 4)}{down}", "area"
    middle = x + SAMPLE / 2
    if form == "cross":
        return paths.crosses([(middle, y)]), f"cross {role}"
    if form == "triangle":
        return paths.triangles([(middle, y + 4, -1)]), "cross trial"
    size = "large " if role == "best" else ""
    return paths.dots([(middle, y)]), f"dots {size}{role}"


# -- panels --------------------------------------------------------------------------------------

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width and height in pixels, with room for labels."""


def _height(panel: Panel | Parallel, usual: float) -> float:
    """Rows of bars and cells need room for their names."""
    if isinstance(panel, Panel) and panel.y.scale == "category":
        n_rows = round(panel.y.high - panel.y.low)
        return min(max(18.0 * n_rows, 60.0), 2 * HEIGHT)
    return usual


def _below(panel: Panel | Parallel) -> float:
    """Room below a panel: its rows of trials, its ticks and its label."""
    return BELOW_PANEL + (RUG * len(panel.rugs) if isinstance(panel, Panel) else 0.0)


def _panel(page: Page, panel: Panel | Parallel, box: Box) -> None:
    if isinstance(panel, Parallel):
        _parallel(page, panel, box)
        return
    left, top, width, height = box
    # Widths are estimated: a file does not know the fonts of its reader.
    names = [*(text for _, text in panel.y.ticks), *(rug.label for rug in panel.rugs)]
    ticks = max(map(len, names), default=1) * LETTER
    # Long names must not take the room of the panel itself.
    room = min(ticks + 14 + (18 if panel.y.label else 0), MAX_LEFT)
    frame = Frame(
        left=left + room, top=top, width=width - room - MARGIN, height=height, x=panel.x, y=panel.y
    )
    is_tiled = any(isinstance(mark, Cells) for mark in panel.marks)
    _axes(page, frame, left, RUG * len(panel.rugs), is_lined=not is_tiled)
    for row, rug in enumerate(panel.rugs):
        _rug(page, frame, rug, top + height + RUG * (row + 0.5) + 3)
    for mark in panel.marks:
        if not isinstance(mark, Rug):
            DRAWN[type(mark)](page, frame, mark)


def _axes(page: Page, frame: Frame, left: float, rows: float, *, is_lined: bool) -> None:
    """Draw axes with their ticks and labels; those below leave room for rows of trials."""
    bottom, right = frame.top + frame.height, frame.left + frame.width
    for place, text in _kept(frame.x, frame.width):
        x = frame.left + frame.width * place
        if is_lined and frame.x.scale != "category":
            page.path(f"M{text_of(x)} {text_of(frame.top)}V{text_of(bottom)}", "grid")
        page.text(x, bottom + rows + 16, text, "middle")
    for value, text in frame.y.ticks:
        y = frame.top + frame.height * (1 - share(frame.y, value))
        if is_lined and frame.y.scale != "category":
            page.path(f"M{text_of(frame.left)} {text_of(y)}H{text_of(right)}", "grid")
        page.text(frame.left - 6, y + 4, text, "end")
    page.path(
        f"M{text_of(frame.left)} {text_of(frame.top)}V{text_of(bottom)}H{text_of(right)}", "axis"
    )
    page.text(
        frame.left + frame.width / 2,
        bottom + rows + 34,
        _fitting(frame.x.label, frame.width),
        "middle label",
    )
    if frame.y.label:
        middle = frame.top + frame.height / 2
        label = _fitting(frame.y.label, frame.height)
        page.text(left + 12, middle, label, "middle label", turned=True)


def _kept(axis: Axis, width: float) -> list[tuple[float, str]]:
    """Ticks that do not write over each other."""
    kept: list[tuple[float, str]] = []
    end = -1e9
    for value, text in axis.ticks:
        place = share(axis, value)
        half = (len(text) * LETTER + 6) / 2
        if place * width - half >= end:
            kept.append((place, text))
            end = place * width + half
    return kept


def _fitting(label: str, width: float) -> str:
    return shortened(label, max(int(width / LETTER), 8))


def _points(page: Page, frame: Frame, mark: Points) -> None:
    places = frame.places(mark.x, mark.y)
    if mark.role == "failed":
        page.path(paths.crosses([p for p in places if p]), "cross failed")
        return
    size = " large" if mark.role == "best" else " small" if len(places) > MANY else ""
    sides = frame.sides(mark.y)
    # The best ones last, on top.
    for level in range(N_LEVELS) if mark.levels else (None,):
        colour = mark.role if level is None else f"level-{level}"
        levels = mark.levels or (None,) * len(places)
        rows = zip(places, levels, sides, strict=True)
        chosen = [(place, side) for place, at, side in rows if place and at == level]
        page.path(paths.dots([place for place, side in chosen if not side]), f"dots{size} {colour}")
        clipped = [(*place, side) for place, side in chosen if side]
        page.path(paths.triangles(clipped), f"cross {colour}")


def _line(page: Page, frame: Frame, mark: Line) -> None:
    colour = mark.role if mark.level is None else f"level-{mark.level}"
    thin = " thin" if mark.trial is not None and mark.role != "best" else ""
    dashed = " dashed" if mark.is_dashed else ""
    page.path(paths.line(frame, mark), f"line{thin}{dashed} {colour}")


def _rug(page: Page, frame: Frame, rug: Rug, y: float) -> None:
    """A row of small marks at a height, named on its left."""
    places = [(frame.at(x, frame.y.low)[0], y) for x in rug.x if x is not None]
    if rug.role == "failed":
        page.path(paths.crosses(places), "cross failed")
    else:
        page.path(paths.dots(places), f"dots {rug.role}")
    page.text(frame.left - 6, y + 4, rug.label, "end")


def _band(page: Page, frame: Frame, mark: Band) -> None:
    page.path(paths.band(frame, mark), "area")


def _bars(page: Page, frame: Frame, mark: Bars) -> None:
    step = frame.height / (frame.y.high - frame.y.low)
    thick = min(step * 0.66, 22.0)
    for row, value in enumerate(mark.values):
        # From the top, as one reads.
        y = frame.top + step * (row + 0.5)
        length = frame.width * share(frame.x, value or 0.0)
        across = f"h{text_of(length)}v{text_of(thick)}h{text_of(-length)}z"
        page.path(f"M{text_of(frame.left)} {text_of(y - thick / 2)}{across}", "fill-trial")
        if mark.intervals:
            _whisker(page, frame, mark.intervals[row], y)
        if mark.texts:
            # Beyond the whisker, which would run through the text.
            reach = mark.intervals[row][1] if mark.intervals else value
            end = frame.width * share(frame.x, reach or 0.0)
            page.text(frame.left + end + 6, y + 4, mark.texts[row])


def _whisker(page: Page, frame: Frame, ends: tuple[float, float], y: float) -> None:
    low, high = (frame.left + frame.width * share(frame.x, end) for end in ends)
    page.path(f"M{text_of(low)} {text_of(y)}H{text_of(high)}", "line best")


def _cells(page: Page, frame: Frame, mark: Cells) -> None:
    for level in range(N_LEVELS):
        page.path(paths.cells(frame, mark, level), f"cell-{level}")


DRAWN: dict[type, Callable[[Page, Frame, Any], None]] = {
    Points: _points,
    Line: _line,
    Band: _band,
    Bars: _bars,
    Cells: _cells,
}


# -- parallel coordinates ------------------------------------------------------------------------


def _parallel(page: Page, panel: Parallel, box: Box) -> None:
    left, top, width, height = box
    places = _upright(len(panel.axes), left + 60, width - 120)
    room = width / max(len(places), 1)
    n_rows = 2 if any(len(axis.label) * LETTER + 8 > room for axis in panel.axes) else 1
    # Names stand above, so that the ends of lines and axes below are free.
    begin = top + NAME * n_rows
    height += BELOW_PANEL - BELOW - NAME * (n_rows + 0.5)
    lines: dict[int, list[str]] = {}
    for row, level in enumerate(panel.levels):
        points = [
            f"{text_of(x)} {text_of(_down(axis, column[row], begin, height))}"
            for x, axis, column in zip(places, panel.axes, panel.columns, strict=True)
        ]
        lines.setdefault(level, []).append("M" + "L".join(points))
    many = " many" if len(panel.trials) > MANY else ""
    # The best ones last, on top.
    for level in sorted(lines):
        page.path("".join(lines[level]), f"line thin{many} level-{level}")
    for i, (x, axis, column) in enumerate(zip(places, panel.axes, panel.columns, strict=True)):
        _upright_axis(page, axis, (x, begin, room, height), has_gap=None in column)
        # Names in two rows have twice the room, and a line that leads to their axis.
        above = top + NAME * (i % n_rows) + 8
        page.path(f"M{text_of(x)} {text_of(above + 4)}V{text_of(begin)}", "axis")
        name = _fitting(axis.label, n_rows * room - 8)
        half = len(name) * LETTER / 2
        middle = min(max(x, left + half), left + width - half)
        page.text(middle, above, name, "middle label")


def _upright(n: int, left: float, width: float) -> list[float]:
    return [left + width * (i / (n - 1) if n > 1 else 0.5) for i in range(n)]


def _down(axis: Axis, value: float | None, top: float, height: float) -> float:
    if value is None:
        return top + height + BELOW
    return top + height * (1 - share(axis, value))


def _upright_axis(page: Page, axis: Axis, box: Box, *, has_gap: bool) -> None:
    x, top, room, height = box
    page.path(f"M{text_of(x)} {text_of(top)}v{text_of(height)}", "axis upright")
    for value, text in axis.ticks:
        y = _down(axis, value, top, height) + 4
        page.text(x + 4, y, shortened(text, max(int(room / LETTER) - 1, 5)), "halo")
    if has_gap:
        page.text(x + 4, top + height + BELOW + 4, "not set", "halo")
