"""A study of Optuna's, read into a ledger.

Its trials become a study that can be listed, reported and compared. Nobody has evaluated them here,
so they are marked as not verified, and their scores stand under keys that no other study asks for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UsageError, did_you_mean
from tunesmith.history import Failure, FoldResult, Metric, Trial
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.lock import run_lock
from tunesmith.runs.exchange.distributions import boxes
from tunesmith.runs.exchange.storage import file_of, named, opened
from tunesmith.runs.exchange.to_optuna import FAILURE, FOLDS
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
        metrics = _metrics(study)
        content = _definition(study, finished, metrics, source)
    made = _completed(finished, [metric.name for metric in metrics])
    is_new = _record(location, content, metrics, made)
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
        "space": {"boxes": boxes(trial.distributions for trial in finished), "constraints": []},
        "taken_from": f"Optuna study {study.study_name} in {source}",
    }


def _completed(
    finished: "Sequence[optuna.trial.FrozenTrial]", metrics: Sequence[str]
) -> list[Trial]:
    """Return trials in our form, with numbers without gaps."""
    folds = _folds_of(finished, metrics)
    trials = []
    for number, trial in enumerate(finished):
        # Optuna's own types of numbers are those of Python; a text that it cannot hold is refused.
        params = {name: trial.params[name] for name in sorted(trial.params)}
        own = Trial(number, params, key=canonical_json(params), origin=ORIGIN)
        results = folds.get(number) or [_result(trial, metrics).checked()]
        trials.append(own.completed(results))
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
    kind = "pruned" if trial.state is TrialState.PRUNED else "optuna"
    reason = trial.user_attrs.get(FAILURE) or trial.system_attrs.get("fail_reason")
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
    metrics: Sequence[Metric],
    trials: Sequence[Trial],
) -> bool:
    """Record the trials in one transaction; return false if they are there."""
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
            name, identity, content, context={}, metrics=metrics, objectives=metrics
        )
        if not head.is_new and len(ledger.log(head.id).completed) == len(trials):
            return False
        # No machine and no versions: nobody has recorded them.
        run_id = ledger.begin_run(head.id, {"definition": content, "tunesmith": VERSION})
        ledger.record(head.id, run_id, results=results, completed=completed)
        ledger.end_run(run_id, NOT_RECORDED, 0, len(results), 0)
    return True
