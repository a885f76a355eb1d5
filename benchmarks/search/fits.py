"""Fold fits and CPU seconds of whole studies: ``python -m benchmarks.search.fits``.

    python -m benchmarks.search.fits [--seeds 3] [--kept FILE] [--only TEXT] [--minutes 30]

Four real problems: the random forest of the usual tutorials, one in which fits hold submodels, one
with ten folds, and one with little data. Tunesmith runs as it comes, and with one idea turned off
or on; Optuna's TPE and chance score the same folds with ``cross_val_score``. All have 30 trials.
Studies are kept in a file, so that an interrupted run goes on.
"""

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import tunesmith
from benchmarks.sample_efficiency import asked
from benchmarks.search.tables import row
from tunesmith.space import Float, Int, Parameter, SearchSpace

N_TRIALS = 30
N_TRUE_SPLITS = 4
BASE = "Tunesmith"
PEERS = ("Optuna TPE", "random")


@dataclass(frozen=True)
class Game:
    """A model with its space and its rows."""

    estimator: Any
    space: Mapping[str, Parameter]
    data: Callable[..., Any]
    n_folds: int = 5
    variants: tuple[str, ...] = ()
    """What of Tunesmith is turned off or on here, besides the race."""

    @property
    def scoring(self) -> str:
        """Name of the scorer."""
        return "r2" if self.data is load_diabetes else "accuracy"

    def splits(self, seed: int) -> Any:
        """Splitter of the study with this seed."""
        kind = KFold if self.scoring == "r2" else StratifiedKFold
        return kind(self.n_folds, shuffle=True, random_state=seed)

    def score(self, params: Mapping[str, Any], seed: int) -> float:
        """Mean over the folds of one split."""
        model = clone(self.estimator).set_params(**params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            X, y = self.data(return_X_y=True)
            found = cross_val_score(model, X, y, cv=self.splits(seed), scoring=self.scoring)
        return float(found.mean())

    def truth(self, params: Mapping[str, Any]) -> float:
        """Mean over splits that no study sees."""
        seeds = range(1000, 1000 + N_TRUE_SPLITS)
        return float(np.mean([self.score(params, seed) for seed in seeds]))


GAMES = {
    "forest, breast cancer": Game(
        RandomForestClassifier(random_state=0),
        {"n_estimators": Int(50, 200), "max_depth": Int(3, 20)},
        load_breast_cancer,
        variants=("no submodels", "portfolio"),
    ),
    "boosting, diabetes": Game(
        GradientBoostingRegressor(random_state=0),
        {
            "n_estimators": Int(20, 200),
            "learning_rate": Float(0.01, 0.5, log=True),
            "max_depth": Int(1, 5),
            "subsample": Float(0.4, 1.0),
        },
        load_diabetes,
        variants=("no submodels",),
    ),
    "vectors, breast cancer, 10 folds": Game(
        make_pipeline(StandardScaler(), SVC(max_iter=5000)),
        {"svc__C": Float(1e-3, 1e3, log=True), "svc__gamma": Float(1e-5, 10, log=True)},
        load_breast_cancer,
        n_folds=10,
    ),
    "tree, wine": Game(
        DecisionTreeClassifier(random_state=0),
        {
            "max_depth": Int(1, 20),
            "min_samples_leaf": Int(1, 30),
            "max_features": Float(0.1, 1.0),
            "ccp_alpha": Float(1e-5, 0.1, log=True),
        },
        load_wine,
    ),
}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    BASE: {},
    "no race": {"search": {"method": "bayesian", "race": "off"}},
    "no submodels": {"execution": {"share": "off"}},
    "portfolio": {"start_with": ["defaults", "current", "portfolio"]},
}


@dataclass(frozen=True)
class Played:
    """One study."""

    game: str
    player: str
    seed: int
    n_fits: list[int]
    """Fold fits up to each trial."""
    best: list[float]
    """Best mean of the folds so far, by trial."""
    truth: float
    """Score of the winner on other splits."""
    cpu_s: float


def ours(game: Game, seed: int, options: Mapping[str, Any]) -> tuple[list[int], list[float], Any]:
    """Fits, best scores and winner of a study of Tunesmith."""
    X, y = game.data(return_X_y=True)
    found = tunesmith.tune(
        game.estimator,
        X,
        y,
        space=dict(game.space),
        cv=game.splits(seed),
        metric=game.scoring,
        stop=N_TRIALS,
        seed=seed,
        workers=1,
        progress=False,
        **options,
    )
    trials = list(found.record.history.completed)
    name = found.record.objectives[0].name
    best = np.fmax.accumulate([trial.mean(name) for trial in trials])
    fits = np.cumsum(
        [sum(1 / f.n_sharing * trial.n_points for f in trial.folds) for trial in trials]
    )
    return np.round(fits).astype(int).tolist(), best.tolist(), found.best_params


