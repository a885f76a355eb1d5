"""Content of the HTML page as JSON; its scripts only draw."""

import json
import math
from typing import Any

import numpy as np

from tunesmith import registry
from tunesmith.analysis import numbers
from tunesmith.analysis.failure_groups import n_trials
from tunesmith.analysis.outcomes import violation_text
from tunesmith.analysis.ranking import Ranked, standard_error
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.history import Trial
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.drawing.chart import plain
from tunesmith.reporting.drawing.scales import directed, fenced, score_axis
from tunesmith.reporting.figures.kind import kind_of
from tunesmith.reporting.figures.view import FigureView, view_of
from tunesmith.reporting.origin import again, provenance_rows, space_rows
from tunesmith.reporting.page.details import told
from tunesmith.reporting.sections.failures import MAX_TEXTS, last_lines, numbered
from tunesmith.reporting.statements import evidence
from tunesmith.reporting.wording.headline import headline
from tunesmith.reporting.wording.next_step import next_step
from tunesmith.reporting.wording.notes import notes
from tunesmith.reporting.wording.words import PLAIN

SCHEMA_VERSION = 1
MAX_MESSAGE = 500
MIN_SHARED = 8
"""Shorter lists are not worth a reference."""
DIGITS = 6
TIMED = ("timeline",)
"""Figures of durations."""


def content_of(
    record: StudyRecord, summary: Summary | None = None, *, has_times: bool = True
) -> dict[str, Any]:
    """Return everything on the page, with or without durations.

    Numbers have six significant digits; equal lists are kept once, in ``lists``, and referred to
    as ``{"$": position}``.
    """
    summary = summary or summarise(record)
    view = view_of(record, summary)
    content = {
        "kind": "page",
        "schema_version": SCHEMA_VERSION,
        "study": summary.study,
        "verdict": [headline(summary, PLAIN), *evidence(summary, PLAIN)],
        "next": next_step(summary, PLAIN),
        "tiles": tiles(summary, record),
        "best": best_rows(summary),
        "notes": notes(summary, PLAIN),
        "failures": failures(summary),
        "metrics": [{"name": m.name, "direction": m.direction} for m in summary.metrics],
        "trials": trials(view),
        "axes": axes(view),
        "told": told(record, view.completed),
        "figures": figures(view, without=() if has_times else TIMED),
        "space": space_rows(summary),
        "provenance": provenance_rows(summary),
        "again": again(summary),
    }
    lists = Lists()
    # In this order: the lists are complete only when all of the content was walked through.
    return {**lists.shared(content), "lists": lists.kept}


def waiting_content(name: str, reason: str) -> dict[str, Any]:
    """Return the content of a page of a study without a record.

    Args:
        name: of the study, or of its configuration.
        reason: for which there is none, in words.
    """
    nothing: dict[str, Any] = {"params": {}, "means": {}, "shown": {}, "folds": {}, "number": []}
    return {
        "kind": "page",
        "schema_version": SCHEMA_VERSION,
        "study": name,
        "waiting": reason,
        "next": "",
        **dict.fromkeys(("verdict", "tiles", "notes", "failures", "metrics", "figures"), ()),
        **dict.fromkeys(("space", "provenance", "lists"), ()),
        "best": {"header": [], "rows": []},
        "trials": {"names": {}, "complete": nothing, "pruned": nothing, "failed": nothing},
        "axes": {"params": {}, "metrics": {}},
        "told": {"notes": {}, "warnings": {}, "texts": [], "failed": {}},
        "again": "",
    }


class Lists:
    """Keeps equal lists once: most charts are about the same columns."""

    def __init__(self) -> None:
        self.kept: list[list[Any]] = []
        self._places: dict[str, int] = {}

    def shared(self, content: Any) -> Any:
        """The content with long flat lists replaced by references."""
        if isinstance(content, dict):
            return {key: self.shared(value) for key, value in content.items()}
        if not isinstance(content, list | tuple):
            return short(content)
        if len(content) < MIN_SHARED or any(isinstance(v, list | tuple | dict) for v in content):
            return [self.shared(value) for value in content]
        values = [short(value) for value in content]
        # As text, because True == 1 == 1.0 for Python.
        place = self._places.setdefault(json.dumps(values), len(self.kept))
        if place == len(self.kept):
            self.kept.append(values)
        return {"$": place}


