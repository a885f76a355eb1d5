"""Rules of sections that name metrics: ``subject_to``, ``preference``, and a ``target``."""

from collections.abc import Iterator

from tunesmith.config.model import File
from tunesmith.config.objective import ObjectiveSection
from tunesmith.config.stop import StopSection
from tunesmith.errors import Path, Violation, did_you_mean
from tunesmith.types import OutcomeConstraint

MEASURED = {"fit_time": "the fit", "score_time": "the scoring"}
"""Times that every fold has, in seconds, without being listed as metrics."""
FRACTIONS = (
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "f1",
    "jaccard",
    "precision",
    "recall",
    "roc_auc",
    "top_k_accuracy",
)
"""Beginnings of the names of scikit-learn's scorers that lie between 0 and 1."""
HERE: Path = ("objective", "subject_to")
FORM = "Write a metric, `>=`, `<=`, `>` or `<`, and a number: `recall >= 0.8`."


def outcome_violations(objective: ObjectiveSection) -> Iterator[Violation]:
    """Yield constraints that cannot be read, name no recorded metric, or cannot be met."""
    read: list[OutcomeConstraint] = []
    for index, text in enumerate(objective.subject_to):
        path: Path = (*HERE, index)
        try:
            constraint = OutcomeConstraint.read(text)
        except ValueError as error:
            yield Violation(path, f"{error}.", FORM)
            continue
        yield from _metric(constraint, objective, path)
        yield from _bound(constraint, objective, path)
        other = next((one for one in read if _exclude_each_other(one, constraint)), None)
        if other is not None:
            yield Violation(path, f"`{constraint}` and `{other}` exclude each other.")
        read.append(constraint)


def _metric(
    constraint: OutcomeConstraint, objective: ObjectiveSection, path: Path
) -> Iterator[Violation]:
    recorded = [metric.name for metric in (*objective.metric, *objective.also)]
    name = constraint.metric
    if name in recorded or (name in MEASURED and not objective.is_program) or name == "fit_time":
        return
    if name in MEASURED:
        hint = "The time of the whole run is `fit_time`."
        yield Violation(path, "a program has no `score_time`.", hint)
        return
    guess = did_you_mean(name, [*recorded, *MEASURED])
    hint = f"{guess} " if guess else ""
    yield Violation(
        path,
        f"the metric `{name}` is not recorded.",
        f"{hint}Metrics in `metric` and `also` are; so is `fit_time`.",
    )


def _bound(
    constraint: OutcomeConstraint, objective: ObjectiveSection, path: Path
) -> Iterator[Violation]:
    """Refuse bounds beyond all values of scikit-learn's own scorers and of times."""
    name, bound = constraint.metric, constraint.bound
    specs = {metric.name: metric for metric in (*objective.metric, *objective.also)}
    is_own = name in specs and (specs[name].scorer is not None or objective.is_program)
    if is_own:
        return
    if name.startswith("neg_") and bound > 0:
        hint = f"Write the bound with a minus: `{name} >= {-bound:g}`."
        yield Violation(path, f"scikit-learn's `{name}` is never above 0.", hint)
    if name.startswith(FRACTIONS) and not 0 <= bound <= 1:
        hint = f"Write `{bound / 100:g}`." if 1 < bound <= 100 else ""
        yield Violation(path, f"`{name}` lies between 0 and 1.", hint)
    if name in MEASURED and bound <= 0:
        yield Violation(path, f"`{name}` is a number of seconds above 0.")


def _exclude_each_other(one: OutcomeConstraint, other: OutcomeConstraint) -> bool:
    if one.metric != other.metric or one.sign == other.sign:
        return False
    above, below = (one, other) if one.sign > 0 else (other, one)
    return above.bound > below.bound or not (
        above.allows(below.bound) and below.allows(above.bound)
    )


def choice_violations(file: File) -> Iterator[Violation]:
    """Yield what is wrong with the trade-off between metrics, and with criteria by scores."""
    names = [metric.name for metric in file.objective.metric]
    yield from _preference(file, names)
    yield from _of_stop(file.stop, names, ("stop",))


def _preference(file: File, names: list[str]) -> Iterator[Violation]:
    preference, path = file.preference, ("preference",)
    is_given = preference.weights or preference.rule != "lexicographic"
    if is_given and len(names) == 1:
        yield Violation(path, "one metric leaves nothing to weigh.", "Leave it out.")
    elif preference.weights and preference.rule != "lexicographic":
        yield Violation(path, "both `rule` and `weights` are given.", "Keep one of them.")
    else:
        for name in preference.weights:
            yield from _known(name, names, (*path, "weights", name))


def _of_stop(stop: StopSection, names: list[str], path: Path) -> Iterator[Violation]:
    """Yield what is wrong with criteria that look at scores, at any depth."""
    several = ", ".join(names)
    if isinstance(stop.target, dict):
        for name in stop.target:
            yield from _known(name, names, (*path, "target", name))
    if stop.further_gain is not None and len(names) > 1:
        message = f"it forecasts one metric, and here several decide ({several})."
        hint = "Use `patience` or `convergence`, which look at the whole Pareto front."
        yield Violation((*path, "further_gain"), message, hint)
    for key in ("any", "all"):
        for index, part in enumerate(getattr(stop, key)):
            yield from _of_stop(part, names, (*path, key, index))


def _known(name: str, names: list[str], path: Path) -> Iterator[Violation]:
    if name not in names:
        message = f"`{name}` is no metric that decides."
        yield Violation(path, message, did_you_mean(name, names))
