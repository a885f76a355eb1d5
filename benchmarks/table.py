"""The rows as Markdown."""

from collections.abc import Iterable

from benchmarks.cases import FOLDS
from benchmarks.contest import Row

HEAD = {
    "case": "---",
    "rows × columns": "---:",
    "rival": "---",
    "seconds, rival": "---:",
    "seconds, Tunesmith": "---:",
    "wall ratio": "---:",
    "CPU ratio": "---:",
    "fits made of asked": "---:",
    "limit": "---:",
    "share of it": "---:",
    "goal": "---",
    "met": "---",
    "equal": "---",
    "MiB, rival": "---:",
    "MiB, Tunesmith": "---:",
}


def head() -> str:
    """The first two lines."""
    return f"{line(HEAD)}\n|{'|'.join(HEAD.values())}|"


def line(cells: Iterable[str]) -> str:
    """One line of Markdown."""
    return f"| {' | '.join(cells)} |"


def text(row: Row) -> str:
    """One measured row."""
    n_proposed = len(row.ours.found.results["params"]) * FOLDS
    n_rows, n_columns = row.case.shape
    is_met = row.goal.is_met(row.ratio, row.limit)
    return line(
        [
            row.case.title,
            f"{n_rows:,} × {n_columns}",
            row.rival,
            f"{row.theirs.wall_s:.2f}",
            f"{row.ours.wall_s:.2f}",
            f"{row.ratio:.2f}",
            f"{row.cpu_ratio:.2f}",
            f"{row.ours.found.n_fits:,} of {n_proposed:,}",
            "–" if row.limit is None else f"{row.limit:.2f}",
            "–" if row.limit is None else f"{row.ratio / row.limit:.2f}",
            str(row.goal),
            "yes" if is_met else "no",
            "yes" if row.is_equal else "NO",
            f"{row.theirs.peak_mib:.0f}",
            f"{row.ours.peak_mib:.0f}",
        ]
    )
