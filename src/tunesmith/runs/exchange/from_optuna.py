"""A study of Optuna's, read into a ledger.

Its trials become a study that can be listed, reported and compared. Nobody has evaluated them here,
so they are marked as not verified, and their scores stand under keys that no other study asks for.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UsageError, did_you_mean
from tunesmith.history import Failure, FoldResult, Metric, Trial
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.runs.exchange.distributions import boxes
from tunesmith.runs.exchange.storage import file_of, named, opened
from tunesmith.runs.exchange.to_optuna import (
    CONSTRAINTS,
    FAILURE,
    FOLDS,
    JSON_CHOICES,
    PROVENANCE,
)
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest
from tunesmith.types import NOT_RECORDED
from tunesmith.version import VERSION

if TYPE_CHECKING:
    import optuna

ORIGIN = "optuna (not verified)"
"""Origin of every trial, which lists and reports show."""
ENDING = ".optuna"
"""End of the study's name here, so that it is not taken for a study of that name."""
MOST = 60


@dataclass(frozen=True)
class Imported:
    """Outcome of an import."""

    study: str
    """Name of the study in the ledger."""
    n_trials: int
    n_left_out: int
    """Number of trials that were running or waiting."""
    is_new: bool
    """False if the ledger had all of it."""


def import_study(url: str, name: str | None, location: str | Path) -> Imported:
    """Read the finished trials of a study into a ledger; doing it again changes nothing.

    Args:
        url: of Optuna's storage.
        name: of the study; not needed if there is only one.
        location: file or URL of the ledger, which is made if it is missing.

    Raises:
        UsageError: there is no such study, or no storage.
        StorageError: the storage or the ledger cannot be opened.
    """
    source = named(url)
    file = file_of(url)
    # Optuna would make an empty storage.
    if file is not None and not file.is_file():
        raise UsageError(f"{source}: there is no such file.")
    with opened(url) as storage:
        import optuna

        names = optuna.study.get_all_study_names(storage)
        study = optuna.load_study(study_name=_chosen(source, names, name), storage=storage)
        trials = study.get_trials(deepcopy=False)
        finished = [trial for trial in trials if trial.state.is_finished()]
        objectives = _metrics(study)
        bounded = _bounded(finished, objectives)
        content = _definition(study, finished, objectives, source)
        if bounded:
            content["file"]["objective"]["subject_to"] = [
                f"{name} <= 0" for name in bounded.values()
            ]
        if not content["space"]["boxes"]:
            raise UsageError(
                f"{source}: no trial of study `{study.study_name}` that has ended has parameters;"
                " nothing was written."
            )
        texts = _json_choices(study)
    made = _completed(finished, [metric.name for metric in objectives], bounded, texts)
    is_new = _record(location, content, objectives, list(bounded.values()), made)
    return Imported(content["file"]["study"], len(made), len(trials) - len(made), is_new)


def _chosen(source: str, names: Sequence[str], name: str | None) -> str:
    if name in names:
        return str(name)
    if name is not None:
        raise UsageError(f"{source}: no study `{name}`. {did_you_mean(name, list(names))}")
    if len(names) != 1:
        listed = ", ".join(f"`{one}`" for one in names) or "none"
        raise UsageError(f"{source}: name the study with --name; there is {listed}.")
    return names[0]


def _metrics(study: "optuna.Study") -> list[Metric]:
    """Metrics of a study; Optuna's values need not have names."""
    directions = [direction.name.lower() for direction in study.directions]
    n = len(directions)
    names = study.metric_names or (["value"] if n == 1 else [f"value_{i}" for i in range(n)])
    wrong = [direction for direction in directions if direction not in ("minimize", "maximize")]
    if wrong or len(set(names)) < n:
        raise UsageError(f"study `{study.study_name}`: it does not say what is better.")
    return [Metric(name, direction) for name, direction in zip(names, directions, strict=True)]


