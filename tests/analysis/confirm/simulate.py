"""Decisions on studies with a known truth: ``python -m tests.analysis.confirm.simulate``.

Each study has 30 candidates on 5 folds. The candidate with the best mean is compared with the
current parameters, one of the candidates, by ``look`` on further repeats (at most 4, so 40 of 150
fits), with and without the parts of the rows, by the gate on the folds of the search alone, and by
a test that knows the true variance of the mean of all further folds. Truly better is what is better
on 50,000 rows after training on all rows of the study.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.stats import beta, norm
from tests.analysis.confirm.generators import GENERATORS, N_FOLDS, N_TRUTH, tables

from tunesmith.analysis.statistics.gate import weigh
from tunesmith.analysis.statistics.reliability import reliability, reliability_by_rows
from tunesmith.analysis.statistics.sequential import look

N_MOST = 4
RATIO = 1 / (N_FOLDS - 1)
CURRENT = {"best": 0.0, "good": 0.1, "usual": 0.35, "poor": 0.65}
"""Place of the current parameters among the candidates, by their mean truth."""


@dataclass(frozen=True)
class Study:
    """A study whose winner is not the current parameters, and what each way decides."""

    name: str
    current: str
    seed: int
    truth: float
    """True gain of the winner."""
    before: bool
    """True if the gate on the folds of the search adopts."""
    by_folds: bool
    """True if the sequential test adopts that does not know the parts of the rows."""
    verdict: str
    """That of the sequential test."""
    n_repeats: int
    oracle: float
    """Mean difference of all further folds in units of its true standard error."""


def studies(
    name: str, n: int, folder: Path | None, *, n_truth: int = N_TRUTH, first: int = 0
) -> Iterator[Study]:
    """Decide the studies of a generator, once for each place of the current parameters."""
    n = min(n, GENERATORS[name].most)
    table = tables(name, n, N_MOST, folder, n_truth=n_truth, first=first)
    order = np.argsort(-table["truth"].mean(axis=0), kind="stable")
    for label, place in CURRENT.items():
        current = int(order[int(place * len(order))])
        errors = _true_errors(table, current)
        for seed in range(n):
            search, fresh, truth = (table[key][seed] for key in ("search", "fresh", "truth"))
            winner = int(search.mean(axis=1).argmax())
            if winner == current:
                continue
            sides = [winner, current]
            further = table["fresh_parts"][seed][sides]
            known = table["search_parts"][seed], further[0] - further[1]
            verdict, n_repeats = decided(search, fresh[sides], winner, current, known)
            by_folds = decided(search, fresh[sides], winner, current)[0] == "adopt"
            gain = float((fresh[winner, :N_MOST] - fresh[current, :N_MOST]).mean())
            yield Study(
                name=name,
                current=label,
                seed=seed,
                truth=float(truth[winner] - truth[current]),
                before=weigh(search, winner, current, RATIO).verdict == "adopt",
                by_folds=by_folds,
                verdict=verdict,
                n_repeats=n_repeats,
                oracle=gain / errors[winner],
            )


def _true_errors(table: dict[str, np.ndarray], current: int) -> np.ndarray:
    """``(n_candidates,)`` true standard errors of the mean of all further folds."""
    means = table["fresh"][:, :, :N_MOST].mean(axis=(2, 3))
    gains, truth = (scores - scores[:, [current]] for scores in (means, table["truth"]))
    squares: np.ndarray = ((gains - truth) ** 2).mean(axis=0)
    errors: np.ndarray = np.sqrt(squares) + 1e-12
    return errors


def decided(
    search: np.ndarray,
    pair: np.ndarray,
    winner: int,
    current: int,
    parts: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[str, int]:
    """Return the verdict of the sequential test, and the repeats that it needed.

    Args:
        search: ``(n_candidates, n_folds)``.
        pair: ``(2, n_repeats, n_folds)`` of the winner and the current parameters.
        winner: its row in the search.
        current: row of the current parameters.
        parts: of the rows: ``(n_candidates, n_blocks)`` in the means of the search, and
            ``(n_repeats, n_blocks)`` in the further differences.
    """
    gains, further = search[winner] - search[current], pair[0] - pair[1]
    if parts is None:
        reliable = reliability(search, winner, current, ratio=RATIO, n_folds=N_FOLDS)
    else:
        reliable = reliability_by_rows(search.mean(axis=1), parts[0], winner, current)
    for n in range(1, N_MOST + 1):
        found = look(
            gains[None],
            further[:n],
            n_most=N_MOST,
            ratio=RATIO,
            reliable=reliable,
            parts=None if parts is None else parts[1][:n],
        )
        if found.verdict is not None:
            break
    return str(found.verdict), n


@dataclass
class Row:
    """Figures of some studies."""

    found: Sequence[Study]
    critical: tuple[float, float]
    """Critical values of the test that knows the true variance: the usual one, and the one with
    which it adopts 2 % of all studies that are not better."""
    harmful: list[Study] = field(init=False)
    better: list[Study] = field(init=False)

    def __post_init__(self) -> None:
        self.harmful = [study for study in self.found if study.truth <= 0]
        self.better = [study for study in self.found if study.truth > 0]

    def text(self, name: str) -> str:
        """Return a line of the table."""
        n_false = sum(study.verdict == "adopt" for study in self.harmful)
        power = _share(study.verdict == "adopt" for study in self.better)
        usual = self.critical[0]
        kept = [
            self._kept([study.by_folds for study in self.found]),
            self._kept([study.verdict == "adopt" for study in self.found]),
            self._kept([study.oracle > usual for study in self.found]),
        ]
        cells = [
            name,
            str(len(self.found)),
            f"{len(self.harmful)}",
            f"{sum(study.before for study in self.harmful)}",
            f"{sum(study.by_folds for study in self.harmful)}",
            f"{n_false} ({interval(n_false, len(self.harmful))})",
            *(f"{sum(s.oracle > z for s in self.harmful)}" for z in self.critical),
            f"{_share(study.before for study in self.better):.0%}",
            f"{_share(study.by_folds for study in self.better):.0%}",
            f"{power:.0%}",
            *(f"{_share(s.oracle > z for s in self.better):.0%}" for z in self.critical),
            *kept,
            f"{np.mean([s.n_repeats for s in self.found]) * 2 * N_FOLDS:.0f}"
            if self.found
            else "–",
        ]
        return f"| {' | '.join(cells)} |"

    def _kept(self, adopted: list[bool]) -> str:
        """Share of the gain of always adopting."""
        # Squared errors and areas under curves have other units: those of each kind's true gains.
        gains = np.array([study.truth for study in self.found])
        names = np.array([study.name for study in self.found])
        for name in np.unique(names):
            gains[names == name] /= np.abs(gains[names == name]).mean() or 1.0
        whole = gains.sum()
        return f"{gains[np.array(adopted)].sum() / whole:.0%}" if whole > 0 else "–"


HEADER = (
    "| studies | n | not better | adopted by the search | … without parts | adopted"
    " | true variance | … at 2 % | power by the search | … without parts | power | true variance"
    " | … at 2 % | gain kept without parts | gain kept | true variance | fits |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def _share(flags: Iterator[bool]) -> float:
    listed = list(flags)
    return sum(listed) / max(len(listed), 1)


def interval(n: int, of: int) -> str:
    """Return Clopper and Pearson's 95 % interval of a share."""
    low = 0.0 if n == 0 else beta.ppf(0.025, n, of - n + 1)
    high = 1.0 if n == of else beta.ppf(0.975, n + 1, of - n)
    return f"{low:.1%} to {high:.1%}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=150)
    parser.add_argument("--first", type=int, default=9000, help="first seed; constants: below 200")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    found = [
        study
        for name in GENERATORS
        if not given.only or name in given.only.split(";")
        for study in studies(name, given.studies, given.folder, first=given.first)
    ]
    harmful = [study.oracle for study in found if study.truth <= 0]
    critical = (float(norm.isf(0.02)), float(np.quantile(harmful, 0.98)))
    print(HEADER)
    for name in dict.fromkeys(study.name for study in found):
        print(Row([s for s in found if s.name == name], critical).text(name))
    for label in CURRENT:
        print(Row([s for s in found if s.current == label], critical).text(f"current: {label}"))
    print(Row(found, critical).text("**all**"))


if __name__ == "__main__":
    main()
