"""The configuration as typed, frozen sections: one class a section of ``tuning.yaml``.

The classes hold the rules of single values. Rules between sections live in ``rules``, the
search space in ``space``, reading and error positions in ``load``. Shorthands (``metric: recall``,
``cv: 5``) are turned into the full form as they enter, so that readers meet one form only.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from tunesmith import registry
from tunesmith.config.prefixes import Prefixes
from tunesmith.config.program import ProgramSection
from tunesmith.config.section import (
    SLUG,
    Duration,
    ImportPath,
    Names,
    Section,
    Size,
    finite,
    listed,
    located,
)
from tunesmith.space import SearchSpace
from tunesmith.types import Direction


def named(value: Any) -> Any:
    """Turn ``recall`` into ``{name: recall}``, and a single metric into a list of one."""
    if value is None:
        return value
    return tuple({"name": item} if isinstance(item, str) else item for item in listed(value))


def folded(value: Any) -> Any:
    """Turn ``5`` into ``{folds: 5}``."""
    # `True` is an int in Python, and no number of folds.
    return {"folds": value} if isinstance(value, int) and not isinstance(value, bool) else value


Fixed = Annotated[JsonValue, AfterValidator(finite)]
"""A value that JSON can hold."""


class HoldoutSection(Section):
    """Rows that the search never sees."""

    fraction: float = Field(default=0.25, gt=0, lt=1)
    """Share of the rows (or of the groups, if ``groups`` is given)."""
    stratify: bool = False
    """Keep the class shares."""
    shuffle: bool = False
    """Leave the rows in the order that drawing them gives, exactly as
    ``train_test_split(test_size=fraction, random_state=seed)`` does, so that folds made without a
    shuffle are those of ``GridSearchCV`` after it. By default the rows keep the file's order."""
    seed: int = 0
    """Seed of the draw of these rows."""


class DataSection(Section):
    """The table and the meaning of its columns."""

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
    holdout: HoldoutSection | None = None
    """Split off rows that the search never sees; the winner is scored on them once."""


class StepSection(Section):
    """One step of a pipeline."""

    name: str | None = None
    """Step name, as in scikit-learn's ``Pipeline``; by default the class name in lower case."""
    estimator: ImportPath
    """Import path of a transformer or, for the last step, an estimator."""
    params: dict[str, Fixed] = {}
    """Fixed parameters."""


class ChoiceSection(Section):
    """One of several estimators that the parameter ``estimator`` chooses among."""

    estimator: ImportPath
    """Import path."""
    params: dict[str, Fixed] = {}
    """Fixed parameters."""


class MetricSpec(Section):
    """A metric by name or import path."""

    name: str
    """A scikit-learn scorer name, ``fit_time``, or a name of your own together with ``scorer``."""
    direction: Direction | None = None
    """Needed for your own metrics; scikit-learn's scorers are always maximized."""
    scorer: ImportPath | None = None
    """Import path of a ``scorer(estimator, X, y)``, or of a ``metric(y_true, y_pred)`` function."""
    key: str | None = None
    """Place of the metric in a program's results: a dotted place in JSON or YAML (``val.loss``), a
    column of CSV or TSV; by default its name."""


class CrossValidation(Section):
    """Split of the rows into folds."""

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
    folds: int = Field(default=5, ge=2, le=1_000_000)
    """Number of folds (or of random splits)."""
    shuffle: bool = False
    """Shuffle the rows before they are split."""
    stratify: bool | None = None
    """Keep the class shares in every fold; by default for classifiers."""
    repeats: int = Field(default=1, ge=1, le=10_000)
    """Repeat k-fold with other shuffles."""
    test_fraction: float | None = Field(default=None, gt=0, lt=1)
    """Share of test rows of each random split."""
    gap: int = Field(default=0, ge=0)
    """Rows left out between training and test rows of a time series."""
    column: str | None = None
    """Column of fold numbers for ``predefined`` (-1: always training)."""
    splitter: ImportPath | None = None
    """Import path of any splitter with ``split(X, y, groups)``, instead of ``method``."""
    params: dict[str, Fixed] = {}
    """Arguments of your splitter."""
    seed: int = 0
    """Seed of the shuffle."""


