"""Figures in notebooks and programs.

``tunesmith.plot.history("tuning.yaml")`` gives a figure that a notebook shows, and ``save`` writes
it as SVG or PNG. Every registered kind of figure is a function here, with the same arguments:
``history``, ``parallel``, ``importance``, ``contour``, ``slice``, ``folds``, ``race``, ``curves``,
``pareto``, ``predictions``, ``timeline``.

>>> import tunesmith
>>> space = {"x": [1, 2, 3]}
>>> result = tunesmith.tune(lambda p: p["x"], space=space, search="grid", progress=False)
>>> tunesmith.plot.history(result).svg().startswith("<svg")
True
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from tunesmith import registry
from tunesmith.analysis.summary import Summary
from tunesmith.config.load import load_definition
from tunesmith.errors import UsageError, did_you_mean
from tunesmith.history import Failure, FoldResult, Metric, TrialLog
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.reporting.drawing.chart import Chart
from tunesmith.reporting.drawing.save import png, save
from tunesmith.reporting.drawing.svg import Theme, render
from tunesmith.reporting.figures.kind import Kind, kind_of
from tunesmith.reporting.figures.view import FigureView, view_of
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Value

SCORES = re.compile(r"split(\d+)_test_(.+)")


@dataclass(frozen=True, repr=False)
class Figure:
    """A figure of a study: shown by notebooks, saved as SVG or PNG.

    >>> import tunesmith
    >>> space = {"x": [1, 2, 3]}
    >>> result = tunesmith.tune(lambda p: p["x"], space=space, search="grid", progress=False)
    >>> tunesmith.plot.slice(result).chart.title
    'Score by parameter'
    """

    kind: Kind[Any]
    view: FigureView

    @property
    def data(self) -> Any:
        """Data of the figure: a frozen dataclass of numbers and texts."""
        return self.kind.data(self.view)

    @property
    def chart(self) -> Chart:
        """Axes and marks."""
        return self.kind(self.view)

    def svg(self, theme: Theme = "auto") -> str:
        """The drawing as SVG."""
        return render(self.chart, theme=theme)

    def png(self, theme: Theme = "light") -> bytes:
        """The drawing as PNG.

        Raises:
            UsageError: the extra ``png`` is not installed.
        """
        return png(self.chart, theme)

    def save(self, path: str | PathLike[str], theme: Theme = "auto") -> None:
        """Write ``.svg`` or ``.png``, as the name says.

        Raises:
            UsageError: the name says no known format, or the extra ``png`` is not installed.
            StorageError: the file cannot be written.
        """
        save(self.chart, Path(path), theme=theme)

    def __repr__(self) -> str:
        return f"<Figure of {self.view.summary.study}: {self.chart.title}>"

    def _repr_svg_(self) -> str:
        return self.svg()


@dataclass(frozen=True, repr=False)
class StudyFigure(Figure):
    """A figure that a call draws of another metric or of other parameters."""

    def __call__(self, *, metric: str | None = None, params: Sequence[str] = ()) -> Figure:
        """Return the figure of another metric or of other parameters.

        Args:
            metric: a recorded metric's name; the first objective by default.
            params: names of parameters; those that vary by default.

        Raises:
            UsageError: there is no such metric or parameter.
        """
        view = view_of(self.view.record, self.view.summary, metric=metric, params=params)
        return Figure(self.kind, view)


@dataclass(frozen=True, repr=False)
class Figures:
    """All kinds of figures of one study, by their names.

    ``figures.history`` is a figure that a notebook shows; ``figures.slice(params=["C"])`` is one of
    some parameters. ``dir(figures)`` lists the names.
    """

    record: StudyRecord
    summary: Summary

    def __getattr__(self, name: str) -> StudyFigure:
        if name.startswith("_") or name not in registry.names("figures"):
            hint = did_you_mean(name, registry.names("figures"))
            raise AttributeError(f"there is no kind of figure `{name}`. {hint}")
        return StudyFigure(kind_of(name), view_of(self.record, self.summary))

    __getitem__ = __getattr__

    def __dir__(self) -> list[str]:
        return registry.names("figures")

    def __repr__(self) -> str:
        return f"<Figures of {self.summary.study}: {', '.join(dir(self))}>"


def figure(
    kind: str, source: Any, *, metric: str | None = None, params: Sequence[str] = ()
) -> Figure:
    """Make a figure of a study.

    Args:
        kind: a registered name.
        source: the path of a configuration or a ledger, a ``Result``, a ``StudyRecord``, or a
            fitted search with ``cv_results_``.
        metric: a recorded metric's name; the first objective by default.
        params: names of parameters; those that vary by default.

    Raises:
        UsageError: there is no such kind, study, metric or parameter.

    >>> import tunesmith
    >>> space = {"x": [1, 2, 3]}
    >>> result = tunesmith.tune(lambda p: p["x"], space=space, search="grid", progress=False)
    >>> figure("history", result)
    <Figure of lambda: Optimisation history>
    """
    figure_kind = kind_of(kind)
    return Figure(figure_kind, view_of(record_of(source), metric=metric, params=params))


def __getattr__(name: str) -> Callable[..., Figure]:
    if name in {*registry.BUILTIN["figures"], *registry.outside("figures")}:
        return partial(figure, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["Figure", "figure", *registry.names("figures")]


# -- sources of figures --------------------------------------------------------------------------


@runtime_checkable
class HasRecord(Protocol):
    """An object with the record of a study, such as the result of ``tune``."""

    @property
    def record(self) -> StudyRecord:
        """The study as it is in the ledger."""


def record_of(source: Any) -> StudyRecord:
    """Return the record of a study, named or held by a source.

    Raises:
        UsageError: it names no study, or nothing was run yet.
    """
    if isinstance(source, StudyRecord):
        return source
    if isinstance(source, HasRecord) and isinstance(source.record, StudyRecord):
        return source.record
    if hasattr(source, "cv_results_"):
        return record_of_results(source.cv_results_, type(source).__name__)
    if isinstance(source, str | PathLike):
        return _stored(fspath(source))
    raise UsageError(
        f"a figure cannot be made of a {type(source).__name__}.\n"
        "  Give the path of a configuration or a ledger, a result, or a fitted search."
    )


def _stored(place: str) -> StudyRecord:
    if "://" in place or Path(place).suffix in (".db", ".sqlite"):
        with Ledger.open(place if "://" in place else Path(place), create=False) as ledger:
            return ledger.load()
    definition = load_definition(Path(place))
    with Ledger.open(definition.ledger, create=False) as ledger:
        return ledger.load(definition.file.study)


NO_DEFINITION: Mapping[str, Any] = {"file": {}, "space": {}}


def record_of_results(
    results: Mapping[str, Any], name: str, recorded: Mapping[str, Any] = NO_DEFINITION
) -> StudyRecord:
    """Turn scikit-learn's ``cv_results_`` into a record; larger scores are better there.

    Args:
        results: with the columns ``params`` and ``split0_test_…``.
        name: of the study, to be shown.
        recorded: definition of the search, as a ledger stores it.
    """
    columns = {m: k for k in results if (m := SCORES.fullmatch(k))}
    metrics = tuple(Metric(metric) for metric in dict.fromkeys(m[2] for m in columns))
    if not metrics:
        raise UsageError("the search has no fold scores yet: fit it first.")
    n_folds = 1 + max(int(m[1]) for m in columns)
    log = TrialLog(metrics[:1])
    for row, given in enumerate(results["params"]):
        params: dict[str, Value] = {str(key): _value(value) for key, value in given.items()}
        trial = log.ask(params, canonical_json(params), name)
        log.tell(trial.completed([_fold(results, metrics, row, fold) for fold in range(n_folds)]))
    head = StudyHead(id=0, name=name, generation=1, identity="", context={}, definition=recorded)
    return StudyRecord(head, metrics, log.view(), ())


def _fold(results: Mapping[str, Any], metrics: Sequence[Metric], row: int, fold: int) -> FoldResult:
    scores = {m.name: float(results[f"split{fold}_test_{m.name}"][row]) for m in metrics}
    fit_s, score_s = (float(results[f"mean_{clock}_time"][row]) for clock in ("fit", "score"))
    if not all(map(np.isfinite, scores.values())):
        failure = Failure("no score", "the fit failed or its score is not finite")
        return FoldResult(fold, {}, fit_time_s=fit_s, score_time_s=score_s, failure=failure)
    return FoldResult(fold, scores, fit_time_s=fit_s, score_time_s=score_s)


def _value(value: Any) -> Value:
    """Return a parameter's value as JSON; objects that JSON cannot hold are shown as text."""
    # JSON knows no numbers of NumPy's.
    plain = value.item() if isinstance(value, np.generic) else value
    try:
        json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError):
        return str(plain)
    # Tuples become lists, as the ledger has them.
    return json.loads(json.dumps(plain))  # type: ignore[no-any-return]
