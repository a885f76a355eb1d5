"""Points that a study may begin with: defaults, and the portfolio of a well-known estimator.

The surrogates of YAHPO Gym speak the names of R's packages. Those of XGBoost are translated, so
that the portfolio which Tunesmith ships can be tried on them; R's own defaults are taken for
``rpart``. Neural networks (``lcbench``) and ``rbv2_super`` have neither.
"""

from collections.abc import Mapping

from benchmarks.search.trace import Problem
from tunesmith.runs.experience.mapping import mapped
from tunesmith.runs.experience.portfolio import portfolio
from tunesmith.types import Params

XGBOOST = {
    "n_estimators": "nrounds",
    "learning_rate": "eta",
    "reg_alpha": "alpha",
    "reg_lambda": "lambda",
}
"""Names of ``XGBClassifier`` and of the surrogate, where they differ."""
DEFAULTS: Mapping[str, Params] = {
    "rbv2_xgboost": {
        "alpha": 0.0,
        "booster": "gbtree",
        "colsample_bylevel": 1.0,
        "colsample_bytree": 1.0,
        "eta": 0.3,
        "gamma": 0.0,
        "lambda": 1.0,
        "max_depth": 6,
        "min_child_weight": 1.0,
        "nrounds": 100,
        "subsample": 1.0,
    },
    "rbv2_rpart": {"cp": 0.01, "maxdepth": 30, "minbucket": 7, "minsplit": 20},
}
"""Defaults of XGBoost's class for scikit-learn and of R's ``rpart``, by scenario."""


def experience(problem: Problem, kind: str) -> list[Params]:
    """List the points to begin with; none if nothing is known about the problem's learner.

    Args:
        problem: whose name begins with its scenario.
        kind: ``defaults``, or ``portfolio`` for the defaults and the portfolio.
    """
    scenario = problem.name.split()[0]
    defaults = DEFAULTS.get(scenario)
    if defaults is None:
        return []
    wanted = [defaults]
    if kind == "portfolio" and scenario == "rbv2_xgboost":
        wanted += [translated(point) for point in portfolio()["XGBClassifier"]]
    found = (mapped(problem.space, point, defaults) for point in wanted)
    return [point for point in found if point is not None]


def translated(point: Params) -> Params:
    """Return a configuration of ``XGBClassifier`` in the names of the surrogate."""
    return {XGBOOST.get(name, name): value for name, value in point.items()}
