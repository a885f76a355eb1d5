"""Path data for marks: one path a colour, however many dots it has."""

from collections.abc import Iterable
from dataclasses import dataclass

from tunesmith.reporting.drawing.chart import Axis, Band, Cells, Line, Numbers
from tunesmith.reporting.drawing.scales import share

CROSS = 3.5
BELOW = 14.0
"""Distance in pixels of inactive values below an upright axis."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The rectangle between the axes, in pixels, and the axes."""

    left: float
    top: float
    width: float
    height: float
    x: Axis
    y: Axis

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a point."""
        across = self.left + self.width * share(self.x, x)
        return across, self.top + self.height * (1 - share(self.y, y))

    def places(self, x: Numbers, y: Numbers) -> list[tuple[float, float] | None]:
        """Return the pixels of points; ``None`` for those that lack a coordinate."""
        pairs = zip(x, y, strict=True)
        return [None if a is None or b is None else self.at(a, b) for a, b in pairs]

    def sides(self, y: Numbers) -> list[int]:
        """Return the side of the upright axis on which each point lies off it; 0 if it is on it."""
        return [0 if value is None else self.y.side(value) for value in y]


def text_of(number: float) -> str:
    """Pixels with one decimal, as short as it goes.

    >>> text_of(12.04), text_of(-0.01)
    ('12', '0')
    """
    # Adding 0.0 turns -0.0 into 0.0, so that equal charts have equal bytes.
    return f"{round(number, 1) + 0.0:g}"


def dots(places: Iterable[tuple[float, float]]) -> str:
    """Lines of no length: round caps make them dots."""
    return "".join(f"M{text_of(x)} {text_of(y)}h0" for x, y in places)


def crosses(places: Iterable[tuple[float, float]]) -> str:
    """Small diagonal crosses."""
    side = f"{2 * CROSS:g}"
    strokes = f"l{side} {side}m0 -{side}l-{side} {side}"
    return "".join(f"M{text_of(x - CROSS)} {text_of(y - CROSS)}{strokes}" for x, y in places)


def triangles(places: Iterable[tuple[float, float, int]]) -> str:
    """Small triangles at the end of a scale, which point at what lies beyond it.

    Args:
        places: pixels of their tips, and the side: -1 below, 1 above.
    """
    return "".join(
        f"M{text_of(x - 4)} {text_of(y + side * 6)}h8l-4 {-6 * side}z" for x, y, side in places
    )


def line(frame: Frame, mark: Line) -> str:
    """Join points; the line breaks at a missing one."""
    parts: list[str] = []
    is_open = False
    for place in frame.places(mark.x, mark.y):
        if place is None:
            is_open = False
            continue
        x, y = map(text_of, place)
        # First across, then up: each value holds until the next point.
        step = f"H{x}V{y}" if mark.is_stepped else f"L{x} {y}"
        parts.append(step if is_open else f"M{x} {y}")
        is_open = True
    return "".join(parts)


def band(frame: Frame, mark: Band) -> str:
    """Outline of a band: along the upper line, and back along the lower."""
    upper = [place for place in frame.places(mark.x, mark.high) if place]
    lower = [place for place in frame.places(mark.x, mark.low) if place]
    around = [f"{text_of(x)} {text_of(y)}" for x, y in [*upper, *reversed(lower)]]
    return f"M{'L'.join(around)}Z" if around else ""


def cells(frame: Frame, mark: Cells, level: int) -> str:
    """The cells of one level; neighbours in a row are one rectangle."""
    width, height = frame.width / mark.n_columns, frame.height / mark.n_rows
    rectangles = []
    for row in range(mark.n_rows):
        column = 0
        while column < mark.n_columns:
            begin, base = column, row * mark.n_columns
            while column < mark.n_columns and mark.levels[base + column] == level:
                column += 1
            if column > begin:
                x, y = frame.left + begin * width, frame.top + row * height
                # A little larger than the cell: renderers leave hairlines between rectangles.
                across, down = (column - begin) * width + 0.3, height + 0.3
                rectangles.append(
                    f"M{text_of(x)} {text_of(y)}h{across:.1f}v{down:.1f}h-{across:.1f}z"
                )
            column = max(column, begin + 1)
    return "".join(rectangles)