def _definition(
    study: "optuna.Study",
    finished: "Sequence[optuna.trial.FrozenTrial]",
    metrics: Sequence[Metric],
    source: str,
) -> dict[str, Any]:
    """Return the definition as far as there is one: no objective that could be evaluated."""
    own = re.sub(r"[^A-Za-z0-9_-]+", "-", study.study_name).strip("-_")[:MOST] or "study"
    listed = [{"name": metric.name, "direction": metric.direction} for metric in metrics]
    return {
        "file": {
            "study": f"{own}{ENDING}",
            "objective": {"metric": listed},
            "search": {"method": "optuna"},
        },
        "space": {"boxes": _boxes(study, finished), "constraints": []},
        "taken_from": f"Optuna study {study.study_name} in {source}",
    }


def _boxes(
    study: "optuna.Study", finished: "Sequence[optuna.trial.FrozenTrial]"
) -> list[dict[str, Any]]:
    """Return the boxes of a space; choices that we have written as JSON are values again."""
    texts = _json_choices(study)
    made = boxes([one.distributions for one in finished], [one.params for one in finished])
    return [
        {
            name: [_of_json(one) for one in own] if name in texts else own
            for name, own in box.items()
        }
        for box in made
    ]


def _json_choices(study: "optuna.Study") -> frozenset[str]:
    """Names of parameters whose choices are JSON texts, if the study is one of ours."""
    own = study.user_attrs.get(PROVENANCE)
    names = own.get(JSON_CHOICES) if isinstance(own, Mapping) else None
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def _of_json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return text


def _violations(trial: "optuna.trial.FrozenTrial") -> dict[str, float]:
    """Return the constraints of a trial: numbers above 0 for those that it violates."""
    # Optuna 4 keeps a list, Optuna 5 a number for each name.
    listed = trial.system_attrs.get(CONSTRAINTS)
    values = {str(n): value for n, value in enumerate(listed if isinstance(listed, list) else ())}
    start = f"{CONSTRAINTS}:"
    for key, value in trial.system_attrs.items():
        if key.startswith(start):
            values[key[len(start) :]] = value
    return {name: float(value) for name, value in values.items()}


def _bounded(
    finished: "Sequence[optuna.trial.FrozenTrial]", objectives: Sequence[Metric]
) -> dict[str, str]:
    """Return the names of constraints with those of the metrics that stand for them."""
    taken = {metric.name for metric in objectives}
    metrics: dict[str, str] = {}
    for name in dict.fromkeys(name for trial in finished for name in _violations(trial)):
        start = f"constraint_{re.sub(r'[^A-Za-z0-9_.-]+', '_', name)}"
        further = (f"{start}_{n}" for n in count(2))
        made = next(one for one in chain([start], further) if one not in taken)
        taken.add(made)
        metrics[name] = made
    return metrics


def _constrained(
    result: FoldResult, trial: "optuna.trial.FrozenTrial", bounded: Mapping[str, str]
) -> FoldResult:
    """Return a result with its constraints as scores."""
    values = _violations(trial)
    if result.failure is not None or not bounded:
        return result
    missing = [name for name in bounded if name not in values]
    if missing and trial.state.name == "COMPLETE":
        reason = f"its constraint {missing[0]} is not known"
        return FoldResult(result.fold, {}, failure=Failure("optuna", reason))
    known = {metric: values[name] for name, metric in bounded.items() if name in values}
    return replace(result, scores={**result.scores, **known}).checked()


def _completed(
    finished: "Sequence[optuna.trial.FrozenTrial]",
    metrics: Sequence[str],
    bounded: Mapping[str, str],
    texts: Collection[str],
) -> list[Trial]:
    """Return trials in our form, with numbers without gaps.

    Args:
        finished: trials that have ended.
        metrics: names of the objectives.
        bounded: names of constraints with those of the metrics that stand for them.
        texts: names of parameters whose values are JSON texts.
    """
    folds = _folds_of(finished, metrics)
    trials = []
    for number, trial in enumerate(finished):
        # Optuna's own types of numbers are those of Python; a text that it cannot hold is refused.
        params = {
            name: _of_json(trial.params[name]) if name in texts else trial.params[name]
            for name in sorted(trial.params)
        }
        own = Trial(number, params, key=canonical_json(params), origin=ORIGIN)
        results = folds.get(number) or [_result(trial, metrics).checked()]
        trials.append(own.completed([_constrained(one, trial, bounded) for one in results]))
    return trials


