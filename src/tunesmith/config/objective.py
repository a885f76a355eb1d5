"""The section of the objective: a table, folds, metrics, and an estimator or a program."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from tunesmith.config.program import ProgramSection
from tunesmith.config.section import (
    Fixed,
    ImportPath,
    Names,
    Section,
    SomeNames,
    default_of,
    listed,
    located,
)
from tunesmith.types import Direction, OutcomeConstraint


def named(value: Any) -> Any:
    """Turn ``recall`` into ``{name: recall}``, and a single metric into a list of one."""
    if value is None:
        return value
    return tuple({"name": item} if isinstance(item, str) else item for item in listed(value))


def folded(value: Any) -> Any:
    """Turn ``5`` into ``{folds: 5}``."""
    # `True` is an int in Python, and no number of folds.
    return {"folds": value} if isinstance(value, int) and not isinstance(value, bool) else value


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

    path: SomeNames
    """CSV, Parquet or Feather file, or several with the same columns (rows are appended)."""
    target: str
    """Column to predict."""
    features: SomeNames | None = None
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
    separator: str = Field(default=",", pattern=r"^[^\r\n\x00\"]+$")
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
    ] = default_of(CrossValidation)
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
    subject_to: Names = ()
    """Constraints on outcomes, e.g. ``["precision >= 0.8", "fit_time <= 2"]``: the mean over the
    folds of a recorded metric, or of ``fit_time`` and ``score_time`` in seconds, compared with a
    number by ``>=``, ``<=``, ``>`` or ``<``. A trial that violates one never wins, and Bayesian
    search learns where they hold."""

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what came later and is not used, so that earlier studies stay the same."""
        written: dict[str, Any] = handler(self)
        if not self.subject_to:
            written.pop("subject_to", None)
        return written

    @property
    def constraints(self) -> tuple[OutcomeConstraint, ...]:
        """Constraints on outcomes."""
        return tuple(map(OutcomeConstraint.read, self.subject_to))

    @property
    def has_one_fold(self) -> bool:
        """True if a trial is certainly one evaluation: a program with no table and one seed."""
        return self.is_program and self.data is None and (self.seeds or 1) == 1

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