def theirs(game: Game, seed: int, player: str) -> tuple[list[int], list[float], Any]:
    """Fits, best scores and winner of a study of Optuna's."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    kind = optuna.samplers.RandomSampler if player == "random" else optuna.samplers.TPESampler
    study = optuna.create_study(direction="maximize", sampler=kind(seed=seed))
    space = SearchSpace.of(dict(game.space))
    study.optimize(lambda trial: game.score(asked(trial, space), seed), n_trials=N_TRIALS)
    best = np.maximum.accumulate([trial.value for trial in study.trials])
    fits = [game.n_folds * (number + 1) for number in range(N_TRIALS)]
    return fits, best.tolist(), study.best_params


def play(name: str, player: str, seed: int) -> Played:
    """Play a study."""
    game, began = GAMES[name], time.process_time()
    if player in PEERS:
        n_fits, best, params = theirs(game, seed, player)
    else:
        n_fits, best, params = ours(game, seed, VARIANTS[player])
    taken = time.process_time() - began
    return Played(name, player, seed, n_fits, best, game.truth(params), taken)


def players_of(game: Game) -> tuple[str, ...]:
    """Who plays a game."""
    return (BASE, *PEERS, "no race", *game.variants)


def needed(one: Played, target: float) -> float:
    """Fold fits until a score is reached; infinite if it is not."""
    reached = [n for n, best in zip(one.n_fits, one.best, strict=True) if best >= target - 1e-12]
    return reached[0] if reached else np.inf


def table(found: Sequence[Played]) -> Iterator[str]:
    """Markdown lines: costs and scores, and the part of a peer's fits that its score needs."""
    heads = [f"fits for the score of {name}, of its fits" for name in PEERS]
    yield row(
        ["problem", "who", "seeds", "fold fits", "CPU s", "its folds", "other splits", *heads]
    )
    yield row(["---", "---", *["---:"] * (5 + len(PEERS))])
    for name, game in GAMES.items():
        for player in players_of(game):
            own = {p.seed: p for p in found if (p.game, p.player) == (name, player)}
            if not own:
                continue
            cells = [name, player if player in (BASE, *PEERS) else f"… {player}", str(len(own))]
            for value, digits in (
                ([p.n_fits[-1] for p in own.values()], 0),
                ([p.cpu_s for p in own.values()], 1),
                ([p.best[-1] for p in own.values()], 4),
                ([p.truth for p in own.values()], 4),
            ):
                cells.append(f"{np.mean(value):.{digits}f}")
            yield row([*cells, *(_part(own, found, name, peer) for peer in PEERS)])


def _part(own: Mapping[int, Played], found: Sequence[Played], name: str, peer: str) -> str:
    """Median part of a peer's fits, and in how many studies its score was not reached."""
    rivals = {p.seed: p for p in found if (p.game, p.player) == (name, peer)}
    seeds = own.keys() & rivals.keys()
    if not seeds or own == rivals:
        return "–"
    parts = [needed(own[s], rivals[s].best[-1]) / rivals[s].n_fits[-1] for s in sorted(seeds)]
    missed = sum(np.isinf(parts))
    middle = float(np.median(parts))
    text = f"{middle:.2f}" if np.isfinite(middle) else "not reached"
    return f"{text} ({missed} of {len(parts)} not)" if missed else text


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kept", type=Path, default=Path("build/search-fits.jsonl"))
    parser.add_argument("--only", default="")
    parser.add_argument("--minutes", type=float, default=np.inf)
    given = parser.parse_args()
    lines = given.kept.read_text().splitlines() if given.kept.exists() else []
    found = [Played(**json.loads(line)) for line in lines]
    known = {(p.game, p.player, p.seed) for p in found}
    given.kept.parent.mkdir(parents=True, exist_ok=True)
    until = time.time() + 60 * given.minutes
    for seed, (name, game) in product(range(given.seeds), GAMES.items()):
        for player in players_of(game):
            if (name, player, seed) in known or given.only not in name or time.time() > until:
                continue
            found.append(play(name, player, seed))
            with given.kept.open("a") as file:
                file.write(json.dumps(asdict(found[-1])) + "\n")
    print(*table(found), sep="\n")


if __name__ == "__main__":
    main()
