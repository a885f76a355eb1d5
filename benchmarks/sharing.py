"""Searches against those that users would pick instead: time, memory, limits and equality.

    python -m benchmarks.sharing [--scale quick|usual|full] [--only TEXT] [--dask FOLDER]

dask-ml is measured where it is found, best in a folder of its own (``pip install --target FOLDER
dask-ml``): LightGBM imports any dask that lies beside it, which would change its own row.
"""

import argparse
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.cases import SCALES, cases
from benchmarks.contest import LONG_S, N_TURNS, Row, rows
from benchmarks.sides import DASK, FOLD_COLUMNS
from benchmarks.table import head, text

NOTES = f"""
**Sides.** Each is measured in a fresh process, with as many worker processes as there are cores
and one thread in each. Imports and data come before the clock; the start of workers is within it.
Tunesmith is `tunesmith.sklearn.GridSearchCV` in memory, unless the row says otherwise: each worker
checks the first shared fit of a kind against fresh ones; *warm* is with a ledger that knows that it
has passed. A side that
takes less than {LONG_S:.0f} s is measured {N_TURNS} times, in turns (once at the scale `quick`),
and the median counts.

**CPU** is user and system time of the whole tree of processes (`wait4` of every one, orphans
included) from the start of the clock until the last one has ended.

**Limit** is the work of all fits over the work of the unique ones, on equally many cores. Work is
counted by the size of the submodel (trees, rounds), 1 where there is none; for pipelines it is
measured on one fold, in CPU seconds of every step. Overhead and what a fit costs besides its size
are not counted, so that the share can be above 1.

**Equal** compares every score of every fold with the rival's, and where it has them means,
deviations and ranks: bit for bit.

**MiB** is the peak of the memory of the whole tree, imports and data included: the sum of
proportional set sizes, in which shared pages count once, sampled.
"""


def best(results: Mapping[str, Any]) -> float:
    """The best mean score of all candidates."""
    return float(np.mean([results[name] for name in FOLD_COLUMNS], axis=0).max())


def bests(row: Row) -> str:
    """What both sides found, for a rival that tries fewer candidates."""
    theirs, ours = (best(side.found.results) for side in (row.theirs, row.ours))
    n = len(row.theirs.found.results["params"])
    return f"{row.case.title}, {row.rival}: best of {n} {theirs:.4f}, Tunesmith's {ours:.4f}"


def tries_fewer(row: Row) -> bool:
    """Whether the rival has not scored all candidates."""
    return len(row.theirs.found.results["params"]) < len(row.ours.found.results["params"])


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scale", choices=SCALES, default="usual", help="how many rows")
    parser.add_argument("--only", default="", help="cases whose title contains this")
    parser.add_argument("--dask", default="", help="folder that has dask-ml")
    options = parser.parse_args(arguments)
    if options.dask:
        os.environ[DASK] = options.dask
    remarks = []
    print(head())
    for case in cases(options.scale):
        if options.only not in case.title:
            continue
        for row in rows(case, 1 if options.scale == "quick" else N_TURNS):
            if isinstance(row, str):
                remarks.append(row)
                continue
            print(text(row), flush=True)
            remarks += [bests(row)] if tries_fewer(row) else []
    print("", *(f"- {remark}" for remark in remarks), NOTES, sep="\n")


if __name__ == "__main__":
    main()
