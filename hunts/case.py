"""A case: a program made of parts that can be left out one by one, as the shrinking does.

Everything is text, so that what is run and what is printed cannot differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from typing import Any

HEADS = {
    "np.": "import numpy as np",
    "pd.": "import pandas as pd",
    "sparse.": "from scipy import sparse",
    "stats.": "from scipy import stats",
    "lgb.": "import lightgbm as lgb",
    "xgb.": "import xgboost as xgb",
    "cb.": "import catboost as cb",
    "own.": "from hunts import own",
}
"""What stands in a program -> the import that it needs."""
PLACES = {
    "compose": ("ColumnTransformer", "TransformedTargetRegressor", "make_column_transformer"),
    "calibration": ("CalibratedClassifierCV",),
    "decomposition": ("PCA", "TruncatedSVD"),
    "discriminant_analysis": ("LinearDiscriminantAnalysis",),
    "dummy": ("DummyClassifier", "DummyRegressor"),
    "ensemble": (
        *("RandomForestClassifier", "RandomForestRegressor"),
        *("ExtraTreesClassifier", "ExtraTreesRegressor"),
        *("BaggingClassifier", "BaggingRegressor"),
        *("GradientBoostingClassifier", "GradientBoostingRegressor"),
        *("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"),
        *("AdaBoostClassifier", "AdaBoostRegressor"),
        *("VotingClassifier", "VotingRegressor", "StackingClassifier", "StackingRegressor"),
    ),
    "feature_selection": (
        *("SelectKBest", "SelectPercentile", "SelectFromModel", "VarianceThreshold"),
        *("f_classif", "f_regression", "chi2", "mutual_info_classif", "r_regression"),
    ),
    "impute": ("SimpleImputer", "KNNImputer"),
    "linear_model": (
        *("LogisticRegression", "LinearRegression", "Ridge", "RidgeClassifier", "Lasso"),
        *("ElasticNet", "SGDClassifier"),
    ),
    "metrics": ("make_scorer", "fbeta_score", "mean_pinball_loss", "recall_score"),
    "model_selection": (
        *("KFold", "StratifiedKFold", "GroupKFold", "ShuffleSplit", "RepeatedKFold"),
        *("TimeSeriesSplit", "PredefinedSplit", "LeaveOneGroupOut", "StratifiedShuffleSplit"),
        *("FixedThresholdClassifier",),
    ),
    "multiclass": ("OneVsRestClassifier",),
    "multioutput": ("MultiOutputRegressor",),
    "naive_bayes": ("GaussianNB",),
    "neighbors": ("KNeighborsClassifier", "KNeighborsRegressor"),
    "pipeline": ("Pipeline", "make_pipeline", "FeatureUnion"),
    "preprocessing": (
        *("StandardScaler", "MinMaxScaler", "PolynomialFeatures", "QuantileTransformer"),
        *("KBinsDiscretizer", "OneHotEncoder", "OrdinalEncoder", "FunctionTransformer"),
    ),
    "svm": ("SVC", "SVR"),
    "tree": (
        *("DecisionTreeClassifier", "DecisionTreeRegressor"),
        *("ExtraTreeClassifier", "ExtraTreeRegressor"),
    ),
}
"""Module of scikit-learn -> names that programs use."""
MODULE_OF = {name: module for module, names in PLACES.items() for name in names}


@dataclass(frozen=True)
class Call:
    """A call in a program, such as that of an estimator's class."""

    name: str
    args: tuple["Expression", ...] = ()
    options: Mapping[str, "Expression"] = field(default_factory=dict)

    def __str__(self) -> str:
        given = [*map(str, self.args), *(_option(*option) for option in self.options.items())]
        return f"{self.name}({', '.join(given)})"

    def smaller(self) -> Iterator["Call"]:
        """The same with one argument less, here or in a call within."""
        for name, value in self.options.items():
            others = {other: v for other, v in self.options.items() if other != name}
            yield replace(self, options=others)
            if isinstance(value, Call):
                for less in value.smaller():
                    yield replace(self, options={**self.options, name: less})
        for place, value in enumerate(self.args):
            before, after = self.args[:place], self.args[place + 1 :]
            if len(self.args) > 1:
                yield replace(self, args=(*before, *after))
            if isinstance(value, Call):
                for less in value.smaller():
                    yield replace(self, args=(*before, less, *after))


