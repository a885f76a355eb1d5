"""Charts as files: SVG by Tunesmith itself, PNG by resvg."""

from pathlib import Path

from tunesmith.errors import UsageError
from tunesmith.reporting.drawing.chart import Chart
from tunesmith.reporting.drawing.svg import Theme, render
from tunesmith.system.files import write_atomic

FORMATS = (".svg", ".png")
ZOOM = 2.0
"""Pixels of a PNG for one of the drawing, for sharp screens."""


def checked_format(path: Path) -> str:
    """The format that a file's name asks for.

    Raises:
        UsageError: no known one.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(f"{path}: its name says no known format.\n  End it in .svg or .png.")
    return suffix


def save(chart: Chart, path: Path, *, theme: Theme = "auto") -> bool:
    """Write a chart; the file's name says in which format.

    Returns:
        Whether the file changed.

    Raises:
        UsageError: the name says no known format, or PNG cannot be made here.
        StorageError: the file cannot be written.
    """
    is_png = checked_format(path) == ".png"
    return write_atomic(path, png(chart, theme) if is_png else render(chart, theme=theme))


def png(chart: Chart, theme: Theme = "auto") -> bytes:
    """A PNG image; ``auto`` is light, because an image cannot follow its reader's setting.

    Raises:
        UsageError: the extra is not installed.
    """
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise UsageError(
            "PNG needs a renderer: pip install 'tunesmith[png]'. SVG needs nothing."
        ) from None
    drawing = render(chart, theme="light" if theme == "auto" else theme)
    return bytes(svg_to_bytes(svg_string=drawing, zoom=ZOOM))