def short(value: Any) -> Any:
    """A number with few digits, null if it does not exist; anything else as it is.

    >>> short(0.123456789), short(2.0), short(math.nan)
    (0.123457, 2, None)
    """
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    # Six digits show every difference on a screen, and keep the page small.
    rounded = float(f"{value:.{DIGITS}g}")
    # A whole number is shorter as JSON; far larger ones are not exact in JavaScript.
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


# -- the head ------------------------------------------------------------------------------------


def with_error(trial: Ranked, metric: str) -> str:
    """A trial's mean with its standard error."""
    return numbers.with_error(trial.means[metric], trial.error(metric))


def tiles(summary: Summary, record: StudyRecord) -> list[dict[str, str]]:
    """Return the numbers that a reader looks for first: name, value, and a remark."""
    n_failed = n_trials(summary.failures)
    best, metric = summary.best, summary.metric
    numbers_shown = [
        {
            "what": f"best {metric.name}",
            **_best_tile(best, metric.name),
        },
        {"what": "trials", "value": f"{summary.n_trials:,}", "remark": _points(summary)},
        {"what": "failed", "value": f"{n_failed:,}", "remark": _share(n_failed, summary.n_trials)},
        {"what": "folds", "value": str(summary.n_folds), "remark": _spared(summary)},
    ]
    if summary.outcomes.constraints:
        n_violating = len(summary.outcomes.violating)
        remark = _share(n_violating, summary.n_trials)
        numbers_shown.append({"what": "violating", "value": f"{n_violating:,}", "remark": remark})
    n_running = len(record.history.pending)
    if n_running:
        numbers_shown.append({"what": "under way", "value": str(n_running), "remark": ""})
    elif summary.stopped_by:
        numbers_shown.append({"what": "ended by", "value": summary.stopped_by, "remark": ""})
    return numbers_shown


def _best_tile(best: Ranked | None, metric: str) -> dict[str, str]:
    if best is None:
        return {"value": "–", "remark": ""}
    value, _, error = with_error(best, metric).partition(" ± ")
    noise = f"± {error}, " if error else ""
    return {"value": value, "remark": f"{noise}trial {best.number}"}


def _points(summary: Summary) -> str:
    is_more = summary.n_points > summary.n_trials
    return f"{summary.n_points:,} points scored" if is_more else ""


def _share(n: int, total: int) -> str:
    return f"{n / total:.1%} of all" if n else ""


def _spared(summary: Summary) -> str:
    return f"{summary.n_spared:,} fits spared" if summary.n_spared else ""


def best_rows(summary: Summary) -> dict[str, Any]:
    """The winner's parameters, exactly, beside those of the references."""
    best = summary.chosen
    if best is None:
        return {"header": [], "rows": []}
    # The winner may be the defaults, or the current parameters.
    columns = [c for c in summary.comparisons if c.reference != best]
    shown = [*(c.reference for c in columns), best]
    names = sorted({name for trial in shown for name in trial.params})
    rows = [[name, *(_value(trial, name) for trial in shown)] for name in names]
    rows += [[m.name, *(with_error(t, m.name) for t in shown)] for m in summary.metrics]
    last = f"trial {best.number}, not taken" if summary.is_refused else "proposed"
    own = "current" if summary.is_current else last
    return {"header": ["parameter", *(c.name for c in columns), own], "rows": rows}


def _value(trial: Ranked, name: str) -> str:
    if name not in trial.params:
        return "–"
    value = trial.params[name]
    return repr(value) if isinstance(value, float) else numbers.value(value)


def failures(summary: Summary) -> list[dict[str, str]]:
    """Return the last output of failed runs, each text once with its trials."""
    return [
        {
            "trials": numbered(said.numbers),
            "reason": f"{said.kind}: {said.message[:MAX_MESSAGE]}",
            "text": last_lines(said.text),
        }
        for said in summary.said[:MAX_TEXTS]
    ]


