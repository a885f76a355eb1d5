"""The Markdown report: the verdict first, everything else below it.

Nothing in it depends on the clock or on how fast the machine was: the same history gives the same
bytes, so that a re-run changes no committed file.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunesmith.report import numbers
from tunesmith.report.alike import Alike
from tunesmith.report.chart import history_chart
from tunesmith.report.decision import Comparison
from tunesmith.report.escape import md_code, one_line
from tunesmith.report.ranking import Ranked
from tunesmith.report.sparkline import bar, sparkline
from tunesmith.report.summary import Summary

MAX_BYTES = 1_000_000
TOP = 10
Section = Callable[[Summary], str]


def render(summary: Summary) -> str:
    """The whole report; sections are left out from the end, and named, where it gets too long."""
    parts = [section(summary) for section in SECTIONS]
    left_out: list[str] = []
    while len("\n\n".join(parts).encode()) > MAX_BYTES and len(parts) > 1:
        largest = max(range(1, len(parts)), key=lambda index: len(parts[index]))
        left_out.append(parts.pop(largest).lstrip().split("\n")[0])
    if left_out:
        parts.append("_Left out because of their size: see `tunesmith trials`._")
    return "\n\n".join(part for part in parts if part) + "\n"


def title(summary: Summary) -> str:
    """Heading and verdict."""
    heading = f"# Tuning results: {md_code(summary.study)}"
    best = summary.best
    if best is None:
        return f"{heading}\n\n**No usable result.** {_count(summary)}"
    metric = summary.metric
    score = numbers.with_error(best.means[metric.name], best.error(metric.name))
    verdict = f"**Best {md_code(metric.name)}: {score}** (mean ± standard error over "
    verdict += f"{summary.n_folds} folds, {metric.direction}d), trial {best.number}."
    lines = [heading, verdict, _count(summary)]
    if summary.holdout is not None:
        lines.append(_on_holdout(summary.holdout))
    lines += [_against(comparison) for comparison in summary.comparisons]
    return "\n\n".join(lines)


def _on_holdout(scores: Mapping[str, float]) -> str:
    if not scores:
        return "On the held-out rows the winner could not be scored."
    listed = ", ".join(f"{md_code(name)} {numbers.plain(s)}" for name, s in scores.items())
    return f"On the held-out rows, which the search never saw: {listed}."


def _count(summary: Summary) -> str:
    n_failed = sum(len(group.numbers) for group in summary.failures)
    failed = f", {n_failed} of them failed" if n_failed else ""
    reason = f" Ended by: {one_line(summary.stopped_by)}." if summary.stopped_by else ""
    counted = f"{summary.n_trials} trials of {summary.n_folds} folds{failed}."
    return f"{counted}{_shared(summary)}{reason}"


def _shared(summary: Summary) -> str:
    """What fits scored besides what they were made for."""
    found = ""
    if summary.n_points > summary.n_trials:
        found += f" Each is the best of all that its fits score: {summary.n_points:,} points."
    if summary.n_spared:
        found += f" Shared fits spared {summary.n_spared:,} others."
    return found


def _against(comparison: Comparison) -> str:
    who = {"current": "the current parameters", "defaults": "the estimator's defaults"}
    name = who[comparison.name]
    if comparison.gain == 0:
        return f"No better than {name}."
    gain = numbers.with_error(comparison.gain, comparison.error)
    verdict = "a clear gain" if comparison.is_clear else "**within the noise of the folds**"
    return f"Against {name}, on the same folds: {gain}, {verdict}."


def parameters(summary: Summary) -> str:
    """The winner, beside what is in force and the defaults where they were tried."""
    best = summary.best
    if best is None:
        return ""
    columns = [comparison for comparison in summary.comparisons if comparison.reference != best]
    header = ["parameter", *(comparison.name for comparison in columns), "best"]
    names = sorted({*best.params, *(n for c in columns for n in c.reference.params)})
    rows = [
        [md_code(n), *(_value(c.reference, n) for c in columns), f"**{_value(best, n)}**"]
        for n in names
    ]
    rows.append(
        [
            md_code(summary.metric.name),
            *(_score(c.reference, summary) for c in columns),
            f"**{_score(best, summary)}**",
        ]
    )
    return "## Best parameters\n\n" + table(header, rows)


def warnings(summary: Summary) -> str:
    """What a reviewer should know before trusting the winner."""
    lines = [
        f"- The best {md_code(edge.name)} ({numbers.plain(edge.value)}) lies at the {edge.side} end"
        " of its range: a wider range may hold something better."
        for edge in summary.edges
    ]
    lines += [_alike("failed with", group) for group in summary.failures]
    lines += [_alike("warned of", group) for group in summary.warnings]
    return "## Warnings\n\n" + "\n".join(lines) if lines else ""


def _alike(what: str, group: Alike) -> str:
    n = len(group.numbers)
    trials = "1 trial" if n == 1 else f"{n} trials"
    reason = f"{md_code(group.kind)}: {md_code(group.message[:200])}"
    return f"- {trials} {what} {reason} (first: trial {group.numbers[0]})."


def pareto(summary: Summary) -> str:
    """Trials that no other beats in every objective."""
    if not summary.front:
        return ""
    names = [metric.name for metric in summary.objectives]
    header = ["trial", *map(md_code, names), "parameters"]
    rows = [
        [str(t.number), *(numbers.with_error(t.means[n], t.error(n)) for n in names), _params(t)]
        for t in summary.front
    ]
    return "## Pareto front\n\nNo trial beats these in every objective.\n\n" + table(header, rows)


def top(summary: Summary) -> str:
    """The first trials, with their folds as a small picture."""
    if not summary.ranking:
        return ""
    names = [metric.name for metric in summary.metrics]
    header = ["rank", "trial", *map(md_code, names), "folds", "parameters"]
    rows = [
        [
            str(trial.rank),
            str(trial.number),
            *(numbers.with_error(trial.means[n], trial.error(n)) for n in names),
            sparkline(trial.scores[summary.metric.name]),
            _params(trial),
        ]
        for trial in _different(summary.ranking)[:TOP]
    ]
    return f"## Top {len(rows)} of {len(summary.ranking)}\n\n" + table(header, rows)


def _different(ranking: Sequence[Ranked]) -> list[Ranked]:
    """The first of trials with the same parameters: curves that overlap may have one best."""
    found: dict[str, Ranked] = {}
    for trial in ranking:
        found.setdefault(_params(trial), trial)
    return list(found.values())


def history(summary: Summary) -> str:
    """Scores in the order of the trials."""
    chart = history_chart(summary.best_so_far, summary.scores, summary.metric.name)
    if not chart:
        return ""
    line = f"Best so far: `{sparkline(summary.best_so_far)}`"
    return f"## History\n\n{line}\n\n{chart}"


def influence(summary: Summary) -> str:
    """Which parameters mattered, and in which direction."""
    if not summary.ranking:
        return ""
    lines = ["## What mattered", ""]
    if summary.importance.shares:
        rows = [
            [md_code(name), f"`{bar(share)}` {share:.0%}"]
            for name, share in summary.importance.shares
        ]
        lines += [table(["parameter", "importance (PED-ANOVA)"], rows)]
    else:
        lines += [f"No importance: {summary.importance.reason}."]
    for name, levels in summary.trends.items():
        rows = [
            [
                md_code(level.label),
                str(level.n),
                numbers.plain(level.mean),
                numbers.plain(level.best),
            ]
            for level in levels
        ]
        means = sparkline([level.mean for level in levels])
        picture = f" `{means}`" if len(means) > 1 else ""
        head = f"<summary>{_html_code(name)}{picture.replace('`', '')}</summary>"
        body = table(["value", "trials", "mean score", "best score"], rows)
        lines += ["", f"<details>{head}\n\n{body}\n\n</details>"]
    return "\n".join(lines)


def every_trial(summary: Summary) -> str:
    """All trials, with scikit-learn's column names."""
    if not summary.ranking:
        return ""
    names = sorted({name for trial in summary.ranking for name in trial.params})
    is_single = len(summary.metrics) == 1
    header = ["trial", *(md_code(f"param_{name}") for name in names)]
    for metric in summary.metrics:
        suffix = "score" if is_single else metric.name
        columns = [f"mean_test_{suffix}", f"std_test_{suffix}"]
        columns += [f"split{fold}_test_{suffix}" for fold in range(summary.n_folds)]
        header += [_header(column) for column in columns]
    header.insert(
        0, "rank_test_score" if is_single else _header(f"rank_test_{summary.metric.name}")
    )
    rows = [_full_row(trial, names, summary) for trial in summary.ranking]
    body = table(header, rows)
    return f"<details><summary>All {len(rows)} complete trials</summary>\n\n{body}\n\n</details>"


