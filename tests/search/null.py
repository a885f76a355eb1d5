"""Improvements claimed where there is nothing to gain: ``python -m tests.search.null``.

Studies of cheap learners on shuffled targets. By the area under the ROC curve all parameters are
then worth 0.5, so that every claim of an improvement over the current parameters is false. (By
accuracy or R² they are not: whatever predicts the majority or the mean is truly better.) A study
claims an improvement if its verdict is to adopt the winner: with a gate on further splits
(``gate``), and without one on the folds of the search, where the report then says *more than
chance* (``plain``). With ``--in-memory``, the studies are those of objects in memory.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import beta
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold

import tunesmith
from tunesmith.config.load import define
from tunesmith.system.files import write_atomic
from tunesmith.system.importing import load

N_ROWS = 150
N_TRIALS = 30


@dataclass(frozen=True)
class Learner:
    """A cheap estimator with its space and its current parameters."""

    estimator: str
    params: Mapping[str, Any]
    """Those that are not tuned."""
    space: Mapping[str, Any]
    current: Mapping[str, Any]


LEARNERS = {
    "tree": Learner(
        "sklearn.tree.DecisionTreeClassifier",
        {"random_state": 0},
        {
            "max_depth": {"int": [1, 12]},
            "min_samples_leaf": {"int": [1, 40], "log": True},
            "criterion": ["gini", "entropy"],
        },
        {"max_depth": 12, "min_samples_leaf": 1, "criterion": "gini"},
    ),
    "neighbours": Learner(
        "sklearn.neighbors.KNeighborsClassifier",
        {},
        {"n_neighbors": {"int": [1, 60]}, "p": [1, 2], "weights": ["uniform", "distance"]},
        {"n_neighbors": 5, "p": 2, "weights": "uniform"},
    ),
    "ridge": Learner(
        "sklearn.linear_model.RidgeClassifier",
        {},
        {"alpha": {"float": [1e-3, 1e3], "log": True}, "fit_intercept": [True, False]},
        {"alpha": 1.0, "fit_intercept": True},
    ),
}


@dataclass(frozen=True)
class Claim:
    """Verdicts of one study."""

    learner: str
    seed: int
    gate: str
    """Verdict on further splits."""
    plain: str
    """Verdict on the folds of the search."""


def claim(
    name: str,
    seed: int,
    *,
    is_shuffled: bool = True,
    current: Mapping[str, Any] | None = None,
) -> Claim:
    """Run a study with and without a gate; the second run reuses all evaluations.

    Args:
        name: of the learner.
        seed: of the rows, their targets and the search.
        is_shuffled: false for the targets as they are.
        current: other current parameters than the learner's.
    """
    learner, rng = LEARNERS[name], np.random.default_rng([seed, 21])
    X, y = load_breast_cancer(return_X_y=True)
    rows = rng.permutation(len(y))[:N_ROWS]
    table = pd.DataFrame(X[rows]).add_prefix("x")
    table["y"] = rng.permutation(y[rows]) if is_shuffled else y[rows]
    sections: dict[str, Any] = {
        "study": "null",
        "objective": {
            "estimator": learner.estimator,
            "params": dict(learner.params),
            "data": {"path": "table.csv", "target": "y"},
            "cv": {"folds": 5, "shuffle": True, "seed": seed},
            "metric": "roc_auc",
        },
        "space": dict(learner.space),
        "search": {"method": "bayesian", "seed": seed},
        "stop": {"trials": N_TRIALS},
        "execution": {"workers": 1},
        "outputs": {"best": "best.json"},
    }
    verdicts = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        table.to_csv(root / "table.csv", index=False)
        # First without further splits, which would count for both. With a gate even so: its studies
        # know the parts of the rows.
        modes: list[dict[str, Any]] = [{"gate": {}, "confirm": "off"}, {"gate": {}}]
        for more in modes:
            (root / "best.json").write_text(json.dumps(dict(current or learner.current)))
            result = tunesmith.tune(define({**sections, **more}, root=root), progress=False)
            verdict = result.summary.gate
            assert verdict is not None, "the current parameters were not read"
            verdicts.append(verdict.verdict)
    return Claim(name, seed, plain=verdicts[0], gate=verdicts[1])


def claim_in_memory(name: str, seed: int, *, cv: Any = None, confirm: Any = None) -> Claim:
    """Run a study of an estimator with its rows in memory, on shuffled targets.

    Args:
        name: of the learner.
        seed: of the rows, their targets and the search.
        cv: folds; 5 shuffled ones by default.
        confirm: section of the study.
    """
    learner, rng = LEARNERS[name], np.random.default_rng([seed, 21])
    X, y = load_breast_cancer(return_X_y=True)
    rows = rng.permutation(len(y))[:N_ROWS]
    given: dict[str, Any] = {
        "space": {name: in_memory(options) for name, options in learner.space.items()},
        "cv": cv or StratifiedKFold(5, shuffle=True, random_state=seed),
        "metric": "roc_auc",
        "current": learner.current,
        "seed": seed,
        "stop": N_TRIALS,
        "workers": 1,
        "progress": False,
    }
    verdicts, shuffled = [], rng.permutation(y[rows])
    with tempfile.TemporaryDirectory() as folder:
        for more in ({"confirm": "off"}, {"confirm": confirm}):
            estimator = load("estimator", learner.estimator)(**learner.params)
            arguments = {**given, **more, "gate": True, "ledger": f"{folder}/scores.db"}
            result = tunesmith.tune(estimator, X[rows], shuffled, **arguments)
            verdict = result.summary.gate
            assert verdict is not None
            verdicts.append(verdict.verdict)
    return Claim(name, seed, plain=verdicts[0], gate=verdicts[1])


def in_memory(options: Any) -> Any:
    """Return a parameter of a configuration as an object."""
    if isinstance(options, list):
        return options
    kind = tunesmith.Int if "int" in options else tunesmith.Float
    low, high = options.get("int") or options["float"]
    return kind(low, high, log=options.get("log", False))


def claims(
    n: int, kept: Path | None = None, claim: Callable[[str, int], Claim] = claim
) -> Iterator[Claim]:
    """Run ``n`` studies, one learner after the other; those in the file ``kept`` are read."""
    known = json.loads(kept.read_text()) if kept is not None and kept.exists() else {}
    names = list(LEARNERS)
    for number in range(n):
        name, seed = names[number % len(names)], number // len(names)
        key = f"{name} {seed}"
        if key not in known:
            known[key] = asdict(claim(name, seed))
            if kept is not None:
                write_atomic(kept, json.dumps(known, indent=1) + "\n")
        yield Claim(**known[key])


def interval(k: int, n: int) -> tuple[float, float]:
    """95 % interval of a share, by Clopper and Pearson."""
    low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return low, high


def table(found: list[Claim]) -> Iterator[str]:
    """Markdown lines: share of the studies that claim an improvement."""
    yield "| learner | studies | with a gate | without one |"
    yield "|---|---:|---:|---:|"
    for name in (*LEARNERS, "**all**"):
        of_name = [one for one in found if name in (one.learner, "**all**")]
        n, cells = len(of_name), []
        if not n:
            continue
        for mode in ("gate", "plain"):
            k = sum(getattr(one, mode) == "adopt" for one in of_name)
            low, high = interval(k, n)
            cells.append(f"{k}: {k / n:.1%} ({low:.1%} to {high:.1%})")
        yield f"| {name} | {n} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--kept", type=Path, help="file of finished studies, to go on from")
    parser.add_argument("--in-memory", action="store_true", help="studies of objects in memory")
    given = parser.parse_args()
    made = claim_in_memory if given.in_memory else claim
    print(*table(list(claims(given.studies, given.kept, made))), sep="\n")


if __name__ == "__main__":
    main()
