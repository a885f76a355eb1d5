"""Predictions row by row: confusion, calibration, residuals, groups."""

from tunesmith.analysis import numbers
from tunesmith.analysis.statistics.predicted import (
    Bin,
    Calibration,
    Confusion,
    Group,
    Predicted,
    Residuals,
)
from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import details, html_code, name_cell, table

DIGITS = 3
CAUTION = (
    "Groups in bold differ from the other rows by more than two standard errors. Of 20 groups about"
    " one does so by chance."
)


def predictions(summary: Summary) -> str:
    """Return what the rows tell beyond the means of folds."""
    found = summary.predicted
    if found is None:
        return ""
    parts = ["## Predictions", _whose(found)]
    if found.confusion is not None:
        parts.append(_confusion(found.confusion))
    if found.calibration is not None:
        parts.append(_calibration(found.calibration))
    if found.residuals is not None:
        parts.append(_residuals(found.residuals))
    what = "right" if found.is_classes else "mean absolute residual"
    for part in found.slices:
        rows = [_group(one, is_share=found.is_classes) for one in part.groups]
        parts.append(table([name_cell(part.column), "rows", what], rows))
    if found.slices:
        parts.append(CAUTION)
    return "\n\n".join(parts)


def _whose(found: Predicted) -> str:
    n, rows = found.n_predictions, numbers.counted(found.n_rows, "row")
    often = "" if n == found.n_rows else f" ({n:,} predictions: rows are tested in several folds)"
    value = f"{found.value:.1%} are right" if found.is_classes else ""
    error = "" if found.is_classes else f"the mean absolute residual is {_text(found.value)}"
    return (
        f"Trial {found.trial} on {rows}, each predicted by a model that had not seen it{often}:"
        f" {value}{error}."
    )


def _confusion(found: Confusion) -> str:
    """Return counts by true and predicted class, with the share of each class that is found."""
    header = ["true class", *map(name_cell, found.labels), "found"]
    rows = []
    for place, (label, counts) in enumerate(zip(found.labels, found.counts, strict=True)):
        cells = [f"**{n:,}**" if at == place else f"{n:,}" for at, n in enumerate(counts)]
        rows.append([name_cell(label), *cells, _share(counts[place], sum(counts))])
    columns = list(zip(*found.counts, strict=True))
    right = [_share(column[place], sum(column)) for place, column in enumerate(columns)]
    rows.append(["right of those predicted", *right, ""])
    return f"Predicted class by true class:\n\n{table(header, rows)}"


def _calibration(found: Calibration) -> str:
    of = f"class {html_code(found.of)}" if found.of else "the predicted class"
    head = (
        f"Calibration: the probability of {of} is off by {found.error:.3f} on average (expected"
        f" calibration error); Brier score {found.brier:.4f}"
    )
    rows = [[f"{one.mean:.3f}", f"{one.observed:.3f}", f"{one.n:,}"] for one in found.bins]
    return details(head, table(["mean probability", "observed share", "predictions"], rows))


def _residuals(found: Residuals) -> str:
    values = [found.mean, found.absolute, found.squared, *found.quantiles]
    header = ["mean", "mean absolute", "root mean square", "5 %", "25 %", "median", "75 %", "95 %"]
    whole = table(header, [[_text(value) for value in values]])
    rows = [_residual(one) for one in found.bins]
    names = ["mean prediction", "mean residual", "90 % of the residuals", "predictions"]
    by_tenths = details("Residuals by tenths of the predictions", table(names, rows))
    return f"Residuals, predicted minus true:\n\n{whole}\n\n{by_tenths}"


def _residual(one: Bin) -> list[str]:
    interval = f"{_text(one.low)} to {_text(one.high)}"
    return [_text(one.mean), _text(one.mean - one.observed), interval, f"{one.n:,}"]


def _group(one: Group, *, is_share: bool) -> list[str]:
    error = 0.0 if one.error != one.error else one.error
    value = f"{one.value:.1%} ± {error:.1%}" if is_share else f"{_text(one.value)} ± {_text(error)}"
    return [name_cell(one.name), f"{one.n:,}", f"**{value}**" if one.is_notable else value]


def _share(n: int, total: int) -> str:
    return f"{n / total:.1%}" if total else "–"


def _text(value: float) -> str:
    return f"{value:.{DIGITS}g}"
