"""Rules between the sections of a configuration. They need no data and import no project code."""

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from types import MappingProxyType

from tunesmith import registry
from tunesmith.config.checks.outcome_rules import choice_violations, outcome_violations
from tunesmith.config.checks.program_rules import program_violations
from tunesmith.config.ledger_place import ledger_violations
from tunesmith.config.messages import show
from tunesmith.config.model import File
from tunesmith.config.objective import CrossValidation, MetricSpec, ObjectiveSection
from tunesmith.config.stop import StopSection
from tunesmith.errors import Path, UsageError, Violation, did_you_mean
from tunesmith.space import Categorical, Grid, SearchSpace
from tunesmith.space.grid import endless_parameters
from tunesmith.system.files import inside

KINDS = ("estimator", "steps", "factory", "estimators", "command")
"""Kinds of objectives; a configuration has exactly one."""
START_WORDS = ("defaults", "current", "earlier", "portfolio")
"""Words that ``start_with`` knows."""
GRID_LIMIT = 1_000_000
MAX_SEED = 2**32 - 1
"""Largest value of scikit-learn's `random_state`."""
GROUP_METHODS = ("group", "stratified_group", "leave_one_group_out")
PSEUDO_METRICS = ("fit_time", "score_time")
SCORERS_FOR = {
    "auc": "roc_auc",
    "rmse": "neg_root_mean_squared_error",
    "mse": "neg_mean_squared_error",
    "mae": "neg_mean_absolute_error",
    "mape": "neg_mean_absolute_percentage_error",
    "logloss": "neg_log_loss",
    "log_loss": "neg_log_loss",
    "brier": "neg_brier_score",
    "mean_squared_error": "neg_mean_squared_error",
    "mean_absolute_error": "neg_mean_absolute_error",
    "root_mean_squared_error": "neg_root_mean_squared_error",
    "r2_score": "r2",
    "accuracy_score": "accuracy",
    "f1_score": "f1",
}
COMMON_SCORERS = frozenset(
    {
        "accuracy",
        "average_precision",
        "balanced_accuracy",
        "explained_variance",
        "f1",
        "f1_macro",
        "f1_micro",
        "f1_weighted",
        "matthews_corrcoef",
        "neg_brier_score",
        "neg_log_loss",
        "neg_mean_absolute_error",
        "neg_mean_absolute_percentage_error",
        "neg_mean_squared_error",
        "neg_mean_squared_log_error",
        "neg_median_absolute_error",
        "neg_root_mean_squared_error",
        "precision",
        "precision_macro",
        "precision_weighted",
        "r2",
        "recall",
        "recall_macro",
        "recall_weighted",
        "roc_auc",
        "roc_auc_ovo",
        "roc_auc_ovr",
        "roc_auc_ovr_weighted",
    }
)
"""Names that scikit-learn certainly has; importing it to ask takes a second."""


OWN_COLUMNS = (
    *("trial", "row", "fold", "file", "evaluation", "target", "prediction", "probability"),
    "decision",
)
"""First words of the names of columns in a table of predictions."""


def check_rules(
    file: File,
    space: SearchSpace | None,
    root: FilePath,
    inputs: Mapping[str, FilePath] = MappingProxyType({}),
) -> list[Violation]:
    """Return all violations that single values cannot show.

    Args:
        file: the sections, each valid in itself.
        space: ``None`` if it is broken; rules that need it are then left out.
        root: the project folder.
        inputs: files that no output may replace, by what they are called.
    """
    violations = [
        *_objective(file.objective),
        *_steps(file.objective),
        *_seeds(file),
        *_metrics(file.objective),
        *outcome_violations(file.objective),
        *choice_violations(file),
        *_cross_validation(file.objective),
        *program_violations(file, space),
        *_search(file),
        *_outputs(file, root, inputs),
        *_predictions(file),
        *ledger_violations(file.ledger, root),
        *_outer_folds(file),
        *_executor(file),
        *_further_gain(file),
    ]
    if space is not None:
        violations += [*_choices(file.objective, space), *_fixed(file.objective, space)]
        violations += [*_grid(file, space), *_end(file, space), *_start(file, space)]
    return violations


