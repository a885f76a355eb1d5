"""What the report's statements are worth, where the truth is known.

    python -m benchmarks.statistics [--repeats 300] [--nulls 100]

Fold scores are simulated as trial effect + fold effect + residual. Where training sets overlap,
part of a residual is common to all folds of a trial: `shared` is that part of its variance, 1/k
being what Nadeau & Bengio (2003) assume. `unequal` noise differs from trial to trial by a factor of
about 1.6. The last table is real: estimators on targets that were shuffled, so that no candidate is
better than another, and a ROC AUC of 0.5 is what each is worth.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import stats
from sklearn.datasets import make_classification
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from tunesmith.analysis.statistics.contrasts import moderated
from tunesmith.analysis.statistics.gate import weigh
from tunesmith.analysis.statistics.optimism import corrected, shrunk_by_minima
from tunesmith.analysis.statistics.ties import ALPHA, near_best, pick, ties, within_one_se
from tunesmith.sklearn import GridSearchCV
from tunesmith.testing.fold_scores import simulate, simulate_smooth

FOLDS = 5
ROWS = 200
Chosen = Callable[[np.ndarray, float], np.ndarray]
SCENES: dict[str, dict[str, float]] = {
    "independent folds": {},
    "shared 1/k": {"shared": 1 / FOLDS},
    "shared 1/k, unequal": {"shared": 1 / FOLDS, "unequal": 0.5},
}
CANDIDATES: dict[str, tuple[Any, dict[str, list[Any]]]] = {
    "decision tree": (
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3, 4, 6, 8], "min_samples_leaf": [1, 2, 4, 8, 16, 32]},
    ),
    "neighbours": (
        KNeighborsClassifier(),
        {"n_neighbors": [*range(1, 30, 2)], "weights": ["uniform", "distance"]},
    ),
}


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("repeats", 300), ("nulls", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args(arguments)
    print_ties(given.repeats)
    print_selection(given.repeats)
    print_optimism(given.repeats)
    print_gate(given.repeats)
    print_nulls(given.nulls)


def draws(
    n_repeats: int, n: int, spread: float, **scene: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(truth, fold scores) of as many studies."""
    for seed in range(n_repeats):
        rng = np.random.default_rng(seed)
        truth = -np.abs(rng.normal(0, spread, n)) if spread else np.zeros(n)
        yield truth, simulate(truth, FOLDS, rng, **scene)


# -- ties ----------------------------------------------------------------------------------------


def plain(gains: np.ndarray, ratio: float) -> np.ndarray:
    """Every variance by itself, Bonferroni's critical value."""
    return p_values(gains, ratio) > ALPHA / (len(gains) - 1)


def uncorrected(gains: np.ndarray, ratio: float) -> np.ndarray:
    """The paired t-test as if folds were independent, and no care for multiplicity."""
    return p_values(gains, 0.0) > ALPHA


def one_se(gains: np.ndarray, ratio: float) -> np.ndarray:
    """Within one standard error of the best."""
    return within_one_se(gains)


def ours(gains: np.ndarray, ratio: float) -> np.ndarray:
    """What the report shows."""
    found = ties(gains, ratio)
    assert found is not None
    return found


def p_values(gains: np.ndarray, ratio: float) -> np.ndarray:
    """One-sided, of the best against each, by Nadeau & Bengio's variance."""
    best = int(np.argmax(gains.mean(axis=1)))
    differences = gains[best] - gains
    variances = differences.var(axis=1, ddof=1) * (1 / FOLDS + ratio)
    t = differences.mean(axis=1) / np.sqrt(np.maximum(variances, 1e-30))
    found = stats.t.sf(t, FOLDS - 1)
    found[best] = 1.0
    return found


METHODS: dict[str, Chosen] = {
    "Tunesmith": ours,
    "each variance by itself": plain,
    "plain paired t-test": uncorrected,
    "one standard error": one_se,
}


