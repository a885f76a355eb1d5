"""The result of a study as HTML for a notebook: verdict, parameters, charts, the first trials."""

import re
from collections.abc import Sequence

from tunesmith.analysis import numbers
from tunesmith.analysis.summary import Summary
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.cells import shortened
from tunesmith.reporting.drawing.svg import render
from tunesmith.reporting.escape import one_line, xml
from tunesmith.reporting.figures.kind import kind_of
from tunesmith.reporting.figures.view import view_of
from tunesmith.reporting.notebook.style import style
from tunesmith.reporting.sections.trials import leading_groups
from tunesmith.reporting.sparkline import sparkline
from tunesmith.reporting.statements import evidence
from tunesmith.reporting.wording.headline import headline
from tunesmith.reporting.wording.next_step import next_step
from tunesmith.reporting.wording.words import PLAIN

TOP = 8
WIDTH = 700.0
"""Pixels of a chart."""
MAX_FAILURES = 3
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def card(record: StudyRecord, summary: Summary, fallback: str = "") -> str:
    """Return the HTML of a result; all text from data is escaped.

    Args:
        record: of the study.
        summary: of it.
        fallback: text for notebooks that show no styles, because nobody trusted them.
    """
    parts = [_head(summary), _headline(summary), _parameters(summary), *_evidence(summary)]
    parts.append(_failures(summary))
    parts += [_charts(record, summary), _top(summary)]
    body = "\n".join(part for part in parts if part)
    plain = f'<pre class="tunesmith-fallback">{xml(fallback)}</pre>' if fallback else ""
    return f'{style()}\n{plain}<div class="tunesmith-card">\n{body}\n</div>'


def _head(summary: Summary) -> str:
    end = f"ended by: {one_line(summary.stopped_by)}" if summary.stopped_by else ""
    trials, folds = (
        numbers.counted(n, word)
        for n, word in ((summary.n_trials, "trial"), (summary.n_folds, "fold"))
    )
    facts = [trials, folds, end]
    shown = xml(" · ".join(fact for fact in facts if fact))
    name = f'<span class="name">{xml(shortened(summary.study))}</span>'
    return f'<div class="head">{name}<span class="soft">{shown}</span></div>'


def _headline(summary: Summary) -> str:
    sentences = [headline(summary, PLAIN), next_step(summary, PLAIN)]
    first, *rest = (xml(sentence) for sentence in sentences if sentence)
    return "".join([f'<p class="first">{first}</p>', *(f"<p>{text}</p>" for text in rest)])


def _evidence(summary: Summary) -> list[str]:
    return [f"<p>{xml(text)}</p>" for text in evidence(summary, PLAIN)]


def _parameters(summary: Summary) -> str:
    chosen, current = summary.chosen, summary.current_parameters
    if chosen is None:
        return ""
    names = sorted({*chosen.params, *(current or {})})
    header = ["best parameters", "value", *(["current"] if current else [])]
    rows = []
    for name in names:
        columns = [chosen.params, *([current] if current else [])]
        cells = [_code(numbers.value(c[name])) if name in c else "–" for c in columns]
        rows.append([_code(name), *cells])
    metric = summary.metric.name
    score = numbers.with_error(chosen.means[metric], chosen.error(metric))
    rows.append(
        [f"<b>{xml(shortened(metric))}</b>", f"<b>{xml(score)}</b>", *[""][: bool(current)]]
    )
    return table(header, rows)


def _failures(summary: Summary) -> str:
    lines = [
        f"{len(group.numbers)} × {one_line(group.kind)}: {shortened(one_line(group.message))}"
        for group in summary.failures[:MAX_FAILURES]
    ]
    if not lines:
        return ""
    items = "".join(f"<p>{xml(line)}</p>" for line in lines)
    # Without a result, the reasons are all that there is to read.
    is_open = " open" if summary.chosen is None else ""
    return f"<details{is_open}><summary>Failures</summary>{items}</details>"


def _charts(record: StudyRecord, summary: Summary) -> str:
    if not summary.ranking:
        return ""
    names = ["history", *(["importance"] if summary.importance.shares else [])]
    view = view_of(record, summary=summary)
    drawn = [render(kind_of(name)(view), width=WIDTH) for name in names]
    # The styles of a file would reach the whole notebook; the card has its own.
    figures = [f'<div class="figure">{STYLE.sub("", svg)}</div>' for svg in drawn]
    return f"<details open><summary>Charts</summary>{''.join(figures)}</details>"


def _top(summary: Summary) -> str:
    trials = leading_groups(summary, TOP)
    if len(trials) < 2:
        return ""
    metrics = [metric.name for metric in summary.metrics]
    tied = set(summary.ties.numbers)
    header = ["rank", "trial", *map(shortened, metrics), "folds", "parameters"]
    rows = []
    for trial in trials:
        mark = " ≈" if trial.number in tied and len(tied) > 1 else ""
        scores = [
            numbers.with_error(trial.means[name], trial.error(name)) if name in trial.means else "–"
            for name in metrics
        ]
        params = ", ".join(f"{n}={numbers.value(v)}" for n, v in sorted(trial.params.items()))
        cells = [f"{trial.rank}{mark}", str(trial.number), *scores]
        folds = sparkline(trial.scores[summary.metric.name])
        rows.append([*map(xml, cells), xml(folds), _code(params)])
    title = f"Top {len(trials)} of {len(summary.ranking)} trials"
    note = '<p class="soft">≈ the folds cannot tell these from the best.</p>'
    note = note if any("≈" in row[0] for row in rows) else ""
    return f"<details><summary>{title}</summary>{table(header, rows)}{note}</details>"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table.

    Args:
        header: plain texts.
        rows: cells as HTML.
    """
    head = "".join(f"<th>{xml(text)}</th>" for text in header)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _code(text: str) -> str:
    return f"<code>{xml(shortened(one_line(text)))}</code>"
