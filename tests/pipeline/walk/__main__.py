"""Many seeds of the walk: ``python -m tests.pipeline.walk --seeds 18``."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.pipeline.walk.generator import made
from tests.pipeline.walk.walk import LostError, walk


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=18)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--steps", nargs="*", default=(), help="after the first two; all")
    parser.add_argument("--cold", action="store_true", help="each call imports its program anew")
    given = parser.parse_args()
    if given.cold:
        os.environ["TUNESMITH_TESTS_PRELOADED"] = "0"
    n_lost = 0
    for seed in range(given.first, given.first + given.seeds):
        repository, began = made(seed), time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                walk(repository, Path(folder, "project"), given.steps)
                said = "well"
            except LostError as lost:
                n_lost += 1
                said = f"LOST\n{lost}"
        print(
            f"seed {seed:4}  {repository!s:20} {time.monotonic() - began:5.1f} s  {said}",
            flush=True,
        )
    return min(n_lost, 1)


if __name__ == "__main__":
    sys.exit(main())
