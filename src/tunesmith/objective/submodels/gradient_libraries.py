"""XGBoost and LightGBM: both can predict with the first rounds alone.

Neither is imported before there is an estimator of theirs, told by its class's name and place.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tunesmith.objective.submodels.family import Counted, are_counts, resized


class XGBoost(Counted):
    """``XGBClassifier`` and ``XGBRegressor`` along ``n_estimators``."""

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """Trees only; not with dropout, which changes earlier trees, nor with early stopping."""
        if not _is(estimator, "xgboost.sklearn", ("XGBClassifier", "XGBRegressor")):
            return False
        given = estimator.get_params()
        is_plain = given.get("booster") in (None, "gbtree") and not given.get("callbacks")
        is_whole = given.get("early_stopping_rounds") is None and are_counts(values)
        return is_plain and is_whole and _is_seeded(given.get("random_state"))

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """The first rounds of the booster; each round predicts once, where that is exact."""
        booster = fitted.get_booster()
        margins = _Margins(fitted, X) if _adds_up(fitted, X) else None
        for n in values:
            rounds = FirstRounds(booster, n, margins) if margins else booster[:n]
            yield resized(fitted, n_estimators=n, _Booster=rounds)


class FirstRounds:
    """The first rounds of a booster, with the predictions of some rows at hand."""

    def __init__(self, whole: Any, n: int, margins: "_Margins") -> None:
        self._whole, self._n, self._margins = whole, n, margins

    @cached_property
    def _cut(self) -> Any:
        return self._whole[: self._n]

    def inplace_predict(self, data: Any, **options: Any) -> Any:
        """As ``Booster`` does it."""
        is_whole = options.get("iteration_range", (0, 0)) == (0, 0)
        if data is self._margins.X and is_whole and options.get("base_margin") is None:
            return self._margins.at(self._n, options.get("predict_type", "value"))
        return self._cut.inplace_predict(data, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        # No early stopping here: there is none in either, and cutting takes a millisecond.
        return getattr(self._whole if name == "best_iteration" else self._cut, name)


class _Margins:
    """Predictions after a rising number of rounds, each added to those before, in single precision.

    XGBoost starts from given margins and adds one tree after the other to them: so it does not
    matter for the bits where it paused.
    """

    def __init__(self, fitted: Any, X: Any) -> None:
        self.X, self._fitted = X, fitted
        self._begin = self._end = 0
        self._found: dict[str, Any] = {}

    @cached_property
    def _rows(self) -> Any:
        from xgboost import DMatrix

        return DMatrix(self.X, missing=self._fitted.missing, nthread=self._fitted.n_jobs)

    def at(self, n: int, kind: str) -> Any:
        """A copy of what ``n`` rounds predict; ``n`` may not fall."""
        if n > self._end:
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


def _adds_up(fitted: Any, X: Any) -> bool:
    given = fitted.get_params()
    is_plain = not callable(given.get("objective")) and given.get("device") in (None, "cpu")
    has_single_leaves = given.get("multi_strategy") in (None, "one_output_per_tree")
    return is_plain and has_single_leaves and given.get("feature_types") is None and _is_numeric(X)


def _is_numeric(X: Any) -> bool:
    kinds = getattr(X, "dtypes", None)
    if kinds is None:
        return isinstance(X, np.ndarray) and X.dtype.kind in "biuf"
    return all(isinstance(kind, np.dtype) and kind.kind in "biuf" for kind in kinds)


class LightGBM(Counted):
    """``LGBMClassifier`` and ``LGBMRegressor`` along ``n_estimators``."""

    def can_share(self, estimator: Any, values: Sequence[Any]) -> bool:
        """Not with dropout, which changes earlier trees."""
        if not _is(estimator, "lightgbm.sklearn", ("LGBMClassifier", "LGBMRegressor")):
            return False
        given = estimator.get_params()
        other_names = ("boosting", "num_iterations", "early_stopping_round", "seed")
        if given.get("boosting_type") == "dart" or any(name in given for name in other_names):
            return False
        return are_counts(values) and _is_seeded(given.get("random_state"))

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:  # noqa: ARG002
        """The same booster, set to predict with its first rounds; predictions are not shared."""
        booster = fitted.booster_
        for n in values:
            # Every method asks up to here unless told otherwise.
            booster.best_iteration = n
            yield resized(fitted, _other_params={**fitted._other_params}).set_params(n_estimators=n)


def _is(estimator: Any, module: str, names: tuple[str, ...]) -> bool:
    cls = type(estimator)
    return cls.__module__ == module and cls.__name__ in names


def _is_seeded(random_state: Any) -> bool:
    # Without a seed both use their own fixed one.
    return random_state is None or isinstance(random_state, int)