def check_rules_in_memory(file: File, space: SearchSpace, root: FilePath) -> list[Violation]:
    """Return the violations of the rules that hold for a study of objects in memory, too.

    Args:
        file: the sections, each valid in itself.
        space: of the study.
        root: the working folder.
    """
    found = [*_seeds(file), *_search(file), *ledger_violations(file.ledger, root)]
    found += [*_executor(file), *_further_gain(file)]
    return [*found, *_grid(file, space), *_end(file, space), *_start(file, space)]


def _objective(objective: ObjectiveSection) -> Iterator[Violation]:
    given = [name for name in KINDS if getattr(objective, name)]
    if not given:
        hint = f"Name one of: {', '.join(KINDS)}."
        yield Violation(("objective",), "nothing to tune.", hint)
    elif len(given) > 1:
        yield Violation(
            ("objective", given[1]), f"both `{given[0]}` and `{given[1]}` are given.", "Keep one."
        )
    hint = "Name your table, e.g. `data: {path: data.csv, target: price}`."
    if objective.data is None:
        if not objective.is_program:
            yield Violation(("objective", "data"), "is missing.", hint)
    elif not all(objective.data.path):
        hint = "Name your table, e.g. `path: data.csv`."
        yield Violation(("objective", "data", "path"), "no file is named.", hint)


def _steps(objective: ObjectiveSection) -> Iterator[Violation]:
    """Check the names that a pipeline of scikit-learn's refuses at its first fit."""
    seen: set[str] = set()
    for index, step in enumerate(objective.steps or ()):
        if (name := step.name) is None:
            continue
        path: Path = ("objective", "steps", index, "name")
        if name in seen:
            yield Violation(path, f"the step `{name}` is named twice.", "Rename one of them.")
        if "__" in name or not name:
            message = f"`{name}` cannot be a step's name: `__` stands between steps and parameters."
            yield Violation(path, message, "Choose a name without `__`.")
        seen.add(name)


def _seeds(file: File) -> Iterator[Violation]:
    objective, path = file.objective, ("objective",)
    holdout = objective.data and objective.data.holdout
    seeds: dict[Path, int | None] = {
        (*path, "random_state"): objective.random_state,
        (*path, "data", "holdout", "seed"): holdout.seed if holdout else None,
        (*path, "cv", "seed"): objective.cv.seed,
        ("search", "seed"): file.search.seed,
    }
    for where, seed in seeds.items():
        if seed is not None and not 0 <= seed <= MAX_SEED:
            message = f"must be at least 0 and at most {MAX_SEED:,} (found {show(seed)})."
            yield Violation(where, message)


def _metrics(objective: ObjectiveSection) -> Iterator[Violation]:
    seen: set[str] = set()
    for section in ("metric", "also"):
        for index, metric in enumerate(getattr(objective, section)):
            path: Path = ("objective", section, index)
            if metric.name in seen:
                yield Violation(path, f"the metric `{metric.name}` is named twice.")
            seen.add(metric.name)
            if not objective.is_program:
                yield from _metric(metric, path)


def _metric(metric: MetricSpec, path: Path) -> Iterator[Violation]:
    if metric.scorer is not None:
        if metric.direction is None:
            hint = "Write `direction: maximize` or `direction: minimize`."
            yield Violation(path, f"`{metric.name}` is a metric of yours: which way?", hint)
        return
    if metric.name in PSEUDO_METRICS:
        return
    if metric.direction == "minimize":
        yield Violation(
            (*path, "direction"),
            f"scikit-learn's scorer `{metric.name}` is always maximized.",
            "Losses are negated there, e.g. `neg_log_loss`; leave `direction` out.",
        )
    yield from _scorer_name(metric.name, path)


def _scorer_name(name: str, path: Path) -> Iterator[Violation]:
    if name in SCORERS_FOR:
        hint = f"Did you mean `{SCORERS_FOR[name]}`?"
        yield Violation(path, f"scikit-learn has no scorer `{name}`.", hint)
        return
    if name in COMMON_SCORERS:
        return
    from sklearn.metrics import get_scorer_names

    known = [str(known) for known in get_scorer_names()]
    if name not in known:
        hint = did_you_mean(name, known) + " A metric of your own needs `scorer`."
        yield Violation(path, f"scikit-learn has no scorer `{name}`.", hint)


