"""The configuration as typed, frozen sections: one class a section of ``tuning.yaml``.

The classes hold what is true of one value alone. Rules between sections live in ``rules``, the
search space in ``space``, reading and error positions in ``load``. Shorthands (``metric: recall``,
``cv: 5``) are turned into the full form as they enter, so that readers meet one form only.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from tunesmith.space import SearchSpace
from tunesmith.types import Direction

SLUG = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
IMPORT_PATH = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*([.:][A-Za-z_]\w*)$"
UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Section(BaseModel):
    """Base of all sections: frozen, no unknown keys, no silent conversions."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


def seconds(value: Any) -> Any:
    """Read ``30m``, ``1h30m``, ``90`` as seconds; anything else is left for pydantic to refuse.

    >>> seconds("1h30m")
    5400.0
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return value
    text = value.replace(" ", "")
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhd])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"`{value}` is no duration: write 90, 90s, 30m, 1h30m or 2d")
    return sum(float(number) * UNITS_S[unit] for number, unit in parts)


def listed(value: Any) -> Any:
    """A single item stands for a list of one."""
    if value is None:
        return value
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def named(value: Any) -> Any:
    """``recall`` stands for ``{name: recall}``, and a single metric for a list of one."""
    if value is None:
        return value
    return tuple({"name": item} if isinstance(item, str) else item for item in listed(value))


def folded(value: Any) -> Any:
    """``5`` stands for ``{folds: 5}``."""
    return {"folds": value} if isinstance(value, int) and not isinstance(value, bool) else value


def located(value: Any) -> Any:
    """A path alone stands for ``{path: ...}``."""
    return {"path": value} if isinstance(value, str | list) else value


Duration = Annotated[
    float,
    BeforeValidator(seconds, json_schema_input_type=float | str),
    Field(gt=0, allow_inf_nan=False),
]
Names = Annotated[tuple[str, ...], BeforeValidator(listed, json_schema_input_type=str | list[str])]
ImportPath = Annotated[str, Field(pattern=IMPORT_PATH)]


class Holdout(Section):
    """Rows that the search never sees."""

    fraction: float = Field(gt=0, lt=1)
    """Share of the rows (or of the groups, where ``groups`` is given)."""
    stratify: bool = False
    """Keep the class shares."""
    seed: int = 0
    """Which rows are taken."""


class Data(Section):
    """Where the table is and what its columns mean."""

    path: Names
    """CSV, Parquet or Feather file, or several with the same columns (rows are appended)."""
    target: str
    """Column to predict."""
    features: Names | None = None
    """Columns to learn from; by default all others."""
    drop: Names = ()
    """Columns to ignore."""
    groups: str | None = None
    """Column whose equal values must stay in one fold; not a feature."""
    weights: str | None = None
    """Column of sample weights, passed to ``fit``; not a feature."""
    categorical: Names = ()
    """Columns that are categories although they look like numbers."""
    rows: str | None = None
    """Keep only the rows for which this condition holds, e.g. ``age >= 18 and country == 'NZ'``."""
    separator: str = ","
    """Column separator of CSV files."""
    holdout: Holdout | None = None
    """Split off rows that the search never sees; the winner is scored on them once."""


class Step(Section):
    """One step of a pipeline."""

    name: str | None = None
    """Step name, as in scikit-learn's ``Pipeline``; by default the class name in lower case."""
    estimator: ImportPath
    """Import path of a transformer or, for the last step, an estimator."""
    params: dict[str, JsonValue] = {}
    """Fixed parameters."""


class Choice(Section):
    """One of several estimators that the parameter ``estimator`` chooses among."""

    estimator: ImportPath
    """Import path."""
    params: dict[str, JsonValue] = {}
    """Fixed parameters."""


