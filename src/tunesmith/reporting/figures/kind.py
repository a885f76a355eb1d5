"""A kind of figure: a function that collects data, and one that draws them as a chart."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from tunesmith import registry
from tunesmith.reporting.drawing.chart import Chart
from tunesmith.reporting.figures.view import FigureView
from tunesmith.reporting.json import finite

D = TypeVar("D")


@dataclass(frozen=True)
class Kind(Generic[D]):
    """Plain data first, the chart of them second; calling a kind does both."""

    data: Callable[[FigureView], D]
    """A frozen dataclass of numbers and texts, from the record alone."""
    draw: Callable[[D], Chart]

    def __call__(self, view: FigureView) -> Chart:
        """The chart of a study."""
        return self.draw(self.data(view))

    def content(self, view: FigureView) -> dict[str, Any]:
        """The data as JSON content; numbers that do not exist are null."""
        content: dict[str, Any] = finite(asdict(self.data(view)))  # type: ignore[call-overload]
        return content


def kind_of(name: str) -> Kind[Any]:
    """The kind of figure with this name.

    Raises:
        UsageError: there is none.
    """
    kind: Kind[Any] = registry.load("figures", name)
    return kind
