"""One study: 20 random trials on 5 folds of 300 rows, and the truth of each model on test rows."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.ensembles.data import load
from tunesmith.models.answers import FoldAnswers, answers_of
from tunesmith.models.average import averaged
from tunesmith.models.build import cost_of
from tunesmith.models.greedy import Blends, greedy
from tunesmith.models.worth import always, best_alone, worth
from tunesmith.sklearn.selection import one_se

N_ROWS, N_TEST, N_TRIALS, N_FOLDS = 300, 2_000, 20, 5
LEARNERS = ("lightgbm", "forest", "logistic")
OF_FLAML = {"lightgbm": "lgbm", "forest": "rf", "logistic": "lrl1,lrl2"}
"""Names of the same learners in FLAML; its linear models are not scaled."""
Params = Mapping[str, Any]


def made(learner: str, params: Params, seed: int) -> Any:
    """Return the unfitted estimator of a trial; without params the library's default."""
    if learner == "lightgbm":
        return LGBMClassifier(**params, random_state=seed, n_jobs=1, verbose=-1)
    if learner == "forest":
        return RandomForestClassifier(**params, random_state=seed, n_jobs=1)
    model = LogisticRegression(**{"solver": "liblinear", **params}, random_state=seed)
    return make_pipeline(StandardScaler(), model)


def drawn(learner: str, rng: np.random.Generator) -> Params:
    """Draw the params of a trial."""
    if learner == "lightgbm":
        return {
            "learning_rate": 10 ** rng.uniform(-2.5, -0.3),
            "num_leaves": round(2 ** rng.uniform(1.6, 6)),
            "min_child_samples": round(2 ** rng.uniform(1, 6)),
            "reg_lambda": 10 ** rng.uniform(-3, 1.5),
            "colsample_bytree": rng.uniform(0.3, 1),
            "subsample": rng.uniform(0.4, 1),
            "subsample_freq": 1,
            "n_estimators": round(10 ** rng.uniform(1.3, 2.2)),
        }
    if learner == "forest":
        return {
            "n_estimators": round(10 ** rng.uniform(1.2, 1.9)),
            "max_features": rng.uniform(0.05, 1),
            "max_samples": rng.uniform(0.3, 1),
            "min_samples_leaf": round(2 ** rng.uniform(0, 5)),
            "criterion": str(rng.choice(["gini", "entropy"])),
        }
    return {
        "C": 10 ** rng.uniform(-4, 3),
        "penalty": str(rng.choice(["l1", "l2"])),
        "class_weight": rng.choice(np.array([None, "balanced"], dtype=object)),
    }