def _cross_validation(objective: ObjectiveSection) -> Iterator[Violation]:
    cv, path = objective.cv, ("objective", "cv")
    if cv.method in GROUP_METHODS and not (objective.data and objective.data.groups):
        yield Violation((*path, "method"), f"`{cv.method}` needs `objective.data.groups`.")
    if cv.method == "predefined" and cv.column is None:
        yield Violation((*path, "method"), "`predefined` needs `column`, with the fold numbers.")
    if cv.splitter is not None and cv.method != "auto":
        yield Violation((*path, "splitter"), "`splitter` replaces `method`; keep one of them.")
    yield from _shuffling(cv, path)


def _shuffling(cv: CrossValidation, path: Path) -> Iterator[Violation]:
    if cv.shuffle and cv.method == "time_series":
        yield Violation((*path, "shuffle"), "a time series cannot be shuffled.")
    if cv.stratify is False and "stratified" in cv.method:
        yield Violation((*path, "stratify"), f"contradicts `method: {cv.method}`.")


def _search(file: File) -> Iterator[Violation]:
    search = file.search
    if not registry.is_known("samplers", search.method):
        hint = did_you_mean(search.method, registry.names("samplers"))
        yield Violation(("search", "method"), f"unknown method `{search.method}`.", hint)
    if search.sampler is None:
        return
    if search.method != "bayesian":
        message = f"`sampler` belongs to `method: bayesian`, not to `{search.method}`."
        yield Violation(("search", "sampler"), message)
    elif search.sampler not in (known := (*registry.names("samplers"), "auto")):
        hint = did_you_mean(search.sampler, known)
        yield Violation(("search", "sampler"), f"unknown sampler `{search.sampler}`.", hint)


def _outputs(file: File, root: FilePath, inputs: Mapping[str, FilePath]) -> Iterator[Violation]:
    # Links are followed, or an output could be written over what one of them leads to.
    taken = {path.resolve(): called for called, path in inputs.items()}
    data = file.objective.data
    names = () if data is None else data.path
    taken |= {place: "the data" for name in names if (place := _at(root, name))}
    if "://" not in file.ledger and (ledger := _at(root, file.ledger)):
        taken[ledger] = "the ledger"
    for name, value in file.outputs.paths.items():
        path = ("outputs", name)
        try:
            found = inside(root, value)
            above = next((p for p in found.parents if p.exists()), root)
        # The system itself refuses null bytes and names that are too long.
        except (UsageError, ValueError, OSError) as error:
            yield Violation(path, f"{error}.")
            continue
        if not above.is_dir():
            shown = above.relative_to(root.resolve())
            yield Violation(path, f"{shown} is a file, not a folder.", "Name another file.")
        if found in taken:
            yield Violation(path, f"would replace {taken[found]}.", "Name another file.")
        taken.setdefault(found, f"what `{name}` writes")


def _predictions(file: File) -> Iterator[Violation]:
    """Check the table of out-of-fold predictions."""
    wanted, objective = file.outputs.predictions, file.objective
    path: Path = ("outputs", "predictions")
    if wanted is None:
        if objective.predictions is not None:
            hint = "Name a file for them: `outputs: {predictions: outputs/oof.csv}`."
            yield Violation(("objective", "predictions"), "nothing collects the files.", hint)
        return
    if objective.is_program and objective.predictions is None:
        hint = "Name the file that it writes: `objective: {predictions: predictions.csv}`."
        yield Violation(path, "the program's predictions are nowhere to be found.", hint)
    for name in wanted.columns:
        if name.split("_")[0] in OWN_COLUMNS:
            hint = "Rename the column in your data, or leave it out."
            yield Violation((*path, "columns"), f"`{name}` is a column of predictions.", hint)


def _executor(file: File) -> Iterator[Violation]:
    name = file.execution.executor
    if name != "auto" and not registry.is_known("executors", name):
        hint = did_you_mean(name, ["auto", *registry.names("executors")])
        yield Violation(("execution", "executor"), f"unknown executor `{name}`.", hint)