class ObjectiveSection(ProgramSection):
    """Subject of the study: an estimator, scored by cross-validation, or a training program."""

    estimator: ImportPath | None = None
    """Import path of a scikit-learn style estimator."""
    steps: Annotated[tuple[StepSection, ...], BeforeValidator(listed)] = ()
    """Pipeline steps, the last one an estimator."""
    factory: ImportPath | None = None
    """Import path of a function that returns a fresh estimator."""
    estimators: dict[str, ChoiceSection] = {}
    """Named estimators; the space's parameter ``estimator`` chooses one by name."""
    params: dict[str, Fixed] = {}
    """Fixed parameters of the estimator."""
    preprocess: Literal["none", "auto"] = "none"
    """``auto`` imputes, scales and encodes each column by its type, inside every fold."""
    random_state: int | None = None
    """Given to every ``random_state`` that is not set; by default the search's seed."""
    data: Annotated[DataSection | None, BeforeValidator(located)] = None
    """The table. Estimators need one; a program may do without, and then without ``cv``."""
    cv: Annotated[
        CrossValidation,
        BeforeValidator(folded, json_schema_input_type=CrossValidation | int),
        # Sections are frozen, so that one default may serve all.
    ] = CrossValidation()
    """Split of the rows into folds."""
    metric: Annotated[
        tuple[MetricSpec, ...],
        BeforeValidator(named, json_schema_input_type=str | MetricSpec | list[str | MetricSpec]),
        Field(min_length=1),
    ]
    """Metric that decides. Several metrics make a multi-objective study."""
    also: Annotated[
        tuple[MetricSpec, ...],
        BeforeValidator(named, json_schema_input_type=str | MetricSpec | list[str | MetricSpec]),
    ] = ()
    """Further metrics that are recorded and shown."""

    @property
    def import_paths(self) -> tuple[str, ...]:
        """Every import path whose code scores depend on; the splitter's shows in the splits."""
        found = [self.estimator, self.factory]
        found += [step.estimator for step in self.steps]
        found += [choice.estimator for choice in self.estimators.values()]
        found += [metric.scorer for metric in (*self.metric, *self.also)]
        return tuple(path for path in found if path)

    @property
    def all_import_paths(self) -> tuple[str, ...]:
        """The same with the splitter's."""
        splitter = self.cv.splitter
        return (*self.import_paths, *([splitter] if splitter else ()))


class SearchSection(Section):
    """Proposal of candidates."""

    method: str = "bayesian"
    """``grid``, ``random``, ``bayesian``, or the name of an installed sampler."""
    sampler: str | None = None
    """The model behind ``bayesian``: ``auto``, ``gp``, ``tpe``, ``cmaes`` or ``sobol``."""
    seed: int = Field(default=0, ge=0)
    """Same study and seed, same trials."""
    window: int = Field(default=8, ge=1, le=100_000)
    """Look-ahead: a trial is proposed from all results but those of the last ``window - 1`` trials,
    however many workers you have, so that more workers than this are of no use."""
    start_with: Annotated[tuple[str | dict[str, Fixed], ...], BeforeValidator(listed)] | None = None
    """Tried first: ``defaults`` (the estimator's), ``current`` (the best-parameters file), params.
    By default both for Bayesian search, nothing for grid and random."""
    curves: bool = True
    """Extra candidates: a sampled trial is the best of all candidates that its fits score; a forest
    of 150 trees holds those of 149 and fewer, at no further fit. All of them are recorded. There
    are none in grid search, for starting points, with several metrics, and with
    ``execution: {share: off}``."""
    options: dict[str, Fixed] = {}
    """Further arguments of the sampler."""


class ConvergenceSpec(Section):
    """Ends the study if the gain of recent trials is below the folds' own noise."""

    window: int = Field(default=20, ge=2)
    """Number of recent trials to look at."""


