"""Rows of trials that meet a condition, in an order, by every heading that is printed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tunesmith.errors import UsageError, did_you_mean
from tunesmith.history import Metric
from tunesmith.ledger.records import StudyRecord
from tunesmith.ledger.stored_history import StoredHistory
from tunesmith.reporting.table import Row, flat, params_text, row_of, rows_of, suffix
from tunesmith.space.expression import Expression, ExpressionError
from tunesmith.types import State

QUOTED = r"'[^']*'|\"[^\"]*\""
DOTTED = re.compile(rf"{QUOTED}|\b[A-Za-z_]\w*(?:\.\w+)+")


def chosen(
    rows: Sequence[Row],
    metrics: Sequence[Metric] = (),
    *,
    where: str | None = None,
    by: str | None = None,
    n: int | None = None,
) -> list[Row]:
    """Return the rows that meet a condition, in an order.

    A name is that of a param, a metric, a column of any format (``mean_test_score``), or a heading
    of the list of trials (``rank``).

    Args:
        rows: from ``rows_of``.
        metrics: of the study.
        where: a condition, e.g. ``max_depth > 5 and accuracy < 0.9``.
        by: a name; ``-name`` turns the order round. Ranks by default.
        n: keep the first ones only.

    Raises:
        UsageError: the condition or the name cannot be used.
    """
    columns = Columns(rows, metrics)
    kept = list(rows) if where is None else RowCondition(where, columns).kept(rows)
    if by is None and rows:
        by = next((column for column in rows[0] if "rank_" in column), "trial")
    return columns.ordered(kept, by)[:n] if by else kept[:n]


def page_of(record: StudyRecord, n: int, skip: int = 0) -> list[Row]:
    """Return some rows of the list of trials, best first, as ``chosen`` has them.

    The database orders the trials if it can, and only those that are returned are read.

    Args:
        record: of the study.
        n: most rows.
        skip: rows to leave out before.
    """
    history = record.history
    if not isinstance(history, StoredHistory):
        return chosen(rows_of(record), record.metrics, n=skip + n)[skip:]
    trials = history.leading(n, skip)
    numbers = [trial.number for trial in trials]
    ranks = {m.name: history.ranks(place, numbers) for place, m in enumerate(record.metrics)}
    return [
        row_of(
            trial,
            record,
            {name: own[trial.number] for name, own in ranks.items()},
            history.most_folds,
        )
        for trial in trials
    ]


@dataclass(frozen=True)
class Columns:
    """Names by which the values of rows are known."""

    rows: Sequence[Row]
    metrics: Sequence[Metric]

    @cached_property
    def headings(self) -> Mapping[str, str]:
        """Column by heading of the list of trials."""
        if not self.metrics:
            return {}
        names = {metric.name: suffix(metric, self.metrics) for metric in self.metrics}
        first = next(iter(names.values()))
        means = {name: f"mean_test_{column}" for name, column in names.items()}
        return {"rank": f"rank_test_{first}", **means}

    @cached_property
    def names(self) -> list[str]:
        """All names, sorted; empty without rows."""
        columns = {column for row in self.rows for column in (*flat(row), *row["params"])}
        return sorted({*columns, *self.headings, "params"}) if columns else []

    def values(self, row: Row) -> dict[str, Any]:
        """Values of a row by every name; a param hides a heading that is called like it."""
        columns = flat(row)
        by_heading = {name: columns[c] for name, c in self.headings.items() if c in columns}
        return {**by_heading, "params": params_text(row), **columns, **row["params"]}

    def ordered(self, rows: list[Row], by: str) -> list[Row]:
        """Sort rows by a name; scores with the best first."""
        name, is_reversed = by.removeprefix("-"), by.startswith("-")
        if not rows:
            return rows
        known = (name, f"mean_test_{name}", f"param_{name}")
        column = next((each for each in known if each in self.names), None)
        if column is None:
            raise UsageError(f"--sort: no column `{name}`. {did_you_mean(name, self.names)}")
        values = [(self.values(row).get(column), row) for row in rows]
        present = [(value, row) for value, row in values if value is not None]
        # At the end in either order: a missing value is neither best nor worst.
        absent = [row for value, row in values if value is None]
        if self.headings.get(column, column).startswith("rank_"):
            # Among those that share the last rank, trials with a score come first.
            present.sort(key=lambda pair: pair[1]["state"] != State.COMPLETE.value)
        # Numbers and texts cannot be compared with each other.
        is_text = not all(isinstance(value, int | float) for value, _ in present)
        present.sort(
            key=lambda pair: str(pair[0]) if is_text else pair[0],
            reverse=is_reversed != self._is_gain(column),
        )
        return [row for _, row in present] + absent

    def _is_gain(self, column: str) -> bool:
        """True for scores of which larger ones are better."""
        column = self.headings.get(column, column)
        if not column.startswith(("mean_test_", "split")):
            return False
        name = column.partition("_test_")[2]
        signs = {suffix(metric, self.metrics): metric.sign for metric in self.metrics}
        return signs.get(name, 1) > 0


@dataclass(frozen=True)
class RowCondition:
    """A condition over rows.

    Names that Python cannot read (``model.lr``, ``f1-score``) are replaced before it is parsed.
    """

    text: str
    columns: Columns

    @cached_property
    def _stand_ins(self) -> dict[str, str]:
        odd = [name for name in self.columns.names if not name.isidentifier()]
        # The longest first: `model.lr.min` holds `model.lr`.
        return {n: f"column_{i}_" for i, n in enumerate(sorted(odd, key=len, reverse=True))}

    @cached_property
    def _expression(self) -> Expression:
        names = "|".join(re.escape(name) for name in self._stand_ins)
        text = self.text
        if names:
            pattern = rf"{QUOTED}|(?<![\w.])`?({names})`?(?!\w)"
            text = re.sub(pattern, lambda m: self._stand_ins.get(m[1] or "", m[0]), text)
        unknown = [m[0] for m in DOTTED.finditer(text) if m[0][0] not in "'\""]
        if unknown and self.columns.names:
            raise self._unknown(unknown[0])
        try:
            return Expression(text)
        except ExpressionError as error:
            raise UsageError(f"--filter: {self._as_written(str(error))}") from None

    def _as_written(self, text: str) -> str:
        for name, stand_in in self._stand_ins.items():
            text = text.replace(stand_in, name)
        return text

    def _unknown(self, name: str) -> UsageError:
        return UsageError(f"--filter: no column `{name}`. {did_you_mean(name, self.columns.names)}")

    def kept(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that meet it; rows that lack a value that it names do not.

        Raises:
            UsageError: it cannot be read, or names what no row has.
        """
        needed = {self._as_written(name) for name in self._expression.names}
        if rows and not needed:
            known = did_you_mean("", self.columns.names)
            raise UsageError(
                f"--filter: `{self.text}` names no column. What is in quotes is a text;"
                f" write names as they are, or in backquotes. {known}"
            )
        # Without rows no name is known.
        for name in sorted(needed - set(self.columns.names)) if rows else ():
            raise self._unknown(name)
        return [row for row in rows if self._holds(row, needed)]

    def _holds(self, row: Row, needed: set[str]) -> bool:
        values = self.columns.values(row)
        if not needed <= values.keys():
            return False
        try:
            by_stand_in = {self._stand_ins.get(name, name): value for name, value in values.items()}
            return self._expression.holds(by_stand_in)
        except ExpressionError:
            # An inactive or failed value cannot be compared: such a row is left out.
            return False
