"""The figure of ``make bench-search``: mean regret by the number of trials."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np

from tunesmith.reporting.drawing.chart import Chart, Line, Panel, Role
from tunesmith.reporting.drawing.scales import linear_axis
from tunesmith.reporting.drawing.svg import render

ROLES: tuple[Role, ...] = ("best", "trial", "tied", "failed", "band", "front")
FIRST = 5
"""Number of trials from which on the curves are drawn; before it all are at chance."""


def figure(curves: Mapping[str, Mapping[str, np.ndarray]]) -> str:
    """Draw an SVG document.

    Args:
        curves: title of a panel -> player -> ``(n_trials,)`` mean regrets.
    """
    panels = tuple(_panel(title, of_kind) for title, of_kind in curves.items())
    text = "Mean regret of the best trial so far (0: best known, 1: a random point), by trials."
    return render(Chart("Regret by the number of trials", text, panels=panels))


def _panel(title: str, curves: Mapping[str, np.ndarray]) -> Panel:
    n = max(map(len, curves.values()))
    first = min(FIRST, n - 1)
    steps = tuple(float(trial) for trial in range(first + 1, n + 1))
    highest = max(float(curve[first:].max()) for curve in curves.values())
    marks = tuple(
        Line(steps, tuple(map(float, curve[first:])), role=role, label=name)
        for (name, curve), role in zip(curves.items(), cycle(ROLES), strict=False)
    )
    axes = linear_axis(f"trials ({title})", first + 1, n), linear_axis("regret", 0, highest)
    return Panel(*axes, marks)
