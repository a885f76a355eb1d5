"""Compare samplers by the fits that they need: ``make bench-search``.

    python -m benchmarks.search --yahpo FOLDER [--trials 100] [--seeds 8] [--players A B …]
        [--kind flat] [--only TEXT …] [--traces FOLDER] [--workers 2] [--minutes 30]
        [--figure FILE.svg]

Surrogates of logged tuning runs train nothing, so that their time is that of the suggestions; the
``real`` problems train scikit-learn models. The first player is the one that the others are
compared with. Traces are kept in the folder for temporary files, or where ``--traces`` says; one of
ours counts as long as no source of the search has changed, a peer's as long as its version has not.

A run that is interrupted, or that ends after ``--minutes``, goes on from its traces the next time.
Its tables show the seeds that all players have played on every problem of a kind. A player whose
package is not installed here is shown by the traces that it has, which may have been played in an
environment of its own (see ``outside.py``).
"""

import argparse
import hashlib
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import product
from pathlib import Path

# One thread each: the matrices are small, and several studies run at a time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import tunesmith
from benchmarks.search import tables
from benchmarks.search.figure import figure
from benchmarks.search.outside import OUTSIDE
from benchmarks.search.players import PEERS, player
from benchmarks.search.real import PROBLEMS
from benchmarks.search.trace import Problem, Trace
from benchmarks.search.yahpo import MissingError, surrogates
from tunesmith.system.files import write_atomic

SOURCES = ("search", "space", "history.py", "study/seeds.py")
DEFAULT = ("bayesian@1", "bayesian@2", *PEERS, *OUTSIDE)
RIVAL = "optuna-tpe"
"""Whose regret after all trials the others are to reach early."""
NEEDED = {"optuna-gp": "torch", "smac": "smac", "hebo": "hebo"}
"""Modules without which a player can only be shown."""


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
        folder = self.traces / self.player.replace("/", "_") / made_by(self.player, self.traces)
        return folder / f"{self.problem.name}-{self.seed}.json".replace(" ", "-")

    @property
    def stored(self) -> Trace | None:
        """Its trace, if one as long is there."""
        if not self.path.exists():
            return None
        trace = Trace(**json.loads(self.path.read_text()))
        if len(trace.losses) < self.n_trials:
            return None
        return Trace(trace.losses[: self.n_trials], trace.cpu_s[: self.n_trials])

    def trace(self, until: float) -> Trace | None:
        """Read the trace, or play the study; ``None`` if that may not begin after ``until``."""
        stored = self.stored
        if stored is not None or time.time() > until or not can_play(self.player):
            return stored
        trace = player(self.player).play(self.problem, self.n_trials, self.seed)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path, json.dumps(trace.as_json()))
        return trace


def can_play(name: str) -> bool:
    """True if the package of a player is installed here."""
    return name not in NEEDED or find_spec(NEEDED[name]) is not None


def made_by(name: str, traces: Path) -> str:
    """Folder of a player's traces: what they depend on."""
    package = player(name).package
    if package is None:
        return sources()
    try:
        return f"{package}-{version(package)}"
    except PackageNotFoundError:
        # Played in another environment: the latest of them.
        folders = sorted((traces / name).glob("*"), key=lambda one: one.stat().st_mtime)
        return folders[-1].name if folders else package


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


def trace_of(job: Job, until: float) -> Trace | None:
    """Trace of a job, for a pool."""
    return job.trace(until)


def ends_of(problem: Problem) -> tuple[float, float]:
    """Ends of a problem's scale, for a pool."""
    return problem.ends


@dataclass(frozen=True)
class Contest:
    """Regrets of some players on the problems of one kind."""

    players: tuple[str, ...]
    problems: tuple[str, ...]
    regret: np.ndarray
    """``(n_problems, n_players, n_seeds, n_trials)``."""

    @property
    def n_seeds(self) -> int:
        """Number of seeds that all players have played on all problems."""
        return int(self.regret.shape[2])


def contest(
    players: Sequence[str],
    problems: Sequence[Problem],
    found: Mapping[Job, Trace],
    options: argparse.Namespace,
) -> Contest | None:
    """Regrets for the seeds that all players have played on all problems; ``None`` without any."""
    n_seeds = 0
    while n_seeds < options.seeds and all(
        job(name, p, n_seeds, options) in found for name, p in product(players, problems)
    ):
        n_seeds += 1
    if not n_seeds:
        return None
    losses = np.array(
        [
            [[found[job(n, p, s, options)].losses for s in range(n_seeds)] for n in players]
            for p in problems
        ]
    )
    ends = np.array([problem.ends for problem in problems])
    names = tuple(problem.name for problem in problems)
    return Contest(tuple(players), names, tables.regrets(losses, ends))


