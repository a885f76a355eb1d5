"""The ends of the scale on which regret is measured.

Regret is 0 at the best loss known, the best of many random points refined by evolution, and 1 at
the median loss of a random point.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.search.coordinates import Coordinates
from tunesmith.system.files import write_atomic

STORED = Path(__file__).with_name("references.json")
N_RANDOM = 10_000
N_ROUNDS = 40
N_PARENTS = 40
N_CHILDREN = 10


def stored_ends(name: str, work: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    """Best loss known and median loss of a random point; worked out once and stored.

    Args:
        name: of the problem.
        work: works them out.
    """
    stored = _stored()
    if name not in stored:
        found = work()
        # Read again, since another process may have added a problem meanwhile.
        stored = {**_stored(), name: found}
        write_atomic(STORED, json.dumps(dict(sorted(stored.items())), indent=1) + "\n")
    best, median = stored[name]
    return best, median


def _stored() -> dict[str, tuple[float, float]]:
    return json.loads(STORED.read_text()) if STORED.exists() else {}


def worked_out(problem: Any) -> tuple[float, float]:
    """Search the whole space, at a cost that no sampler under test could afford."""
    rng, coordinates = np.random.default_rng(17), Coordinates(problem.space)
    rows = coordinates.random(N_RANDOM, rng)
    losses = _losses(problem, coordinates, rows)
    median = float(np.median(losses))
    for number in range(N_ROUNDS):
        best = np.argsort(losses, kind="stable")[:N_PARENTS]
        rows, losses = rows[best], losses[best]
        parents = np.repeat(rows, N_CHILDREN, axis=0)
        steps = 10.0 ** rng.uniform(-2.0, -0.3, size=(len(parents), 1)) * 0.97**number
        children = coordinates.mutated(parents, steps, rng)
        rows = np.vstack([rows, children])
        losses = np.concatenate([losses, _losses(problem, coordinates, children)])
    return float(losses.min()), median


def _losses(problem: Any, coordinates: Coordinates, rows: np.ndarray) -> np.ndarray:
    parts = (rows[i : i + 2000] for i in range(0, len(rows), 2000))
    return np.concatenate(
        [problem.losses([coordinates.decode(row) for row in part]) for part in parts]
    )
