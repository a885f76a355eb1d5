"""XGBoost and LightGBM: both can predict with the first rounds alone.

Neither is imported before there is an estimator of theirs, told by its class's name and place.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith.objective.submodels.family import CannotShareError, Counted, are_counts, resized
from tunesmith.objective.submodels.rounds import LightGBMRounds, Margins, RawScores, XGBoostRounds


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
        margins = Margins.of(fitted, X, values[0], values[-1])
        for n in values:
            rounds = XGBoostRounds(booster, n, margins) if margins else booster[:n]
            yield resized(fitted, n_estimators=n, _Booster=rounds)


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

    def submodels(self, fitted: Any, values: Sequence[Any], X: Any) -> Iterator[Any]:
        """The same booster, set to predict with its first rounds; each predicts once if exact.

        Raises:
            CannotShareError: rounds that found no split were left out: trees tell no rounds.
        """
        booster = fitted.booster_
        if booster.current_iteration() < fitted.n_estimators:
            raise CannotShareError("rounds without a split were left out")
        scores = RawScores.of(fitted, X, values[0])
        for n in values:
            # Every method asks up to here unless told otherwise.
            booster.best_iteration = n
            rounds = LightGBMRounds(booster, n, scores) if scores else booster
            smaller = resized(fitted, _Booster=rounds, _other_params={**fitted._other_params})
            yield smaller.set_params(n_estimators=n)


def _is(estimator: Any, module: str, names: tuple[str, ...]) -> bool:
    cls = type(estimator)
    return cls.__module__ == module and cls.__name__ in names


def _is_seeded(random_state: Any) -> bool:
    # Without a seed both use their own fixed one.
    return random_state is None or isinstance(random_state, int)