# -- trials and figures --------------------------------------------------------------------------


def trials(view: FigureView) -> dict[str, Any]:
    """Return all trials with results, column by column: complete ones apart from the others.

    Params are positions on their axes; ``names`` holds the categories' names.
    """
    columns = [view.column(name) for name in view.varied]
    complete = _part(view, view.successful)
    if view.record.history.subject_to:
        complete["reason"] = [_violates(view, i) for i in view.successful]
    return {
        "names": {column.name: list(column.names) for column in columns if column.names},
        "complete": complete,
        "pruned": {**_part(view, view.pruned), "reason": [_came(view, i) for i in view.pruned]},
        "failed": {**_part(view, view.failed), "reason": [_reason(view, i) for i in view.failed]},
    }


def _part(view: FigureView, places: tuple[int, ...]) -> dict[str, Any]:
    completed = [view.completed[i] for i in places]
    metrics = view.record.metrics
    n_folds = max((len(trial.folds) for trial in completed), default=0)
    folds = {}
    for metric in metrics:
        # A trial that failed may have fewer folds than others.
        rows = [[*map(float, t.scores(metric.name)), *[math.nan] * n_folds] for t in completed]
        folds[metric.name] = [[row[fold] for row in rows] for fold in range(n_folds)]
    return {
        "number": [trial.number for trial in completed],
        "rank": [view.ranks[i] for i in places],
        "origin": [trial.origin for trial in completed],
        "level": [view.levels[i] for i in places],
        "params": {n: [view.column(n).positions[i] for i in places] for n in view.varied},
        "means": {m.name: [trial.mean(m.name) for trial in completed] for m in metrics},
        # As text: rounded twice, in here and in the browser, a number could end in another digit.
        "shown": {m.name: [_shown(trial, m.name) for trial in completed] for m in metrics},
        "folds": folds,
    }


def _shown(trial: Trial, metric: str) -> str:
    return numbers.with_error(trial.mean(metric), standard_error(trial.scores(metric)))


def _came(view: FigureView, place: int) -> str:
    """Score of a trial at the fold or budget at which it ended."""
    trial = view.completed[place]
    mean = numbers.plain(float(trial.scores(view.metric.name).mean()))
    if not trial.is_raced:
        return f"stopped early, at {mean}"
    n = len(trial.folds)
    return f"stopped after {n} of {n + trial.n_left_out} folds, at {mean}"


def _violates(view: FigureView, place: int) -> str:
    """Constraints on outcomes that a trial violates."""
    text = violation_text(view.completed[place], view.record.history)
    return f"violates {text}" if text else ""


def _reason(view: FigureView, place: int) -> str:
    failure = view.completed[place].failure
    return f"{failure.kind}: {failure.message[:MAX_MESSAGE]}" if failure else "no score"


def axes(view: FigureView) -> dict[str, Any]:
    """Return the axes over which the page draws contours and slices of the reader's choice."""
    metrics = {}
    for metric in view.record.metrics:
        means = np.array([view.completed[i].mean(metric.name) for i in view.successful])
        finite = means[np.isfinite(means)]
        low, high = fenced(finite, metric) if len(finite) else (0.0, 1.0)
        axis = score_axis(finite.tolist(), metric, label=metric.name)
        ends = sorted((metric.sign * low, metric.sign * high))
        metrics[metric.name] = {
            **vars(axis),
            "sign": metric.sign,
            "ends": ends,
            "directed": directed(metric),
        }
    return {
        "params": {name: vars(view.column(name).axis) for name in view.varied},
        "metrics": metrics,
    }


def figures(view: FigureView, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The chart of every kind, in the registry's order; those with nothing to show are left out."""
    # Sorted, because packages are found in another order on another machine.
    kinds = [*registry.BUILTIN["figures"], *sorted(registry.outside("figures"))]
    charts = [(name, kind_of(name)(view)) for name in kinds if name not in without]
    return [{"figure": name, **plain(chart)} for name, chart in charts if chart.panels]