def print_ties(n_repeats: int) -> None:
    """How often the truly best trial is among the ties, and how many there are."""
    print(f"Ties of {FOLDS} folds: share of studies whose truly best trial is in the set (wanted:")
    print(f"at least {1 - ALPHA:.0%}), and the set's mean size.\n")
    print(f"| scene | trials | spread of trials | {' | '.join(METHODS)} |")
    print(f"|---|---:|---:|{'---:|' * len(METHODS)}")
    for name, scene in SCENES.items():
        for n, spread in ((50, 0.0), (50, 0.05), (200, 0.1)):
            cells = []
            for method in METHODS.values():
                inside, sizes = [], []
                for truth, gains in draws(n_repeats, n, spread, **scene):
                    chosen = method(gains, 1 / (FOLDS - 1))
                    inside.append(chosen[int(np.argmax(truth))])
                    sizes.append(chosen.sum())
                cells.append(f"{np.mean(inside):.0%} of {np.mean(sizes):.0f}")
            print(f"| {name} | {n} | {spread} | {' | '.join(cells)} |", flush=True)


# -- the simplest that is nearly as good ---------------------------------------------------------


def cannot_be_told(gains: np.ndarray, ratio: float, _within: float) -> np.ndarray:
    """What cannot be told from the best, by variances without a trend and Bonferroni's value."""
    best, k = int(np.argmax(gains.mean(axis=1))), gains.shape[1]
    others = np.arange(len(gains)) != best
    differences = (gains[best] - gains)[others]
    variances, df = moderated(differences.var(axis=1, ddof=1), k - 1)
    errors = np.sqrt(variances * (1 / k + ratio))
    critical = stats.t.isf(ALPHA / len(differences), df)
    among = np.ones(len(gains), dtype=bool)
    among[others] = differences.mean(axis=1) <= critical * errors
    return among


def mean_within(gains: np.ndarray, _ratio: float, within: float) -> np.ndarray:
    """What has a mean within the margin."""
    means = gains.mean(axis=1)
    return np.asarray(means >= means.max() - within)


def shown(gains: np.ndarray, ratio: float, within: float) -> np.ndarray:
    """What `selection: simplest` takes."""
    found = near_best(gains, ratio, within)
    assert found is not None
    return found


RULES = {
    "cannot be told (before)": cannot_be_told,
    "mean within the margin": mean_within,
    "one standard error": lambda gains, _ratio, _within: within_one_se(gains),
    "shown to be near (now)": shown,
}


def print_selection(n_repeats: int) -> None:
    """How often the simplest trial is worse than the margin, and how often one is taken."""
    print("\nThe simplest of 60 trials, by four rules; the margin is a tenth of the gain over the")
    print(
        "median trial. Share of studies whose choice is truly worse than the margin / whose choice"
    )
    print("is simpler than the best. Noise of trials that are alike is alike.\n")
    print(f"| folds | noise | {' | '.join(RULES)} |")
    print(f"|---:|---:|{'---:|' * len(RULES)}")
    for k in (3, 5, 10):
        for noise in (0.02, 0.005):
            found: dict[str, list[tuple[bool, bool]]] = {name: [] for name in RULES}
            for seed in range(n_repeats):
                rng = np.random.default_rng(seed)
                sizes, peak = rng.random(60), rng.random()
                truth = -0.2 * np.abs(sizes - peak)
                gains = simulate_smooth(truth, sizes, k, rng, noise=noise, shared=1 / k)
                means = gains.mean(axis=1)
                best = int(np.argmax(means))
                within = 0.1 * float(means[best] - np.median(means))
                for name, rule in RULES.items():
                    row = pick(rule(gains, 1 / (k - 1), within), sizes, -means)
                    found[name].append(
                        (bool(truth[best] - truth[row] > within), bool(sizes[row] < sizes[best]))
                    )
            cells = [" / ".join(f"{x:.0%}" for x in np.mean(v, axis=0)) for v in found.values()]
            print(f"| {k} | {noise} | {' | '.join(cells)} |", flush=True)


# -- optimism ------------------------------------------------------------------------------------