def study(name: str, learner: str, seed: int, flaml: Path | None = None) -> dict[str, Any]:
    """Run one study; return scores on the test rows, and costs, by name.

    Args:
        name: of the data set.
        learner: one of ``LEARNERS``.
        seed: of rows, trials and folds.
        flaml: Python that has FLAML; it is left out without one.
    """
    X, y = load(name)
    rng = np.random.default_rng([seed, 7])
    order = rng.permutation(len(y))
    train, test = order[:N_ROWS], order[N_ROWS : N_ROWS + N_TEST]
    X_train, y_train, X_test, y_test = X[train], y[train], X[test], y[test]
    trials: list[Params] = [{}, *(drawn(learner, rng) for _ in range(N_TRIALS - 1))]
    folds = list(StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed).split(X_train, y_train))
    cpu: dict[str, float] = {}

    def truth(model: Any) -> float:
        values = model.predict_proba(X_test)[:, 1]
        return auc(y_test, values)

    with timed(cpu, "search"):
        models: list[list[Any]] = []
        answers: list[list[FoldAnswers]] = []
        for params in trials:
            fitted = [made(learner, params, seed).fit(X_train[a], y_train[a]) for a, _ in folds]
            models.append(fitted)
            answers.append(
                [answers_of(m, X_train[b]) for m, (_, b) in zip(fitted, folds, strict=True)]
            )
    blends = Blends(
        answers,
        lambda model, fold: auc(y_train[folds[fold][1]], chances(model)),
    )
    scores = np.array([blends.scores(blends.alone(t)) for t in range(N_TRIALS)])
    best = int(np.argmax(scores.mean(axis=1)))
    with timed(cpu, "refit"):
        refitted = {best: made(learner, trials[best], seed).fit(X_train, y_train)}
    for place, params in enumerate(trials):
        refitted.setdefault(place, made(learner, params, seed).fit(X_train, y_train))
    simplest = one_se(_results(trials, scores), "score", N_FOLDS)
    single = [truth(refitted[place]) for place in range(N_TRIALS)]

    def average(counts: tuple[int, ...]) -> Any:
        parts = {
            f"t{place}": (made(learner, trials[place], seed), models[place])
            for place, n in enumerate(counts)
            if n
        }
        weights = [float(n) for n in counts if n]
        return averaged(parts, weights, cv=N_FOLDS)

    with timed(cpu, "ensemble"):
        counts = greedy(blends)
        ensemble = average(counts)
    with timed(cpu, "worth"):
        of_ensemble = worth(blends, lambda chosen: greedy(blends, chosen))
        of_default = worth(blends, always(blends.alone(0)))
    is_worth_it = of_ensemble.is_better_than(of_default)
    mean = average(blends.alone(best))
    results = {
        "default": single[0],
        "best": single[best],
        "one_se": single[simplest],
        "average": truth(mean),
        "ensemble": truth(ensemble),
        "oracle": max(single),
    }
    results["fallback"] = results["ensemble"] if is_worth_it else single[0]
    results["default_average"] = truth(average(blends.alone(0)))
    if flaml is not None:
        arrays = {"X_train": X_train, "y_train": y_train, "X_test": X_test, "y_test": y_test}
        seconds = cpu["search"] + cpu["ensemble"]
        for key, learners in {"flaml": OF_FLAML[learner], "flaml_any": "auto"}.items():
            other = of_flaml(flaml, arrays, seconds, seed, learners)
            results[key], cpu[key] = other["auc"], other["cpu"]
    costs = {
        "best": cost_of(refitted[best], X_test),
        "average": cost_of(mean, X_test),
        "ensemble": cost_of(ensemble, X_test),
    }
    return {
        "name": name,
        "learner": learner,
        "seed": seed,
        "truth": results,
        "worth": {
            "chosen": of_ensemble.chosen,
            "corrected": of_ensemble.corrected,
            "by_fold": {
                "ensemble": of_ensemble.by_fold,
                "best": worth(blends, best_alone(blends)).by_fold,
                "default": of_default.by_fold,
            },
        },
        "cpu": cpu,
        "bytes": {key: cost.n_bytes for key, cost in costs.items()},
        "ms": {key: cost.ms_per_1000 for key, cost in costs.items()},
        "n_members": sum(n > 0 for n in counts),
    }


def of_flaml(
    python: Path, arrays: Mapping[str, np.ndarray], seconds: float, seed: int, learners: str
) -> dict[str, Any]:
    """Let FLAML search in an environment of its own, for as many CPU seconds."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "rows.npz")
        np.savez(file, allow_pickle=False, **arrays)
        script = Path(__file__).with_name("flaml_run.py")
        words = [str(python), str(script), str(file), str(seconds), str(seed), learners]
        made = subprocess.run(words, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return result


def chances(model: Any) -> np.ndarray:
    """Return the prepared probabilities of the positive class."""
    prepared: np.ndarray = model.predict_proba(None)[:, 1]
    return prepared


def auc(y: np.ndarray, values: np.ndarray) -> float:
    """Area under the ROC curve, by ranks: scikit-learn's checks would take most of the time."""
    n_positive = int(y.sum())
    ranks = float(rankdata(values)[y == 1].sum())
    return (ranks - n_positive * (n_positive + 1) / 2) / (n_positive * (len(y) - n_positive))


@contextmanager
def timed(cpu: dict[str, float], name: str) -> Iterator[None]:
    """Note the CPU seconds of a block."""
    began = time.process_time()
    yield
    cpu[name] = time.process_time() - began


def _results(trials: list[Params], scores: np.ndarray) -> dict[str, Any]:
    """Return what ``one_se`` reads of ``cv_results_``."""
    order = np.argsort(-scores.mean(axis=1), kind="stable")
    ranks = np.empty(len(order), dtype=int)
    ranks[order] = np.arange(1, len(order) + 1)
    # The default's own values are left out of its params: it counts as simplest by none of them.
    by_fold = {f"split{fold}_test_score": scores[:, fold] for fold in range(scores.shape[1])}
    return {"params": [dict(one) for one in trials], "rank_test_score": ranks, **by_fold}
