"""Run the studies that are missing, and write the table: python -m benchmarks.ensembles."""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
warnings.filterwarnings("ignore")

from benchmarks.ensembles.data import NAMES  # noqa: E402 - threads first
from benchmarks.ensembles.rules import section  # noqa: E402
from benchmarks.ensembles.study import LEARNERS, study  # noqa: E402
from benchmarks.ensembles.table import table  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=Path("build/ensembles.jsonl"))
    parser.add_argument("--minutes", type=float, default=None, help="begin no study after them")
    parser.add_argument("--table", type=Path, default=None, help="write the table there")
    parser.add_argument("--flaml", type=Path, default=None, help="Python with FLAML, to compare")
    parser.add_argument("--fallback", type=Path, default=None, help="write the rules there, alone")
    given = parser.parse_args()
    given.results.parent.mkdir(parents=True, exist_ok=True)
    known = _read(given.results)
    done = {(one["name"], one["learner"], one["seed"]) for one in known}
    began = time.monotonic()
    for seed in range(given.seeds):
        for learner in LEARNERS:
            for name in NAMES:
                is_late = given.minutes and time.monotonic() - began > 60 * given.minutes
                if is_late or (name, learner, seed) in done:
                    continue
                line = json.dumps(study(name, learner, seed, given.flaml))
                with given.results.open("a") as file:
                    file.write(f"{line}\n")
    if given.fallback is not None:
        told = [one for one in _read(given.results) if "by_fold" in one["worth"]]
        head = f"# Rules for the fallback\n\nMade from {len(told)} of 198 studies.\n\n"
        given.fallback.write_text(head + "\n".join(section(told)))
    text = table(_read(given.results))
    print(text)
    if given.table is not None:
        given.table.write_text(text)


def _read(path: Path) -> list[dict]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


if __name__ == "__main__":
    main()
