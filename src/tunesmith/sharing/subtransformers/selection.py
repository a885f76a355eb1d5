"""Selection of features: their scores are computed once for every number of kept features."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from tunesmith.sharing.proved import SCIKIT_LEARN, Proved, Values, is_number, whole
from tunesmith.sharing.submodels.family import resized
from tunesmith.sharing.submodels.forest import MEMBER
from tunesmith.sharing.subtransformers.family import Deciding, is_count


def is_repeatable_score(score: Any) -> bool:
    """True for a score of scikit-learn's that draws no random numbers, or always the same."""
    from sklearn import feature_selection as known

    if isinstance(score, partial):
        is_drawn = score.func in (known.mutual_info_classif, known.mutual_info_regression)
        return is_drawn and not score.args and isinstance(score.keywords.get("random_state"), int)
    if not callable(score):
        return False
    return score in (known.f_classif, known.f_regression, known.chi2, known.r_regression)


SCORE = Values(
    "`f_classif`, `f_regression`, `chi2`, `r_regression`; `mutual_info_…` with a seed",
    is_repeatable_score,
    (),
)


class Best(Deciding):
    """``SelectKBest`` along ``k``."""

    parameters: tuple[str, ...] = ("k",)
    another: Mapping[str, Any] = MappingProxyType({"k": 1})
    proved = Proved(("sklearn.feature_selection.SelectKBest",), SCIKIT_LEARN, {"score_func": SCORE})

    def can_share(self, step: Any, X: Any) -> bool:
        """True with a score of scikit-learn's; more features than there are draw a warning."""
        return step.k == "all" or (is_count(step.k) and step.k <= n_columns_of(X))


class Percentile(Deciding):
    """``SelectPercentile`` along ``percentile``."""

    parameters: tuple[str, ...] = ("percentile",)
    another: Mapping[str, Any] = MappingProxyType({"percentile": 50})
    proved = Proved(
        ("sklearn.feature_selection.SelectPercentile",), SCIKIT_LEARN, {"score_func": SCORE}
    )

    def can_share(self, step: Any, X: Any) -> bool:  # noqa: ARG002
        """True with a score of scikit-learn's."""
        return is_number(step.percentile)


class FromModel(Deciding):
    """``SelectFromModel`` along ``threshold`` and ``max_features``."""

    parameters: tuple[str, ...] = ("threshold", "max_features")
    another: Mapping[str, Any] = MappingProxyType({"threshold": "median", "max_features": None})
    proved = Proved(
        ("sklearn.feature_selection.SelectFromModel",),
        SCIKIT_LEARN,
        {"estimator": MEMBER, "norm_order": whole(1, 2)},
    )

    def can_share(self, step: Any, X: Any) -> bool:  # noqa: ARG002
        """True with a model that is fitted here, once."""
        return step.max_features is None or is_count(step.max_features)

    def common(self, step: Any, X: Any, y: Any) -> Any:
        """Fit the model."""
        # Without `max_features`, which `fit` would check against the number of columns.
        return resized(step, max_features=None).fit(X, y)

    def finished(self, common: Any, step: Any, X: Any) -> tuple[Any, Any]:
        """Select features with the fitted model."""
        # The attribute that `fit` sets from the parameter; `transform` looks at it first.
        number = {} if step.max_features is None else {"max_features_": step.max_features}
        return super().finished(resized(common, **number), step, X)


def n_columns_of(X: Any) -> int:
    """Count the columns of rows; 0 if they have no plain shape."""
    shape: Any = getattr(X, "shape", ())
    return int(shape[1]) if len(shape) == 2 else 0