def _outer_folds(file: File) -> Iterator[Violation]:
    objective, path = file.objective, ("outer_folds",)
    if file.outer_folds is None:
        return
    if objective.is_program:
        yield Violation(
            path, "a program's rows cannot be parted.", "Tune an estimator, or leave it out."
        )
    if objective.data is not None and objective.data.holdout is not None:
        hint = "Keep one of them: both tell what the winner is worth on rows that it never saw."
        yield Violation(path, "there is `objective.data.holdout`, too.", hint)
    cv = objective.cv
    if cv is not None and (cv.splitter or cv.method in ("predefined", "leave_one_group_out")):
        yield Violation(path, "these folds are fixed, so that there can be no outer ones.")


def _at(root: FilePath, name: str) -> FilePath | None:
    try:
        return (root / name).resolve()
    except (ValueError, OSError):
        # Not a path at all; the reader of this value reports it.
        return None


def _choices(objective: ObjectiveSection, space: SearchSpace) -> Iterator[Violation]:
    """Check that ``estimators`` and the parameter ``estimator`` are given together."""
    if not objective.estimators:
        return
    for box in space:
        parameter = box.parameters.get("estimator")
        names = list(objective.estimators)
        if not isinstance(parameter, Categorical):
            hint = f"Write `estimator: [{', '.join(names)}]`."
            yield Violation(("space",), "a parameter `estimator` must choose among them.", hint)
            continue
        for value in parameter.choices:
            if value not in names:
                hint = did_you_mean(str(value), names)
                yield Violation(("space", "estimator"), f"no estimator is named `{value}`.", hint)


def _fixed(objective: ObjectiveSection, space: SearchSpace) -> Iterator[Violation]:
    for name in objective.params:
        if name in space.names:
            path = ("objective", "params", name)
            yield Violation(path, f"`{name}` is fixed here and varied in `space`.", "Keep one.")


def _grid(file: File, space: SearchSpace) -> Iterator[Violation]:
    if file.search.method != "grid":
        return
    for name in endless_parameters(space):
        hint = "Give a list of values, or a `step`; or use random or Bayesian search."
        yield Violation(("space", name), "a grid cannot list a continuous range.", hint)
    if endless_parameters(space) or _is_bounded(file.stop):
        return
    n_points = Grid(space).n_numbers
    if n_points > GRID_LIMIT:
        hint = "Set `stop: {trials: …}`, list fewer values, or use random or Bayesian search."
        yield Violation(("space",), f"the grid has {n_points:,} points.", hint)


def _end(file: File, space: SearchSpace) -> Iterator[Violation]:
    if file.search.method == "grid" or _is_bounded(file.stop):
        return
    if endless_parameters(space) or Grid(space).n_numbers > GRID_LIMIT:
        hint = "Add `stop: {trials: 50}` (or `fits`, or `time: 30m`)."
        # It ends only a study in which everything fails.
        given = sorted(file.stop.model_fields_set - {"first_failures"})
        message = "nothing ends this search."
        if given:
            message = f"{' and '.join(f'`{name}`' for name in given)} may never end this search."
        yield Violation(("stop",), message, hint)


def _further_gain(file: File) -> Iterator[Violation]:
    gains = (part.further_gain for part in _all_parts(file.stop))
    by_noise = any(gain and gain.below == "noise" for gain in gains)
    if file.objective.has_one_fold and by_noise:
        hint = "Give a gain instead, e.g. `further_gain: 0.001`, or run each trial with `seeds: 3`."
        yield Violation(("stop", "further_gain"), "a single fold has no noise.", hint)


def _all_parts(stop: StopSection) -> Iterator[StopSection]:
    """Yield a section and those within it, at any depth."""
    yield stop
    for part in (*stop.any, *stop.all):
        yield from _all_parts(part)


def _is_bounded(stop: StopSection) -> bool:
    """Tell whether the study is certain to end."""
    if stop.trials or stop.fits or stop.time or any(_is_bounded(part) for part in stop.any):
        return True
    # `all` of nothing is true, and a study without any criterion has no end.
    return bool(stop.all) and all(_is_bounded(part) for part in stop.all)


def _start(file: File, space: SearchSpace) -> Iterator[Violation]:
    for index, item in enumerate(file.search.start_with or ()):
        path = ("search", "start_with", index)
        if isinstance(item, str):
            if item not in START_WORDS:
                hint = did_you_mean(item, START_WORDS)
                yield Violation(path, f"unknown word `{item}`.", hint)
            continue
        try:
            space.canonical(item)
        except ValueError as error:
            yield Violation(path, f"lies outside the space: {error}.")