class MetricSpec(Section):
    """A metric by name or import path."""

    name: str
    """A scikit-learn scorer name, ``fit_time``, or a name of your own together with ``scorer``."""
    direction: Direction | None = None
    """Needed for your own metrics; scikit-learn's scorers are always maximized."""
    scorer: ImportPath | None = None
    """Import path of a ``scorer(estimator, X, y)``, or of a ``metric(y_true, y_pred)`` function."""


class CrossValidation(Section):
    """How the rows are split into folds."""

    method: Literal[
        "auto",
        "kfold",
        "stratified",
        "group",
        "stratified_group",
        "time_series",
        "shuffle_split",
        "stratified_shuffle_split",
        "leave_one_group_out",
        "predefined",
    ] = "auto"
    """``auto`` does as scikit-learn: stratified for classifiers, by group if groups are given."""
    folds: int = Field(default=5, ge=2)
    """Number of folds (or of random splits)."""
    shuffle: bool = False
    """Shuffle the rows before they are split."""
    stratify: bool | None = None
    """Keep the class shares in every fold; by default for classifiers."""
    repeats: int = Field(default=1, ge=1)
    """Repeat k-fold with other shuffles."""
    test_fraction: float | None = Field(default=None, gt=0, lt=1)
    """Share of test rows of each random split."""
    gap: int = Field(default=0, ge=0)
    """Rows left out between training and test rows of a time series."""
    column: str | None = None
    """Column of fold numbers for ``predefined`` (-1: always training)."""
    splitter: ImportPath | None = None
    """Import path of any splitter with ``split(X, y, groups)``, instead of ``method``."""
    params: dict[str, JsonValue] = {}
    """Arguments of your splitter."""
    seed: int = 0
    """Which shuffle."""


class Objective(Section):
    """What is scored: an estimator, on data, by cross-validation."""

    estimator: ImportPath | None = None
    """Import path of a scikit-learn style estimator."""
    steps: Annotated[tuple[Step, ...], BeforeValidator(listed)] = ()
    """Pipeline steps, the last one an estimator."""
    factory: ImportPath | None = None
    """Import path of a function that returns a fresh estimator."""
    estimators: dict[str, Choice] = {}
    """Named estimators; the space's parameter ``estimator`` chooses one by name."""
    params: dict[str, JsonValue] = {}
    """Fixed parameters of the estimator."""
    preprocess: Literal["none", "auto"] = "none"
    """``auto`` imputes, scales and encodes each column by its type, inside every fold."""
    random_state: int | None = None
    """Given to every ``random_state`` that is not set; by default the search's seed."""
    data: Annotated[Data, BeforeValidator(located)]
    cv: Annotated[
        CrossValidation,
        BeforeValidator(folded, json_schema_input_type=CrossValidation | int),
    ] = CrossValidation()
    metric: Annotated[
        tuple[MetricSpec, ...],
        BeforeValidator(named, json_schema_input_type=str | MetricSpec | list[str | MetricSpec]),
        Field(min_length=1),
    ]
    """What decides. Several metrics make a multi-objective study."""
    also: Annotated[
        tuple[MetricSpec, ...],
        BeforeValidator(named, json_schema_input_type=str | MetricSpec | list[str | MetricSpec]),
    ] = ()
    """Further metrics that are recorded and shown."""


class Search(Section):
    """How candidates are proposed."""

    method: str = "bayesian"
    """``grid``, ``random``, ``bayesian``, or the name of an installed sampler."""
    sampler: str | None = None
    """The model behind ``bayesian``: ``auto``, ``gp``, ``tpe``, ``cmaes`` or ``sobol``."""
    seed: int = Field(default=0, ge=0)
    """Same study and seed, same trials."""
    window: int = Field(default=8, ge=1)
    """A trial is proposed knowing all results but those of the last ``window - 1`` trials, however
    many workers there are; so it bounds the useful number of trials at a time."""
    start_with: (
        Annotated[tuple[str | dict[str, JsonValue], ...], BeforeValidator(listed)] | None
    ) = None
    """Tried first: ``defaults`` (the estimator's), ``current`` (the best-parameters file), params.
    By default both for Bayesian search, nothing for grid and random."""
    curves: bool = True
    """A sampled trial is the best of all points that its fits score: with a forest of 150 trees
    come those of 149 and fewer, at no further fit. All of them are recorded. Grid search tries
    every point by itself, starting points are scored as they are, and of several metrics none is
    best: there, and with ``execution: {share: off}``, trials have no curves."""
    options: dict[str, JsonValue] = {}
    """Further arguments of the sampler."""


