"""Importance of each parameter."""

from dataclasses import dataclass

from tunesmith.analysis import numbers
from tunesmith.analysis.importance import importance
from tunesmith.reporting.drawing.chart import Axis, Bars, Chart, Panel
from tunesmith.reporting.drawing.scales import category_axis, nice_ticks
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView
from tunesmith.reporting.statements import leading
from tunesmith.reporting.wording.words import PLAIN

LABEL = "share of the variance over the space"
TEXT_ROOM = 1.65
"""Length of the axis beside the longest interval, for the text at its end in a narrow card."""


@dataclass(frozen=True, kw_only=True)
class ImportanceData:
    """Shares of the variance over the space, largest first; or the reason why there are none."""

    metric: str
    names: tuple[str, ...]
    shares: tuple[float, ...]
    reason: str = ""
    errors: tuple[float, ...] = ()
    """Half the width of each share's interval, which is made to hold the truth in 95 % of cases."""
    intervals: tuple[tuple[float, float], ...] = ()
    """The intervals, without what no share can be: below 0 or above 1."""
    claim: str = ""
    """Sentence about the most important parameter."""
    basis: str = ""
    """Sentence that says how the shares were computed."""


def data(view: FigureView) -> ImportanceData:
    """Return the summary's importance; for another metric it is computed."""
    shown = view.summary.importance
    if view.metric != view.summary.metric:
        space = view.summary.recorded.space
        shown = importance(view.record.history, space, view.metric)
    names, shares = zip(*shown.shares, strict=True) if shown.shares else ((), ())
    return ImportanceData(
        metric=view.metric.name,
        names=names,
        shares=shares,
        reason=shown.reason,
        errors=tuple(shown.errors[name] for name in names),
        intervals=tuple(numbers.share_interval(s, shown.errors[n]) for n, s in shown.shares),
        claim=leading(shown, PLAIN),
        basis=shown.basis,
    )


def draw(content: ImportanceData) -> Chart:
    """A bar a parameter."""
    title = "Parameter importance"
    if not content.names:
        return Chart(title, content.claim, note=content.claim)
    longest = max(high for _, high in content.intervals)
    ticks = tuple((tick, f"{tick:.0%}") for tick in nice_ticks(0.0, longest))
    x = Axis(LABEL, "linear", 0.0, longest * TEXT_ROOM or 1.0, ticks)
    pairs = zip(content.shares, content.errors, strict=True)
    bars = Bars(content.shares, content.intervals, tuple(numbers.share(*pair) for pair in pairs))
    panel = Panel(x, category_axis("", content.names[::-1], len(content.names)), (bars,))
    description = f"Importance for {content.metric}. {content.claim}"
    return Chart(title, description, panels=(panel,), note=content.claim)


KIND = Kind(data, draw)
