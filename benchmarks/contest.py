"""Both sides of a case, in turns, and what comes of comparing them."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.cases import Case, Goal
from benchmarks.limits import limit
from benchmarks.measure import Measured, measure
from benchmarks.sides import COLUMNS, RIVALS, Prepare

LONG_S = 5.0
"""A side that takes longer is measured once."""
N_TURNS = 3
Turns = dict[Prepare, list[Measured]]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    case: Case
    rival: str
    theirs: Measured
    ours: Measured
    limit: float | None
    goal: Goal

    @property
    def ratio(self) -> float:
        """Of wall times."""
        return self.theirs.wall_s / self.ours.wall_s

    @property
    def cpu_ratio(self) -> float:
        """Of CPU times."""
        return self.theirs.cpu_s / self.ours.cpu_s

    @property
    def is_equal(self) -> bool:
        """Whether every score of the rival's is ours, bit for bit."""
        return are_equal(self.ours.found.results, self.theirs.found.results)


def rows(case: Case, n_turns: int = N_TURNS) -> Iterator[Row | str]:
    """A row for each rival, or a sentence that says why there is none.

    Args:
        case: what to search.
        n_turns: how often quick sides are measured.
    """
    missing: dict[Prepare, str] = {}
    turns: Turns = defaultdict(list)
    sides = dict.fromkeys(
        side for name in case.rivals for side in (RIVALS[name].prepare, RIVALS[name].ours)
    )
    for _ in range(n_turns):
        for side in sides:
            if side in missing or (turns[side] and turns[side][0].wall_s > LONG_S):
                continue
            try:
                turns[side].append(one_turn(case, side))
            except RuntimeError as error:
                missing[side] = str(error).strip().splitlines()[-1]
    for name in case.rivals:
        why = missing.get(RIVALS[name].prepare) or missing.get(RIVALS[name].ours)
        yield f"{case.title}, {name}: {why}" if why else row(case, name, turns)


def one_turn(case: Case, side: Prepare) -> Measured:
    """One measurement in a folder of its own, behind the search that came before, if one did."""
    with tempfile.TemporaryDirectory() as folder:
        if case.before:
            measure(side, replace(case, grid=case.before), Path(folder))
        return measure(side, case, Path(folder))


def row(case: Case, name: str, turns: Turns) -> Row:
    """The medians of both sides."""
    rival = RIVALS[name]
    theirs, ours = typical(turns[rival.prepare]), typical(turns[rival.ours])
    at_most = limit(case, theirs.found.results) if rival.is_alike else None
    return Row(case, name, theirs, ours, at_most, rival.goal or case.goal)


def typical(measured: list[Measured]) -> Measured:
    """Medians of times, the highest memory, and what was found last."""
    return Measured(
        median(one.wall_s for one in measured),
        median(one.cpu_s for one in measured),
        max(one.peak_mib for one in measured),
        measured[-1].found,
    )


def are_equal(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether each candidate of theirs has the same scores in ours, bit for bit.

    Args:
        ours: columns of ``cv_results_``.
        theirs: the same; those that it has not are not compared.
    """
    places = {repr(sorted(params.items())): i for i, params in enumerate(ours["params"])}
    wanted = [repr(sorted(params.items())) for params in theirs["params"]]
    if not places.keys() >= set(wanted):
        return False
    found = [places[name] for name in wanted]
    names = [name for name in COLUMNS[1:] if name in theirs]
    return all(np.array_equal(np.asarray(ours[name])[found], theirs[name]) for name in names)