def report(
    players: Sequence[str],
    problems: Mapping[str, Sequence[Problem]],
    found: Mapping[Job, Trace],
    options: argparse.Namespace,
) -> Iterator[str]:
    """Markdown lines of all tables."""
    by_kind = contests(players, problems, found, options)
    for kind, one in by_kind.items():
        yield f"\n### {kind}: {len(one.problems)} problems × {one.n_seeds} seeds\n"
        yield from tables.regret_table(one.players, one.regret, options.trials)
        if len(one.players) > 1:
            yield ""
            yield from tables.difference_table(one.players, one.regret, options.trials)
        if RIVAL in one.players[1:]:
            yield ""
            yield from tables.catching_up_table(one.players, one.regret, options.trials, RIVAL)
        for moment in tables.moments_until(options.trials)[1:2] or [options.trials]:
            yield ""
            yield from tables.problem_table(one.problems, one.players, one.regret, moment)
    costs = {
        name: np.array([trace.cpu_s for j, trace in found.items() if j.player == name])
        for name in players
    }
    yield ""
    yield from tables.cost_table({n: c for n, c in costs.items() if len(c)}, options.trials)


def contests(
    players: Sequence[str],
    problems: Mapping[str, Sequence[Problem]],
    found: Mapping[Job, Trace],
    options: argparse.Namespace,
) -> dict[str, Contest]:
    """Contests by kind, and of all; those who lack a problem have one of their own."""
    flat = [problem for of_kind in problems.values() for problem in of_kind]
    groups: dict[str, Sequence[Problem]] = {"all": flat, **problems} if len(problems) > 1 else {}
    made: dict[str, Contest | None] = {}
    for kind, of_kind in (groups or dict(problems)).items():
        whole = [n for n in players if contest([n], of_kind, found, options)]
        made[kind] = contest(whole, of_kind, found, options) if whole else None
    for name in players:
        played = [p for p in flat if contest([name], [p], found, options)]
        if 0 < len(played) < len(flat):
            rivals = [n for n in players if n == name or contest([n], played, found, options)]
            made[f"where `{name}` was played"] = contest(rivals, played, found, options)
    return {kind: one for kind, one in made.items() if one is not None}


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
    parser.add_argument("--only", nargs="+", default=[""], help="parts of problems' names")
    parser.add_argument("--minutes", type=float, help="begin no study after these")
    parser.add_argument("--figure", type=Path, help="SVG file to write")
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
        kind: [p for p in of_kind if any(part in p.name for part in options.only)]
        for kind, of_kind in found_problems.items()
        if options.kind in (None, kind)
    }
    problems = {kind: of_kind for kind, of_kind in problems.items() if of_kind}
    players = list(dict.fromkeys(options.players))
    found = played(players, problems, options)
    lacking = [name for name in players if not any(j.player == name for j in found)]
    for name in lacking:
        needs = f": it needs {NEEDED[name]}, which is not installed" if not can_play(name) else ""
        print(f"`{name}` has played nothing{needs}.")
    players = [name for name in players if name not in lacking]
    print(*report(players, problems, found, options), sep="\n")
    if options.figure:
        shown = contests(players, problems, found, options)
        curves = {
            f"{kind}, {len(one.problems)} problems × {one.n_seeds} seeds": dict(
                zip(one.players, one.regret.mean(axis=(0, 2)), strict=True)
            )
            for kind, one in shown.items()
            if kind in problems
        }
        write_atomic(options.figure, figure(curves))
    return 0


def played(
    players: Sequence[str],
    problems: Mapping[str, Sequence[Problem]],
    options: argparse.Namespace,
) -> dict[Job, Trace]:
    """Play the studies that have no trace, and read the others."""
    until = time.time() + 60 * (math.inf if options.minutes is None else options.minutes)
    flat = [problem for of_kind in problems.values() for problem in of_kind]
    # Seeds outside, so that an interrupted run has whole seeds.
    jobs = [
        job(name, problem, seed, options)
        for seed, name, problem in product(range(options.seeds), players, flat)
    ]
    with ProcessPoolExecutor(options.workers) as pool:
        # Before any study, so that two of them do not work the ends of a scale out twice.
        list(pool.map(ends_of, flat))
        traces = pool.map(partial(trace_of, until=until), jobs)
        return {j: trace for j, trace in zip(jobs, traces, strict=True) if trace is not None}


if __name__ == "__main__":
    sys.exit(main())