def print_optimism(n_repeats: int) -> None:
    """What is left of the bias of the best score."""
    print("\nThe best score minus what the chosen trial is truly worth, in units of the residual's")
    print(
        "standard deviation: mean (root of the mean square). Interval: share that holds the truth."
    )
    print("\n| scene | trials | as it is | Tibshirani & Tibshirani | Tunesmith | interval |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, scene in SCENES.items():
        for n, spread in ((20, 0.02), (50, 0.0), (200, 0.05)):
            errors: list[list[float]] = []
            inside = []
            for truth, gains in draws(n_repeats, n, spread, **scene):
                best = int(np.argmax(gains.mean(axis=1)))
                found = corrected(gains, 1 / (FOLDS - 1))
                assert found is not None
                errors.append([(score - truth[best]) / 0.02 for score in claims(gains)])
                inside.append(found.low <= truth[best] <= found.high)
            cells = [
                f"{np.mean(column):+.2f} ({np.sqrt(np.mean(np.square(column))):.2f})"
                for column in zip(*errors, strict=True)
            ]
            print(f"| {name} | {n} | {' | '.join(cells)} | {np.mean(inside):.0%} |", flush=True)


# -- the gate ------------------------------------------------------------------------------------


def verdicts(gains: np.ndarray, incumbent: int) -> tuple[bool, bool, bool]:
    """Whether the best replaces the current parameters: if it is better, by a plain test, by
    the gate.
    """
    ratio, best = 1 / (FOLDS - 1), int(np.argmax(gains.mean(axis=1)))
    if best == incumbent:
        return False, False, False
    pair = gains[[incumbent, best]]
    by_test = bool(p_values(pair, ratio)[0] < ALPHA) and pair[1].mean() > pair[0].mean()
    return True, by_test, weigh(gains, best, incumbent, ratio).verdict == "adopt"


def rates(found: list[tuple[bool, bool, bool]]) -> str:
    """Three cells."""
    return " | ".join(f"{share:.0%}" for share in np.mean(found, axis=0))


def print_gate(n_repeats: int) -> None:
    """False and true improvements, simulated."""
    print("\nThe best of 50 trials against trial 0, where half of the trials gain so many residual")
    print("standard deviations: share adopted. Without a gain, every adoption is a false one.\n")
    print("| scene | gain | the best is better | corrected paired t-test | gate |")
    print("|---|---:|---:|---:|---:|")
    for name, scene in SCENES.items():
        for gain in (0, 1, 2, 4):
            found = []
            for _, gains in draws(n_repeats, 50, 0.0, **scene):
                gains[25:] += 0.02 * gain
                found.append(verdicts(gains, 0))
            print(f"| {name} | {gain} | {rates(found)} |", flush=True)


def print_nulls(n_repeats: int) -> None:
    """False improvements of real estimators, and what their best scores pretend."""
    print(
        f"\nReal estimators on {ROWS} rows whose target was shuffled: share of {n_repeats} studies"
    )
    print(
        "in which the best replaces the current ones (a random candidate), all of them falsely, and"
    )
    print("the mean of the best ROC AUC as it is and corrected, where 0.5 is the truth.\n")
    print("| estimator | candidates | the best is better | corrected paired t-test | gate", end="")
    print(" | as it is | Tibshirani & Tibshirani | Tunesmith |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name in CANDIDATES:
        found, scores, n = [], [], 0
        for seed in range(n_repeats):
            gains = null_scores(name, seed)
            n = len(gains)
            found.append(verdicts(gains, int(np.random.default_rng(seed).integers(n))))
            scores.append(claims(gains))
        worth = " | ".join(f"{score:.3f}" for score in np.mean(scores, axis=0))
        print(f"| {name} | {n} | {rates(found)} | {worth} |", flush=True)


def null_scores(name: str, seed: int) -> np.ndarray:
    """``(n_candidates, FOLDS)`` of an estimator that has nothing to learn."""
    estimator, grid = CANDIDATES[name]
    X, y = make_classification(ROWS, 10, random_state=seed)
    search = GridSearchCV(estimator, grid, cv=FOLDS, scoring="roc_auc", refit=False, n_jobs=1)
    results = search.fit(X, np.random.default_rng(seed).permutation(y)).cv_results_
    return np.array([results[f"split{fold}_test_score"] for fold in range(FOLDS)]).T


def claims(gains: np.ndarray) -> list[float]:
    """The best score as it is, and corrected in two ways."""
    found = corrected(gains, 1 / (FOLDS - 1))
    assert found is not None
    return [float(gains.mean(axis=1).max()), shrunk_by_minima(gains), found.score]


if __name__ == "__main__":
    main()
