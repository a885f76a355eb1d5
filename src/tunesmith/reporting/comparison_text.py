"""A comparison in words: Markdown for a pull request, plain text for a terminal."""

from collections.abc import Callable, Sequence

from tunesmith.analysis import numbers
from tunesmith.analysis.compare import Compared, Difference, Side
from tunesmith.reporting.escape import md_code, terminal

Quote = Callable[[str], str]
MAX_DIGEST = 12
VERDICTS = {
    "adopt": "{after} is better",
    "keep": "{after} is no better",
    "indistinguishable": "the folds do not tell which is better",
}


def markdown(compared: Compared) -> str:
    """GitHub-flavoured Markdown."""
    sides = [md_code(side.label) for side in compared.sides]
    lines = [f"# {sides[0]} and {sides[1]}", "", f"**{_verdict(compared, md_code)}**", ""]
    lines += _table(["", "trials", f"best {md_code(compared.metric.name)}", "trial"], [])
    lines += [_row(_side(side, compared, md_code)) for side in compared.sides]
    for title, part in _parts(compared):
        if part:
            rows = [[md_code(c.what), *(_cell(text) for text in (c.before, c.after))] for c in part]
            lines += ["", f"## {title}", "", *_table(["", *sides], rows)]
    return "\n".join(lines) + "\n"


def plain(compared: Compared) -> str:
    """Lines for a terminal."""
    lines = [_verdict(compared, terminal)]
    for side in compared.sides:
        name, n, best, trial = _side(side, compared, terminal)
        lines.append(f"  {name}: {n} trials, best {best}" + (f", trial {trial}" if best else ""))
    for title, part in _parts(compared):
        if part:
            lines.append(f"{title}:")
            lines += [f"  {terminal(c.what)}: {_or(c.before)} -> {_or(c.after)}" for c in part]
    return "\n".join(lines)


def _parts(compared: Compared) -> list[tuple[str, tuple[Difference, ...]]]:
    return [
        ("Parameters that moved", compared.moved),
        ("What results depend on", tuple(map(_short, compared.depends_on))),
        ("Search space", compared.space),
        ("Configuration", compared.definition),
    ]


def _short(change: Difference) -> Difference:
    cut = [
        # Digests are texts in JSON, and a dozen characters tell them apart.
        None if text is None else text.strip('"')[:MAX_DIGEST]
        for text in (change.before, change.after)
    ]
    return Difference(change.what, *cut)


def _verdict(compared: Compared, quote: Quote) -> str:
    before, after = (quote(side.label) for side in compared.sides)
    if compared.weighed is None:
        return f"Not weighed against each other: {compared.reason}."
    weighed = compared.weighed
    said = VERDICTS[weighed.verdict].format(after=after, before=before)
    gain = numbers.with_error(weighed.gain, weighed.error)
    return f"On the same folds {said}: {after} gains {gain} over {before}."


def _side(side: Side, compared: Compared, quote: Quote) -> list[str]:
    best, name = side.best, compared.metric.name
    if best is None:
        return [quote(side.label), str(side.n_trials), "", ""]
    score = numbers.with_error(best.means[name], best.error(name))
    return [quote(side.label), str(side.n_trials), score, str(best.number)]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_row(header), f"|{'---|' * len(header)}", *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str | None) -> str:
    return "–" if text is None else md_code(text)


def _or(text: str | None) -> str:
    return "(none)" if text is None else terminal(text)
