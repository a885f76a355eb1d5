"""Compare samplers by the fits that they need: ``make bench-search``.

    python -m benchmarks.search --yahpo FOLDER [--trials 100] [--seeds 8] [--players A B …]
        [--kind flat] [--only TEXT] [--traces FOLDER] [--workers 2]

Nothing is trained: the problems are surrogates of logged tuning runs, so that the time is that of
the suggestions. The first player is the one that the others are compared with. Traces are kept in
the folder for temporary files, or where ``--traces`` says; one of ours counts as long as no source
of the search has changed, a peer's as long as its version has not.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from itertools import product
from pathlib import Path

# One thread each: the matrices are small, and several studies run at a time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import tunesmith
from benchmarks.search import tables
from benchmarks.search.players import PEERS, Problem, Trace, player
from benchmarks.search.real import PROBLEMS
from benchmarks.search.yahpo import MissingError, surrogates
from tunesmith.system.files import write_atomic

SOURCES = ("search", "space", "history.py", "study/seeds.py")
DEFAULT = ("bayesian@1", "bayesian@2", *PEERS)


@dataclass(frozen=True)
class Job:
    """One study to play."""

    player: str
    problem: Problem
    n_trials: int
    seed: int
    traces: Path

    @property
    def path(self) -> Path:
        """File of its trace."""
        made_by = sources() if player(self.player).is_ours else f"optuna-{version('optuna')}"
        name = f"{self.problem.name}-{self.seed}.json".replace(" ", "-")
        return self.traces / self.player.replace("/", "_") / made_by / name

    def trace(self) -> Trace:
        """Play the study, or read its trace if one as long is there."""
        if self.path.exists():
            trace = Trace(**json.loads(self.path.read_text()))
            if len(trace.losses) >= self.n_trials:
                return Trace(trace.losses[: self.n_trials], trace.cpu_s[: self.n_trials])
        trace = player(self.player).play(self.problem, self.n_trials, self.seed)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path, json.dumps(trace.as_json()))
        return trace


@cache
def sources() -> str:
    """Digest of the sources that decide which points are suggested."""
    top = Path(tunesmith.__file__).parent
    found = hashlib.sha256()
    for part in SOURCES:
        paths = sorted((top / part).glob("*.py")) if (top / part).is_dir() else [top / part]
        for path in paths:
            found.update(path.read_bytes())
    return found.hexdigest()[:12]


def trace_of(job: Job) -> Trace:
    """Trace of a job, for a pool."""
    return job.trace()


def ends_of(problem: Problem) -> tuple[float, float]:
    """Ends of a problem's scale, for a pool."""
    return problem.ends


def report(
    players: Sequence[str],
    problems: Mapping[str, Sequence[Problem]],
    found: dict[Job, Trace],
    options: argparse.Namespace,
) -> Iterator[str]:
    """Markdown lines of all tables."""
    by_kind = {}
    for kind, of_kind in problems.items():
        losses = np.array(
            [
                [
                    [found[job(name, p, seed, options)].losses for seed in range(options.seeds)]
                    for name in players
                ]
                for p in of_kind
            ]
        )
        ends = np.array([problem.ends for problem in of_kind])
        by_kind[kind] = tables.regrets(losses, ends)
    everything = np.concatenate(list(by_kind.values()))
    groups = {"all": everything, **by_kind} if len(by_kind) > 1 else by_kind
    for kind, regret in groups.items():
        n_problems = len(regret)
        yield f"\n### {kind}: {n_problems} problems × {options.seeds} seeds\n"
        yield from tables.regret_table(players, regret, options.trials)
        if len(players) > 1:
            yield ""
            yield from tables.difference_table(players, regret, options.trials)
    names = [problem.name for of_kind in problems.values() for problem in of_kind]
    for moment in tables.moments_until(options.trials)[1:2] or [options.trials]:
        yield ""
        yield from tables.problem_table(names, players, everything, moment)
    costs = {
        name: np.array([trace.cpu_s for j, trace in found.items() if j.player == name])
        for name in players
    }
    yield ""
    yield from tables.cost_table(costs, options.trials)


def job(name: str, problem: Problem, seed: int, options: argparse.Namespace) -> Job:
    """One study as the options say."""
    return Job(name, problem, options.trials, seed, options.traces)


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    folder = os.environ.get("TUNESMITH_YAHPO")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--yahpo", type=Path, default=Path(folder) if folder else None)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--players", nargs="+", default=list(DEFAULT))
    parser.add_argument("--kind", choices=["flat", "conditional", "real"])
    parser.add_argument("--only", default="", help="problems whose name contains this")
    default = Path(tempfile.gettempdir()) / f"tunesmith-traces-{os.getuid()}"
    parser.add_argument("--traces", type=Path, default=default)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    options = parsed(arguments)
    found_problems: dict[str, Sequence[Problem]] = {"real": PROBLEMS}
    try:
        found_problems |= surrogates(options.yahpo)
    except MissingError as error:
        print(error, file=sys.stderr)
        if options.kind != "real":
            return 2
    problems = {
        kind: [p for p in of_kind if options.only in p.name]
        for kind, of_kind in found_problems.items()
        if options.kind in (None, kind)
    }
    problems = {kind: of_kind for kind, of_kind in problems.items() if of_kind}
    players = list(dict.fromkeys(options.players))
    if "optuna-gp" in players and find_spec("torch") is None:
        players.remove("optuna-gp")
        print("Optuna's `GPSampler` is skipped: it needs torch, which is not installed.")
    flat = [problem for of_kind in problems.values() for problem in of_kind]
    # Seeds outside, so that an interrupted run has whole seeds.
    jobs = [
        job(name, problem, seed, options)
        for seed, name, problem in product(range(options.seeds), players, flat)
    ]
    with ProcessPoolExecutor(options.workers) as pool:
        # Before any study, so that two of them do not work the ends of a scale out twice.
        list(pool.map(ends_of, flat))
        found = dict(zip(jobs, pool.map(trace_of, jobs), strict=True))
    print(*report(players, problems, found, options), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