def _result(trial: "optuna.trial.FrozenTrial", metrics: Sequence[str]) -> FoldResult:
    """Return the value of a trial as the result of one fold."""
    from optuna.trial import TrialState

    if trial.state is TrialState.COMPLETE:
        return FoldResult(0, dict(zip(metrics, trial.values, strict=True)))
    steps = sorted((step, score) for step, score in trial.intermediate_values.items())
    usable = [(step, float(score)) for step, score in steps if isfinite(score)]
    if trial.state is TrialState.PRUNED and usable and len(metrics) == 1:
        step, score = usable[-1]
        return FoldResult(0, {metrics[0]: score}, progress=tuple(usable), stopped_at=step)
    own = trial.user_attrs.get(FAILURE)
    if isinstance(own, str) and ": " in own:
        return FoldResult(0, {}, failure=Failure(*own.split(": ", 1)))
    kind = "pruned" if trial.state is TrialState.PRUNED else "optuna"
    reason = own or trial.system_attrs.get("fail_reason")
    return FoldResult(0, {}, failure=Failure(kind, str(reason or "it left no value")))


def _folds_of(
    finished: "Sequence[optuna.trial.FrozenTrial]", metrics: Sequence[str]
) -> dict[int, list[FoldResult]]:
    """Return the folds of complete trials by number, if all of them are a study of ours.

    Scores of folds are compared with each other, so that it is all or none.
    """
    folds = {}
    for number, trial in enumerate(finished):
        if trial.state.name == "COMPLETE":
            folds[number] = _folds(trial.user_attrs.get(FOLDS), metrics, trial.values)
    n_folds = {len(own) for own in folds.values()}
    return folds if len(n_folds) == 1 and n_folds != {0} else {}


def _folds(scores: Any, metrics: Sequence[str], values: Sequence[float]) -> list[FoldResult]:
    """Read the scores of a trial's folds; empty if they are not what its values are made of."""
    columns = [scores.get(name) for name in metrics] if isinstance(scores, Mapping) else []
    usable = [column for column in columns if isinstance(column, list) and _are_floats(column)]
    if len(usable) < len(metrics) or len({len(column) for column in usable}) != 1:
        return []
    rows = [dict(zip(metrics, row, strict=True)) for row in zip(*usable, strict=True)]
    folds = [FoldResult(number, row) for number, row in enumerate(rows)]
    trial = Trial(0, {}, key="", origin=ORIGIN).completed(folds)
    # To the last digit, since we have computed the value from them.
    return folds if [trial.mean(name) for name in metrics] == list(values) else []


def _are_floats(column: Sequence[Any]) -> bool:
    return bool(column) and all(isinstance(one, float) for one in column)


def _content(trial: Trial) -> list[Any]:
    """Content of an imported trial, in a form that has a digest."""
    folds = [[dict(fold.scores), fold.failure and fold.failure.kind] for fold in trial.folds]
    return [trial.key, str(trial.state), folds]


def _record(
    location: str | Path,
    content: Mapping[str, Any],
    objectives: Sequence[Metric],
    constraints: Sequence[str],
    trials: Sequence[Trial],
) -> bool:
    """Record the trials in one transaction; return false if they are there."""
    metrics = [*objectives, *(Metric(name, "minimize") for name in constraints)]
    name = content["file"]["study"]
    identity = digest(["optuna", content["taken_from"], [_content(one) for one in trials]])
    completed = [
        (trial, [digest([identity, trial.number, fold.fold]) for fold in trial.folds])
        for trial in trials
    ]
    results = {
        key: fold for trial, keys in completed for key, fold in zip(keys, trial.folds, strict=True)
    }
    with Ledger.open(location) as ledger, run_lock(location, name):
        head = ledger.begin_study(
            name, identity, content, context={}, metrics=metrics, objectives=objectives
        )
        if not head.is_new and len(ledger.log(head.id).completed) == len(trials):
            return False
        # No machine and no versions: nobody has recorded them.
        run_id = ledger.begin_run(head.id, {"definition": content, "tunesmith": VERSION})
        ledger.record(head.id, run_id, results=results, completed=completed)
        ledger.end_run(run_id, NOT_RECORDED, 0, len(results), 0)
    return True
