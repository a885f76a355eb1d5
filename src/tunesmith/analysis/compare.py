"""Comparison of two studies: changes, their best trials, the parameters that moved."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.analysis.ranking import Ranked, gains_of, ranked
from tunesmith.errors import UsageError
from tunesmith.history import Metric
from tunesmith.ledger.recorded_study import RecordedSpace, RecordedStudy
from tunesmith.ledger.records import StudyRecord
from tunesmith.space.parameter import canonical_json

if TYPE_CHECKING:
    from tunesmith.analysis.statistics.gate import Weighed

SHOWN = ("objective", "search", "stop", "budget")
"""Sections of the configuration that trials depend on."""
ON = {"data": "the data", "code": "the code", "objective": "the objective", "versions": "versions"}


@dataclass(frozen=True)
class Side:
    """One of the two studies."""

    label: str
    n_trials: int
    best: Ranked | None


@dataclass(frozen=True)
class Difference:
    """A difference, as JSON texts; ``None`` if a side lacks it."""

    what: str
    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The result of a comparison."""

    metric: Metric
    sides: tuple[Side, Side]
    depends_on: tuple[Difference, ...]
    """Digests of data, code, versions."""
    definition: tuple[Difference, ...]
    """Keys of the configuration."""
    space: tuple[Difference, ...]
    """Parameters."""
    moved: tuple[Difference, ...]
    """Parameters of the best trials."""
    weighed: "Weighed | None"
    """The second best against the first, on common folds."""
    reason: str = ""
    """Reason for which they are not weighed against each other."""


def compare(before: StudyRecord, after: StudyRecord, labels: tuple[str, str]) -> Compared:
    """Compare two studies by the first metric of the second.

    Args:
        before: the earlier study.
        after: the later study.
        labels: their names in the output.

    Raises:
        UsageError: they have no metric in common.
    """
    metric = after.objectives[0]
    if metric not in before.metrics:
        known = ", ".join(m.name for m in before.metrics)
        raise UsageError(
            f"{labels[0]} was not scored by `{metric.name}` ({metric.direction}d), as {labels[1]}"
            f" is; it has: {known}."
        )
    bests = tuple(_best(record, metric) for record in (before, after))
    weighed, reason = _weighed(before, after, (bests[0], bests[1]), metric)
    sections = [_shown(record.recorded) for record in (before, after)]
    spaces = [_parameters(record.recorded.space) for record in (before, after)]
    params = [{} if best is None else dict(best.params) for best in bests]
    contexts = [dict(record.head.context) for record in (before, after)]
    return Compared(
        metric=metric,
        sides=(
            Side(labels[0], before.history.n_completed, bests[0]),
            Side(labels[1], after.history.n_completed, bests[1]),
        ),
        depends_on=tuple(changes(*(_named(context) for context in contexts))),
        definition=tuple(changes(*(dict(_leaves(shown)) for shown in sections))),
        space=tuple(changes(*spaces)),
        moved=tuple(changes(*params)),
        weighed=weighed,
        reason=reason,
    )


def _best(record: StudyRecord, metric: Metric) -> Ranked | None:
    ranking = ranked(record.history, record.metrics)
    scored = [trial for trial in ranking if metric.name in trial.means]
    # The ranking is by the study's own first metric, which may be another one.
    return max(scored, key=lambda t: metric.sign * t.means[metric.name], default=None)


def _weighed(
    before: StudyRecord,
    after: StudyRecord,
    bests: tuple[Ranked | None, Ranked | None],
    metric: Metric,
) -> "tuple[Weighed | None, str]":
    first, second = bests
    if first is None or second is None:
        return None, "one of them has no complete trial"
    if reason := _other_folds(before, after):
        return None, reason
    # Statistics: other callers only ask for the differences of two configurations.
    from tunesmith.analysis.decision import fold_ratio
    from tunesmith.analysis.statistics.gate import weigh

    gains = gains_of([first, second], metric)
    return weigh(gains, 1, 0, fold_ratio(after.recorded.folds, gains.shape[1])), ""


def _other_folds(before: StudyRecord, after: StudyRecord) -> str:
    """Reason for which two studies were not scored on the same folds."""
    digests = [record.head.context.get("data") for record in (before, after)]
    if digests[0] != digests[1]:
        return "the data are not the same"
    # Equal rows may still be split in other ways.
    if before.recorded.split_settings != after.recorded.split_settings:
        return "their folds are not the same"
    # A splitter of the project may make other folds under the same settings.
    n_folds = [{len(t.folds) for t in record.history.successful} for record in (before, after)]
    return "" if n_folds[0] == n_folds[1] else "their folds are not the same"


def _named(context: Mapping[str, str]) -> dict[str, str]:
    return {ON.get(name, name): digest for name, digest in context.items() if digest}


def _shown(recorded: RecordedStudy) -> dict[str, Any]:
    found = {name: recorded.section(name) for name in SHOWN}
    return {name: section for name, section in found.items() if section is not None}


def _parameters(space: RecordedSpace) -> dict[str, Any]:
    """Definition by name; by box and name if there are several boxes."""
    by_name = {}
    for number, box in enumerate(space.boxes):
        for name, parameter in box.items():
            label = name if len(space.boxes) == 1 else f"{name} (box {number + 1})"
            by_name[label] = parameter.content
    for constraint in space.constraints:
        by_name[f"constraint {constraint}"] = True
    return by_name


def _leaves(data: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        place = f"{before}.{key}" if before else str(key)
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, place)
        # Keys without a value are left out: a new option is no difference between two studies.
        elif value not in (None, [], {}):
            yield place, value


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the differences, by name.

    >>> changes({"a": 1, "b": 2}, {"b": 3, "a": 1, "c": None})
    [Difference(what='b', before='2', after='3'), Difference(what='c', before=None, after='null')]
    """

    def text(side: Mapping[str, Any], name: str) -> str | None:
        return canonical_json(side[name]) if name in side else None

    names = sorted({*before, *after})
    every = [Difference(name, text(before, name), text(after, name)) for name in names]
    return [change for change in every if change.before != change.after]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the same as text, ``name: old -> new``.

    >>> differences({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": None})
    ['b: 2 -> 3', 'c: (none) -> null']
    """
    changed = changes(before, after)
    return [f"{c.what}: {c.before or '(none)'} -> {c.after or '(none)'}" for c in changed]


def as_json(compared: Compared) -> dict[str, Any]:
    """Return the comparison as JSON content."""

    def rows(part: tuple[Difference, ...]) -> list[dict[str, str | None]]:
        return [{"what": c.what, "before": c.before, "after": c.after} for c in part]

    def side(one: Side) -> dict[str, Any]:
        best = one.best
        return {
            "label": one.label,
            "n_trials": one.n_trials,
            "best": best and {"trial": best.number, "params": dict(best.params)},
            "mean": best and best.means[compared.metric.name],
        }

    weighed = compared.weighed
    return {
        "metric": compared.metric.name,
        "direction": compared.metric.direction,
        "sides": [side(one) for one in compared.sides],
        "changed": rows(compared.depends_on),
        "definition": rows(compared.definition),
        "space": rows(compared.space),
        "moved": rows(compared.moved),
        "comparison": weighed
        and {
            "verdict": weighed.verdict,
            "gain": weighed.gain,
            "low": _finite(weighed.low),
            "high": _finite(weighed.high),
        },
        "not_compared": compared.reason,
    }


def _finite(number: float) -> float | None:
    # JSON has no infinity.
    return number if math.isfinite(number) else None