def _header(column: str) -> str:
    return column if column.replace("_", "").isalnum() else md_code(column)


def _full_row(trial: Ranked, names: Sequence[str], summary: Summary) -> list[str]:
    row = [str(trial.rank), str(trial.number), *(_value(trial, name) for name in names)]
    for metric in summary.metrics:
        row += [numbers.plain(trial.means[metric.name]), numbers.plain(trial.stds[metric.name])]
        row += [numbers.plain(score) for score in trial.scores[metric.name]]
    return row


def origin(summary: Summary) -> str:
    """How to get the same again, and what the result depended on."""
    file, provenance = summary.definition.get("file", {}), summary.provenance
    search, git = file.get("search", {}), provenance.get("git") or {}
    packages, machine = provenance.get("packages", {}), provenance.get("machine", {})
    rows = [
        ("search", f"{search.get('method', '?')}, seed {search.get('seed', '?')}"),
        ("commit", _commit(git)),
        *((f"{name} digest", text) for name, text in provenance.get("context", {}).items() if text),
        ("Python", provenance.get("python", "?")),
        *((n, packages[n]) for n in ("scikit-learn", "numpy", "tunesmith") if n in packages),
        ("system", f"{machine.get('system', '?')} {machine.get('architecture', '')}"),
    ]
    body = table(["what", "value"], [[name, md_code(str(text))] for name, text in rows])
    space = [
        f"- {md_code(name)}: {md_code(_definition(definition))}"
        for box in summary.definition.get("space", {}).get("boxes", ())
        for name, definition in box.items()
    ]
    again = "Check out the commit, then run `tunesmith run`: the same seed gives the same trials."
    return "\n".join(
        [
            "<details><summary>Reproduce: space, environment, provenance</summary>",
            "",
            again,
            "",
            *space,
            "",
            body,
            "",
            "</details>",
        ]
    )


def _commit(git: dict[str, Any]) -> str:
    if not git:
        return "not in a Git repository"
    return f"{git.get('commit', '?')}{' with uncommitted changes' if git.get('is_dirty') else ''}"


def _definition(definition: Any) -> str:
    from tunesmith.space.parameter import canonical_json

    return canonical_json(definition).replace('"', "").replace(",", ", ").replace(":", ": ")


SECTIONS: tuple[Section, ...] = (
    title,
    parameters,
    warnings,
    pareto,
    top,
    history,
    influence,
    every_trial,
    origin,
)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A GFM table; cells are escaped by whoever made them."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def _value(trial: Ranked, name: str) -> str:
    return md_code(numbers.value(trial.params[name])) if name in trial.params else "–"


def _score(trial: Ranked, summary: Summary) -> str:
    name = summary.metric.name
    return numbers.with_error(trial.means[name], trial.error(name))


def _params(trial: Ranked) -> str:
    return md_code(", ".join(f"{n}={numbers.value(v)}" for n, v in sorted(trial.params.items())))


def _html_code(text: str) -> str:
    from markupsafe import escape

    return f"<code>{escape(one_line(text))}</code>"