class ConvergenceSpec(Section):
    """When the gain of recent trials drowns in the folds' own noise."""

    window: int = Field(default=20, ge=2)
    """How many trials back to look."""


class Stop(Section):
    """When the study ends. Several criteria: whichever comes first."""

    trials: int | None = Field(default=None, ge=1)
    """Number of trials."""
    fits: int | None = Field(default=None, ge=1)
    """Number of candidate-times-fold evaluations."""
    time: Duration | None = None
    """Wall time of one run: ``90s``, ``30m``, ``1h30m``."""
    target: float | None = Field(default=None, allow_inf_nan=False)
    """Mean score that is good enough."""
    patience: int | None = Field(default=None, ge=1)
    """Number of trials without a better best."""
    convergence: ConvergenceSpec | None = None
    any: Annotated["tuple[Stop, ...]", BeforeValidator(listed)] = ()
    """Ends when one of these does."""
    all: Annotated["tuple[Stop, ...]", BeforeValidator(listed)] = ()
    """Ends when all of these have been met."""
    first_failures: int = Field(default=5, ge=1)
    """Give up when the first so many trials all fail."""


class Outputs(Section):
    """Files written when a run ends, relative to the configuration's project folder."""

    best: str = Field(default="config/best_parameters.yaml", pattern=r"\.(json|ya?ml|toml)$")
    """The winner, for the training program; YAML, JSON or TOML by its name."""
    report: str = Field(default="outputs/tuning_results.md", pattern=r"\.md$")
    """The ranked Markdown report."""
    html: str | None = Field(default=None, pattern=r"\.html$")
    """The report to look into: one file with linked charts and a table that can be searched. It
    says nothing of durations, so that the same history gives the same bytes."""
    trials: str | None = Field(default=None, pattern=r"\.(csv|json|jsonl)$")
    """Every trial and fold as text."""


class Execution(Section):
    """Where fits run; changes no score."""

    executor: str = "auto"
    """``auto``, ``serial``, ``processes``, or the name of an installed executor."""
    workers: int | None = Field(default=None, ge=1)
    """Processes at a time; by default one per core."""
    share: Literal["exact", "off"] = "exact"
    """``exact`` lets one fit score every candidate that it holds (a forest of 500 trees those of
    100), where scores are bitwise the same; ``off`` fits each candidate on its own, so that
    sampled trials have no curves (``search: {curves: true}``) and may be other ones."""
    fit_timeout: Duration | None = None
    """Time limit of one fit; a fit over it is stopped and its trial fails."""


class File(Section):
    """The whole configuration file but for its space."""

    study: str = Field(pattern=SLUG)
    """Name of the study."""
    objective: Objective
    search: Search = Search()
    stop: Stop = Stop()
    outputs: Outputs = Outputs()
    execution: Execution = Execution()
    ledger: str = ".tunesmith/ledger.db"
    """Database of everything evaluated: a SQLite file, or a server's URL such as
    ``postgresql://user@host/database`` (needs ``pip install tunesmith[postgres]``)."""


@dataclass(frozen=True)
class Definition:
    """A study as defined: the file's sections, its space, and where it lives."""

    file: File
    space: SearchSpace
    root: Path
    """The project folder, to which all paths are relative."""
    source: Path | None = None
    """The configuration file."""

    @property
    def ledger(self) -> str | Path:
        """The ledger's URL, or its path made absolute."""
        location = self.file.ledger
        return location if "://" in location else self.root.resolve() / location
