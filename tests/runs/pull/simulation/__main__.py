"""Many histories of pull workers under faults: python -m tests.runs.pull.simulation 100000 [SEED].

Prints what was simulated, and every seed whose history breaks an invariant.
"""

import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.runs.pull.simulation.history import simulate

CHUNK = 100


def chunk(first: int) -> tuple[Counter[str], list[str]]:
    """Simulate some histories; return sums, and what was wrong."""
    sums: Counter[str] = Counter()
    wrongs = []
    for seed in range(first, first + CHUNK):
        verdict = simulate(seed)
        sums["histories"] += 1
        sums["fits"] += verdict.n_fits
        sums["fits made again"] += verdict.n_redone
        sums["faults"] += verdict.n_faults
        sums["histories with an innocent fit that lost three workers"] += verdict.is_blamed
        wrongs += [f"seed {seed}: {wrong}" for wrong in verdict.wrongs]
    return sums, wrongs


def main(n: int, first: int) -> int:
    """Simulate, in one process per core."""
    sums: Counter[str] = Counter()
    n_wrong = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for own, wrongs in pool.map(chunk, range(first, first + n, CHUNK)):
            sums += own
            n_wrong += len(wrongs)
            print(*wrongs, sep="\n", end="\n" if wrongs else "", flush=True)
    print(*(f"{count:,} {name}" for name, count in sums.items()), sep="; ")
    print(f"{n_wrong} broken invariants")
    return int(n_wrong > 0)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(given[0] if given else 100_000, given[1] if len(given) > 1 else 0))