class StopSection(Section):
    """End of the study. Of several criteria, the first to be met ends it."""

    trials: int | None = Field(default=None, ge=1)
    """Number of trials."""
    fits: int | None = Field(default=None, ge=1)
    """Number of candidate-times-fold evaluations."""
    time: Duration | None = None
    """Wall time of one run: ``90s``, ``30m``, ``1h30m``."""
    target: float | None = Field(default=None, allow_inf_nan=False)
    """Mean score that is good enough."""
    patience: int | None = Field(default=None, ge=1)
    """Number of trials without a better best; with a budget parameter, only trials with the full
    budget count."""
    convergence: ConvergenceSpec | None = None
    # As text, because the class does not exist yet.
    any: Annotated["tuple[StopSection, ...]", BeforeValidator(listed)] = ()
    """Ends when one of these does."""
    all: Annotated["tuple[StopSection, ...]", BeforeValidator(listed)] = ()
    """Ends when all of these have been met."""
    first_failures: int = Field(default=5, ge=1)
    """Give up when the first so many trials all fail."""

    _registered: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def registered(self) -> Mapping[str, Any]:
        """Criteria of installed packages: the name of each, and its value."""
        return self._registered

    @model_validator(mode="wrap")
    @classmethod
    def _take_registered(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Keys that an installed package registers are no unknown keys."""
        outside = registry.outside("stopping") if isinstance(data, Mapping) else {}
        taken = {name: value for name, value in data.items() if name in outside} if outside else {}
        stop = handler({k: v for k, v in data.items() if k not in taken} if taken else data)
        # pydantic freezes fields, and lets a private attribute be set.
        stop._registered = taken
        return stop

    @model_serializer(mode="wrap")
    def _with_registered(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As it was written, so that a changed criterion is seen as a change."""
        written: dict[str, Any] = handler(self)
        return {**written, **self._registered}


class BudgetSection(Section):
    """Budget of a trial, and the rule that prunes it earlier."""

    parameter: str | None = None
    """Parameter that holds the budget, such as ``epochs`` or ``max_iter``. It is given to the
    estimator or program like any other parameter; leave it out of ``space``. Without one, a program
    that streams values by step is stopped at a step."""
    min: int = Field(default=1, ge=1)
    """Smallest budget of a trial."""
    max: int = Field(ge=2)
    """The full budget: only trials that reach it are ranked."""
    factor: int = Field(default=3, ge=2)
    """Factor by which each next budget is larger; one trial in ``factor`` gets it."""
    rule: Literal["hyperband", "halving", "median"] = "hyperband"
    """Rule of promotion: with ``halving`` the best trial in ``factor`` is promoted; with
    ``hyperband`` the same, in brackets that begin with larger and larger budgets; with ``median``
    each trial that is better than the median of the others at that point."""


ParameterFile = Annotated[str, Field(pattern=r"\.(json|ya?ml|toml)$")]
"""A name that ends in .json, .yaml, .yml or .toml."""


class BestSection(Section):
    """The best-parameters file. A file that exists keeps its shape: a flat mapping stays flat."""

    path: ParameterFile = "config/best_parameters.yaml"
    """YAML, JSON or TOML by its name."""
    at: str | None = Field(default=None, min_length=1)
    """Dotted place of the parameters in a file that holds more, e.g. ``train.params``, or ``.`` for
    its top level. Everything else in the file stays as it is."""
    meta: bool | None = None
    """``false`` leaves out the origin of the parameters, so that a new file holds nothing but
    the parameters (``Model(**json.load(file))``); ``true`` writes it under the key ``meta``. By
    default a new file has it unless ``at`` is given, and a file that exists stays as it is."""


class OutputsSection(Section):
    """Files written when a run ends, relative to the configuration's project folder."""

    best: Annotated[
        BestSection, BeforeValidator(located, json_schema_input_type=ParameterFile | BestSection)
    ] = BestSection()
    """The winner, for the training program: the path of a YAML, JSON or TOML file, or a mapping
    with ``path``, ``at`` and ``meta``."""
    tuned: ParameterFile | None = None
    """The winner in a file of Tunesmith's own, e.g. ``outputs/tuned_parameters.yaml``. If you set
    it, ``best`` is user-owned: a run writes it only while nobody has edited it, and
    ``tunesmith adopt`` writes the winner into it."""
    report: str = Field(default="outputs/tuning_results.md", pattern=r"\.md$")
    """The ranked Markdown report."""
    html: str | None = Field(default=None, pattern=r"\.html$")
    """The HTML report: one file with linked charts and a table that you can search. It shows no
    durations, so that the same history gives the same bytes."""
    trials: str | None = Field(default=None, pattern=r"\.(csv|json|jsonl)$")
    """Every trial and fold as text."""
    history: str | None = Field(default=None, pattern=r"\.jsonl$")
    """All results of the study, e.g. ``outputs/history.jsonl``: commit it, and a fresh clone
    continues from it."""
    metrics: str | None = Field(default=None, pattern=r"\.json$")
    """The winner's scores and the number of trials, e.g. ``outputs/tuning_metrics.json``, as
    ``dvc metrics`` reads them."""

    @property
    def paths(self) -> dict[str, str]:
        """The path of every output that is written, by its key."""
        others = {key: name for key, name in self if isinstance(name, str)}
        return {"best": self.best.path, **others}


class GateSection(Section):
    """Comparison of the winner with the current parameters (``outputs: {best: …}`` as it was when
    the study began), which are evaluated on the same folds, with any search."""

    min_improvement: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Gain of the first metric's mean, in its own unit, that is worth a change."""
    base: str | None = Field(default=None, pattern=r"^[^-\s][^\s]*$", max_length=200)
    """Git revision with the current best-parameters file, e.g. ``origin/main``; by default the file
    in the project folder counts."""
    keep: bool = True
    """The best-parameters file keeps the current parameters unless the verdict is to adopt; with
    ``false`` the winner is written in any case, and the verdict is only reported."""


class SlotsSection(Section):
    """Devices of which every run of a program has one for itself."""

    gpu: int | None = Field(default=None, ge=1)
    """Number of GPUs, named to the program in ``CUDA_VISIBLE_DEVICES``; by default none is
    assigned. Without ``workers``, this many programs run at a time."""


class ExecutionSection(Section):
    """Workers, limits and sharing of fits; changes no score."""

    executor: str = "auto"
    """``auto``, ``serial``, ``processes``, or the name of an installed executor."""
    workers: int | None = Field(default=None, ge=1)
    """Processes at a time; by default one per core."""
    share: Literal["exact", "off"] = "exact"
    """``exact`` lets one fit score every candidate that it contains (a forest of 500 trees contains
    that of 100), if scores are bitwise the same; ``off`` fits each candidate on its own and uses no
    score that came from a shared fit, so that you can compare the two. Sampled trials then have no
    extra candidates (``search: {curves: true}``) and may differ."""
    fit_timeout: Duration | None = None
    """Time limit of one fit; a fit over it is stopped and its trial fails."""
    memory: Size | None = None
    """Memory that one run of a program may take (``600MB``, ``2GiB``), as address space: leave it
    out for programs that use a GPU."""
    slots: SlotsSection = SlotsSection()
    """Devices that runs of programs share among themselves."""


class File(Section):
    """The whole configuration file but for its space."""

    study: str = Field(pattern=SLUG)
    """Name of the study."""
    objective: ObjectiveSection
    search: SearchSection = SearchSection()
    stop: StopSection = StopSection()
    budget: BudgetSection | None = None
    outputs: OutputsSection = OutputsSection()
    selection: Literal["best", "one_se", "simplest", "fastest"] = "best"
    """Rule that picks the winner: the best trial; the simplest within one standard error of it
    (``one_se``); the simplest, or the fastest to fit, of those that the folds do not distinguish
    from it (``docs/reports.md``)."""
    gate: GateSection | None = None
    outer_folds: int | None = Field(default=None, ge=2, le=1000)
    """Number of outer folds of nested cross-validation: the whole search is repeated on the
    training rows of each outer fold, as ``STUDY.outer0`` and so on, and its winner is scored on the
    rows left out. The search takes as many times longer; the report shows the score of the search
    as a whole."""
    execution: ExecutionSection = ExecutionSection()
    branches: Prefixes = Prefixes()
    """Other prefixes of the names of experiments' branches."""
    ledger: str = ".tunesmith/ledger.db"
    """Database of everything evaluated: a SQLite file, or a server's URL such as
    ``postgresql://user@host/database`` (needs ``pip install tunesmith[postgres]``)."""


@dataclass(frozen=True)
class OuterFold:
    """An outer fold: rows that a search of nested cross-validation never sees."""

    number: int
    """Number of the fold, from 0."""
    n_folds: int
    data: str
    """Digest of all rows."""


@dataclass(frozen=True)
class Definition:
    """The definition of a study: the file's sections, its space, and its project folder."""

    file: File
    space: SearchSpace
    root: Path
    """The project folder, to which all paths are relative."""
    source: Path | None = None
    """The configuration file."""
    outer: OuterFold | None = None
    """The outer fold, if the search belongs to another study's nested cross-validation."""
    forced: frozenset[str] = frozenset()
    """Outputs of this run that may replace what somebody else wrote."""

    @property
    def ledger(self) -> str | Path:
        """The ledger's URL, or its path made absolute."""
        location = self.file.ledger
        return location if "://" in location else self.root.resolve() / location

    def as_json(self) -> dict[str, Any]:
        """Return the definition as the ledger stores it."""
        # The prefixes of branches do not belong to a study: renaming them changes no trial.
        found: dict[str, Any] = {
            "file": self.file.model_dump(mode="json", exclude={"branches"}),
            "space": self.space.to_json(),
        }
        return found if self.outer is None else {**found, "outer": asdict(self.outer)}
