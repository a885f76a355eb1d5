"""The contract of kinds of figures: subclass ``FigureContract`` to test your own."""

import json
from dataclasses import is_dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree

import pytest

from tunesmith.history import Metric
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.drawing.chart import Parallel, plain
from tunesmith.reporting.drawing.svg import render
from tunesmith.reporting.figures.kind import Kind
from tunesmith.reporting.figures.view import FigureView, view_of
from tunesmith.testing.records import make_record

# Markup, a null byte, an escape sequence, half a character, and one that XML forbids.
HOSTILE = '</svg><script>alert("1")</script>&\x00\x1b[31m\ud800\uffff'
SPACE = {
    "boxes": [
        {
            "rate": {"float": [1e-5, 1.0], "log": True},
            "depth": {"int": [1, 9]},
            "kernel": ["rbf", None, [1, 2]],
            "degree": {"int": [1, 5], "when": {"kernel": "rbf"}},
            "flag": [True, False],
        }
    ],
    "constraints": [],
}
BOTH = (Metric("gain"), Metric("loss", "minimize"))


def points(n: int) -> list[dict[str, Any]]:
    """Return params of all kinds: logarithmic, whole, categorical, conditional, flag, constant."""
    made: list[dict[str, Any]] = []
    for i in range(n):
        kernel = ["rbf", None, [1, 2]][i % 3]
        point = {"rate": 10.0 ** -(i % 6), "depth": 1 + i % 9, "kernel": kernel}
        condition = {"degree": 1 + i % 5} if kernel == "rbf" else {}
        made.append({**point, **condition, "flag": i % 4 == 0, "constant": 1})
    return made


@cache
def records() -> dict[str, StudyRecord]:
    """Return the studies that figures must cope with, by their special property."""
    means = [0.5 + (i * 7 % 11) / 20 for i in range(40)]
    scores: list[list[float] | str] = [
        "out of memory" if i % 7 == 3 else [mean, mean + 0.02, mean + 0.04]
        for i, mean in enumerate(means)
    ]
    same = [[0.5, 0.5]] * 9
    huge: list[list[float] | str] = [[(-1.0) ** i * 10.0 ** (i * 7)] for i in range(40)]
    names = [{HOSTILE: HOSTILE if i % 2 else "b", "x": i / 10} for i in range(9)]
    return {
        "none": make_record([], []),
        "one": make_record(points(1)),
        "many": make_record(points(40), scores, metrics=BOTH, space=SPACE),
        "two objectives": make_record(
            points(40), scores, metrics=BOTH, n_objectives=2, space=SPACE
        ),
        "all failed": make_record(points(3), ["bad"] * 3, space=SPACE),
        "same scores": make_record(points(9), same, space=SPACE),
        "huge numbers": make_record([{"x": s[0], "y": 1} for s in huge], huge),
        "hostile texts": make_record(
            names, metrics=(Metric(HOSTILE),), study="hostile", origins=[HOSTILE] * 9
        ),
    }


STUDIES = tuple(records())


@cache
def view_of_study(name: str) -> FigureView:
    """Return the view of one of these studies, summarised once."""
    return view_of(records()[name])


class FigureContract:
    """Tests of one kind: override ``kind``."""

    kind: Kind[Any]

    @pytest.fixture(params=STUDIES)
    def view(self, request: pytest.FixtureRequest) -> FigureView:
        """Return the view of each study by its first objective."""
        return view_of_study(request.param)

    def test_data_are_plain_and_become_json(self, view: FigureView) -> None:
        assert is_dataclass(self.kind.data(view))
        assert json.loads(json.dumps(self.kind.content(view), allow_nan=False))

    def test_the_same_study_gives_the_same_bytes(self, view: FigureView) -> None:
        again = view_of(view.record, view.summary)
        assert render(self.kind(view)) == render(self.kind(again))

    def test_the_drawing_is_xml_without_foreign_elements(self, view: FigureView) -> None:
        for theme in ("auto", "dark"):
            text = render(self.kind(view), theme=theme)
            root = ElementTree.fromstring(text)  # noqa: S314 - our own
            tags = {element.tag.rpartition("}")[2] for element in root.iter()}
            # Elements such as `foreignObject`, `image` and `script` would run or load something.
            assert tags <= {"svg", "title", "desc", "style", "rect", "path", "text"}
            assert "NaN" not in text.replace(view.metric.name, "")
            # Attributes such as `onload` run scripts.
            assert not any(name.startswith("on") for e in root.iter() for name in e.attrib)

    def test_it_shows_something_or_says_why_not(self, view: FigureView) -> None:
        chart = self.kind(view)
        assert chart.title
        assert chart.description
        assert chart.panels or chart.note

    def test_places_are_numbers_and_ticks_lie_on_their_axes(self, view: FigureView) -> None:
        chart = self.kind(view)
        json.dumps(plain(chart), allow_nan=False)
        for panel in chart.panels:
            axes = panel.axes if isinstance(panel, Parallel) else (panel.x, panel.y)
            for axis in axes:
                assert axis.low < axis.high
                assert axis.scale != "log" or axis.low > 0
                # Ticks are rounded, and may lie beyond an end by less than a pixel.
                margin = (axis.high - axis.low) * 1e-6
                ends = axis.low - margin, axis.high + margin
                assert all(ends[0] <= tick <= ends[1] for tick, _ in axis.ticks)