Expression = str | Call


def _option(name: str, value: Expression) -> str:
    """An option as it is written; LightGBM's ``lambda`` is a word of Python's."""
    return f"**{{{name!r}: {value}}}" if iskeyword(name) else f"{name}={value}"


@dataclass(frozen=True)
class Case:
    """A search, its data, and how it is called."""

    family: str
    """By which cases are counted."""
    data: tuple[str, ...]
    """Statements that make ``X`` and ``y``, and ``w`` and ``g`` where these are used."""
    estimator: Call
    grid: tuple[Mapping[str, tuple[str, ...]], ...]
    """Name -> values, as text; a union of such boxes."""
    search: str = "GridSearchCV"
    options: Mapping[str, str] = field(default_factory=dict)
    """Of the search."""
    fit: Mapping[str, str] = field(default_factory=dict)
    """Arguments of ``fit``."""

    def __str__(self) -> str:
        """The program, which compares the scores and prints them."""
        body = f"{self.setup}\n{self.call('search')}"
        lines = [
            *heads(body),
            "from sklearn import model_selection as theirs",
            "from tunesmith import sklearn as ours",
            "",
            "for search in theirs, ours:",
            *(f"    {line}" for line in self.setup.splitlines()),
            f"    found = {self.call('search')}",
            "    print({k: v.tolist() for k, v in found.cv_results_.items() if 'split' in k})",
        ]
        return "\n".join(lines)

    @property
    def setup(self) -> str:
        """The data's statements."""
        return "\n".join(self.data)

    def call(self, place: str) -> str:
        """The search, fitted, as an expression."""
        boxes = [
            "{" + ", ".join(f"{name!r}: {values(listed)}" for name, listed in box.items()) + "}"
            for box in self.grid
        ]
        grid = boxes[0] if len(boxes) == 1 else f"[{', '.join(boxes)}]"
        options = [f"{name}={value}" for name, value in self.options.items()]
        fit = "".join(f", {name}={value}" for name, value in self.fit.items())
        given = ", ".join([str(self.estimator), grid, *options])
        return f"{place}.{self.search}({given}).fit(X, y{fit})"

    @property
    def n_candidates(self) -> int:
        """Points of the grid."""
        total = 0
        for box in self.grid:
            n = 1
            for listed in box.values():
                n *= len(listed)
            total += n
        return total


def values(listed: tuple[str, ...]) -> str:
    """A list of values; a single distribution as it is."""
    if len(listed) == 1 and listed[0].startswith("stats."):
        return listed[0]
    return f"[{', '.join(listed)}]"


def heads(text: str) -> list[str]:
    """The imports that a program needs."""
    found = [line for mark, line in HEADS.items() if mark in text]
    words = set("".join(c if c.isalnum() or c in "_." else " " for c in text).split())
    by_module: dict[str, list[str]] = {}
    for name in sorted(words & MODULE_OF.keys()):
        by_module.setdefault(MODULE_OF[name], []).append(name)
    found += [f"from sklearn.{m} import {', '.join(names)}" for m, names in by_module.items()]
    return found


def namespace() -> dict[str, Any]:
    """All that programs use, imported."""
    made: dict[str, Any] = {}
    lines = [*HEADS.values()]
    lines += [f"from sklearn.{m} import {', '.join(names)}" for m, names in PLACES.items()]
    exec("\n".join(lines), made)  # noqa: S102 - the programs are ours
    return made
