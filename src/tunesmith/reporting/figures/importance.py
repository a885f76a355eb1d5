"""Importance of each parameter."""

from dataclasses import dataclass

from tunesmith.analysis.importance import importance
from tunesmith.reporting.drawing.chart import Bars, Chart, Panel
from tunesmith.reporting.drawing.scales import category_axis, linear_axis
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView


@dataclass(frozen=True)
class ImportanceData:
    """Shares that add up to 1, largest first; or the reason why there are none."""

    metric: str
    names: tuple[str, ...]
    shares: tuple[float, ...]
    reason: str = ""
    errors: tuple[float, ...] = ()
    """Standard errors of the shares, if they are known."""


def data(view: FigureView) -> ImportanceData:
    """Return the summary's importance; for another metric it is computed."""
    shown = view.summary.importance
    if view.metric != view.summary.metric:
        space = view.summary.recorded.space
        shown = importance(view.record.history, space, view.metric)
    names, shares = zip(*shown.shares, strict=True) if shown.shares else ((), ())
    errors = tuple(shown.errors.get(name, 0.0) for name in names) if shown.errors else ()
    return ImportanceData(view.metric.name, names, shares, shown.reason, errors)


def draw(content: ImportanceData) -> Chart:
    """A bar a parameter."""
    title = "Parameter importance"
    if not content.names:
        note = f"No importance: {content.reason}."
        return Chart(title, note, note=note)
    axis = linear_axis(
        "share of what tells good trials from all (PED-ANOVA)", 0, max(content.shares)
    )
    # A little longer, for the text beside the longest bar.
    x = type(axis)(axis.label, "linear", 0.0, axis.high * 1.08, axis.ticks)
    texts = tuple(f"{share:.0%}" for share in content.shares)
    bars = Bars(content.shares, content.errors, texts)
    first = f"{content.names[0]} matters most, with {texts[0]}."
    panel = Panel(x, category_axis("", content.names[::-1], len(content.names)), (bars,))
    return Chart(title, f"Importance for {content.metric}: {first}", panels=(panel,))


KIND = Kind(data, draw)
