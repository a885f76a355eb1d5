"""Predictions of XGBoost and LightGBM for rising numbers of rounds; each tree is used once.

A family replaces the estimator's booster with a stand-in, which has the predictions for one set of
rows ready and passes every other question to the booster. Both libraries add one tree after the
other to a row's score, so a pause between two trees does not change the bits.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from math import exp
from typing import Any

import numpy as np

from tunesmith.sharing.submodels.family import Staged

BLOCK = 8 * 1024**2
"""Number of leaves of rows that are looked up at once: 64 MiB."""


# -- XGBoost -------------------------------------------------------------------------------------


class XGBoostRounds:
    """The first rounds of a booster, in place of ``XGBModel._Booster``."""

    def __init__(self, whole: Any, n: int, margins: "Margins") -> None:
        self._whole, self._n, self._margins = whole, n, margins

    @cached_property
    def _cut(self) -> Any:
        return self._whole[: self._n]

    def cut(self) -> Any:
        """Return a booster that has these rounds only."""
        return self._cut

    def inplace_predict(self, data: Any, **options: Any) -> Any:
        """Predict as ``Booster`` does, from prepared margins if they fit the question."""
        is_whole = options.get("iteration_range", (0, 0)) == (0, 0)
        if data is self._margins.X and is_whole and options.get("base_margin") is None:
            return self._margins.at(self._n, options.get("predict_type", "value"))
        return self._cut.inplace_predict(data, **options)

    def __getattr__(self, name: str) -> Any:
        # Python and `copy` look for special methods; answering from the booster would loop or
        # mislead.
        if name.startswith("__"):
            raise AttributeError(name)
        # No early stopping is involved, so the whole booster can answer; cutting takes a
        # millisecond.
        return getattr(self._whole if name == "best_iteration" else self._cut, name)


class Margins:
    """Predictions after a rising number of rounds, from the margins of the rounds before."""

    def __init__(self, fitted: Any, X: Any) -> None:
        self.X, self._fitted = X, fitted
        self._begin = self._end = 0
        self._found: dict[str, Any] = {}

    @classmethod
    def of(cls, fitted: Any, X: Any, first: int, last: int) -> "Margins | None":
        """Prepare margins; ``None`` if adding up is not exact, which two numbers of rounds show."""
        given = fitted.get_params()
        is_plain = not callable(given.get("objective")) and given.get("device") in (None, "cpu")
        # Not tried for trees with several values in a leaf.
        has_single_leaves = given.get("multi_strategy") in (None, "one_output_per_tree")
        is_numeric = given.get("feature_types") is None and _is_numeric(X)
        if not is_plain or not has_single_leaves or not is_numeric:
            return None
        trial = cls(fitted, X)
        trial.at(first, "value")
        expected = fitted.get_booster().inplace_predict(
            X, iteration_range=(0, last), missing=fitted.missing
        )
        # A new object: the trial has gone beyond the first number, and ``at`` may not fall.
        return cls(fitted, X) if np.array_equal(trial.at(last, "value"), expected) else None

    @cached_property
    def _rows(self) -> Any:
        from xgboost import DMatrix

        return DMatrix(self.X, missing=self._fitted.missing, nthread=self._fitted.n_jobs)

    def at(self, n: int, kind: str) -> Any:
        """Copy the prediction of ``n`` rounds; ``n`` may not fall.

        Args:
            n: number of rounds.
            kind: ``value`` or ``margin``.
        """
        if n > self._end:
            # The margins of the rounds so far are where the next trees continue.
            if self._end:
                self._rows.set_base_margin(self.at(self._end, "margin"))
            self._begin, self._end, self._found = self._end, n, {}
        if kind not in self._found:
            self._found[kind] = self._fitted.get_booster().predict(
                self._rows,
                iteration_range=(self._begin, self._end),
                output_margin=kind == "margin",
            )
        return self._found[kind].copy()


def _is_numeric(X: Any) -> bool:
    kinds = getattr(X, "dtypes", None)
    if kinds is None:
        return isinstance(X, np.ndarray) and X.dtype.kind in "biuf"
    return all(isinstance(kind, np.dtype) and kind.kind in "biuf" for kind in kinds)


# -- LightGBM ------------------------------------------------------------------------------------


class LightGBMRounds:
    """The first rounds of a booster, in place of ``LGBMModel._Booster``.

    Args:
        whole: the booster; its ``best_iteration`` is ``n`` while this stand-in is in use.
        n: number of rounds.
        scores: their raw scores; ``None`` if the booster must predict itself.
    """

    def __init__(self, whole: Any, n: int, scores: "RawScores | None") -> None:
        self._whole, self._n, self._scores = whole, n, scores

    def cut(self) -> Any:
        """Return a booster that has these rounds only, as pickle would make it."""
        from lightgbm import Booster

        return Booster(model_str=self._whole.model_to_string(num_iteration=self._n))

    def predict(self, data: Any, **options: Any) -> Any:
        """Predict as ``Booster`` does, from prepared scores if they fit the question."""
        other = ("start_iteration", "num_iteration", "pred_leaf", "pred_contrib")
        is_ready = self._scores is not None and data is self._scores.X
        if self._scores is not None and is_ready and not any(map(options.get, other)):
            prediction = self._scores.at(self._n, is_raw=bool(options.get("raw_score")))
            if prediction is not None:
                return prediction
        return self._whole.predict(data, **options)

    def current_iteration(self) -> int:
        """Number of rounds."""
        return self._n

    def num_trees(self) -> int:
        """Number of trees, one per round and class."""
        return self._n * int(self._whole.num_model_per_iteration())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._whole, name)


class RawScores:
    """Predictions after a rising number of rounds, from the leaves that rows fall into."""

    def __init__(self, fitted: Any, X: Any) -> None:
        self.X, self._convert = X, CONVERSIONS[fitted.objective_]
        self._stages = Staged(_raw_scores(fitted, X))
        self._found: dict[tuple[int, bool], Any] = {}

    @classmethod
    def of(cls, fitted: Any, X: Any, n: int) -> "RawScores | None":
        """Prepare scores; ``None`` if adding up is not exact, which is tried with ``n`` rounds."""
        is_known = isinstance(fitted.objective_, str) and fitted.objective_ in CONVERSIONS
        is_added = fitted.get_params()["boosting_type"] in ("gbdt", "goss")
        if not is_known or not is_added or not fitted._other_params.keys() <= HARMLESS:
            return None
        scores = cls(fitted, X)
        prediction, expected = scores.at(n), fitted.booster_.predict(X, num_iteration=n)
        return scores if np.array_equal(prediction, expected) else None

    def at(self, n: int, *, is_raw: bool = False) -> Any:
        """Copy the prediction of ``n`` rounds; ``None`` if the booster must predict itself."""
        if (n, is_raw) not in self._found:
            raw = self._stages.at(n)
            try:
                prediction = raw if is_raw else self._convert(raw)
            except OverflowError:  # what is infinite in C
                return None
            self._found = {
                (n, is_raw): prediction.ravel() if prediction.shape[1] == 1 else prediction
            }
        return self._found[n, is_raw].copy()


def _raw_scores(fitted: Any, X: Any) -> Iterator[np.ndarray]:
    """Yield the sums of the leaves' outputs after each round, ``(n, n_scores)``."""
    booster = fitted.booster_
    n_scores, n_rows = booster.num_model_per_iteration(), X.shape[0]
    n_rounds = booster.num_trees() // n_scores
    # In blocks of rounds: the leaves of all rounds at once could take gigabytes.
    step = max(1, BLOCK // (n_rows * n_scores))
    total = np.zeros((n_rows, n_scores))
    for begin in range(0, n_rounds, step):
        leaves = fitted.predict(X, pred_leaf=True, start_iteration=begin, num_iteration=step)
        for place, column in enumerate(leaves.reshape(n_rows, -1).T):
            total[:, place % n_scores] += _outputs(booster, begin * n_scores + place, column)
            if place % n_scores == n_scores - 1:
                yield total


def _outputs(booster: Any, tree: int, leaves: np.ndarray) -> np.ndarray:
    # The library tells single outputs only, so it is asked per leaf and not per row.
    known = [booster.get_leaf_output(tree, leaf) for leaf in range(int(leaves.max()) + 1)]
    return np.array(known)[leaves]


def _as_they_are(raw: np.ndarray) -> np.ndarray:
    return raw


def _sigmoid(raw: np.ndarray) -> np.ndarray:
    # NumPy's exponential differs from the C library's in the last bit.
    return np.array([1.0 / (1.0 + exp(-score)) for score in raw.ravel().tolist()])[:, None]


def _softmax(raw: np.ndarray) -> np.ndarray:
    # The library subtracts the highest score first, and adds up one class after the other.
    highest = raw.max(axis=1, keepdims=True)
    shifted = (raw - highest).ravel().tolist()
    powers = np.array([exp(score) for score in shifted]).reshape(raw.shape)
    total: Any = 0.0
    for column in powers.T:
        total = total + column
    return powers / total[:, None]


CONVERSIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "binary": _sigmoid,
    "multiclass": _softmax,
    **dict.fromkeys(("regression", "regression_l1", "l1", "l2", "huber", "quantile"), _as_they_are),
}
"""Objective -> function from raw scores to predictions."""
HARMLESS = {
    *("verbose", "verbosity", "extra_trees", "max_bin", "path_smooth", "deterministic"),
    *("force_col_wise", "force_row_wise", "min_data_in_bin", "alpha"),
}
"""Further parameters that do not change how leaves are added up."""
