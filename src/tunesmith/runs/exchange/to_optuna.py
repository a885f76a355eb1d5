"""A study of ours, written as a study of Optuna's.

Optuna's value of a trial is the mean over its folds. The scores of the folds, and what else Optuna
has no place for, are attributes of the trial.
"""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.analysis.importance.declared import declared_space
from tunesmith.errors import UsageError
from tunesmith.history import Trial
from tunesmith.ledger.records import StudyRecord
from tunesmith.runs.exchange.distributions import Told, told
from tunesmith.runs.exchange.storage import file_of, named, opened
from tunesmith.types import State

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

FOLDS, TIMES, FAILURE, ORIGIN = "fold_scores", "fit_times_s", "failure", "origin"
"""Names of attributes of a trial."""
PROVENANCE = "tunesmith"
"""Name of the attribute of a study."""
JSON_CHOICES, SUBJECT_TO = "json_choices", "subject_to"
"""Names of parts of it: parameters whose choices are JSON texts, and constraints on outcomes."""
CONSTRAINTS = "constraints"
"""Optuna's own attribute of a trial: numbers above 0 for what it violates."""


def export_study(record: StudyRecord, url: str, name: str | None = None) -> int:
    """Write the completed trials of a study into a storage; return their number.

    A new file is complete or not there at all. In a storage that is there, the study is removed
    again if something goes wrong.

    Args:
        record: of the study.
        url: of the storage.
        name: of the new study; by default that of the record.

    Raises:
        UsageError: there is a study of this name.
        StorageError: the storage cannot be written.
    """
    name = name or record.head.name
    named(url)
    file = file_of(url)
    if file is None or file.exists():
        return _written(record, url, name)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.tmp")
    try:
        n = _written(record, f"sqlite:///{draft}", name)
        os.replace(draft, file)  # noqa: PTH105 - a rename that replaces nothing that was looked at
    finally:
        draft.unlink(missing_ok=True)
    return n


def _written(record: StudyRecord, url: str, name: str) -> int:
    import optuna

    completed = list(record.history.completed)
    names = _names(record, completed)
    trials = _all_frozen(record, completed, names)
    with opened(url) as storage:
        if name in optuna.study.get_all_study_names(storage):
            raise UsageError(
                f"{named(url)}: there is a study `{name}`; nothing was written."
                "\n  Name another file, or give the study another name with --as."
            )
        directions = [metric.direction for metric in record.objectives]
        study = optuna.create_study(study_name=name, storage=storage, directions=directions)
        try:
            study.set_metric_names([metric.name for metric in record.objectives])
            study.set_user_attr(PROVENANCE, _provenance(record, names))
            study.add_trials(trials)
        except BaseException:
            # Half a study would look like one that was stopped early.
            optuna.delete_study(study_name=name, storage=storage)
            raise
    return len(trials)


def frozen(record: StudyRecord, completed: Sequence[Trial]) -> "list[FrozenTrial]":
    """Return trials in Optuna's form."""
    return _all_frozen(record, completed, _names(record, completed))


def _names(record: StudyRecord, completed: Sequence[Trial]) -> dict[str, Told]:
    if not completed:
        return {}
    space, _ = declared_space(record.recorded.space, completed)
    return told(space, [trial.params for trial in completed])


def _all_frozen(
    record: StudyRecord, completed: Sequence[Trial], names: Mapping[str, Told]
) -> "list[FrozenTrial]":
    metrics = [metric.name for metric in record.objectives]
    return [_frozen(trial, names, metrics, record) for trial in completed]


def _frozen(
    trial: Trial, names: Mapping[str, Told], objectives: Sequence[str], record: StudyRecord
) -> "FrozenTrial":
    from optuna.trial import TrialState, create_trial

    states = {State.COMPLETE: TrialState.COMPLETE, State.PRUNED: TrialState.PRUNED}
    is_complete = trial.state is State.COMPLETE
    made = create_trial(
        state=states.get(trial.state, TrialState.FAIL),
        values=[trial.mean(name) for name in objectives] if is_complete else None,
        params={name: names[name].value(value) for name, value in trial.params.items()},
        distributions={name: names[name].distribution for name in trial.params},
        user_attrs=_attributes(trial, [metric.name for metric in record.metrics]),
        system_attrs=_violations(trial, record) if is_complete else None,
        # Optuna allows none in a study with several objectives.
        intermediate_values=_steps(trial, objectives[0]) if len(objectives) == 1 else None,
    )
    if record.origin is not None:
        # Optuna would take the time of the export for both. A ledger has no clock time of a trial,
        # but that of its run, and the seconds of its fits; Optuna's times are local ones.
        begun = datetime.fromisoformat(record.origin.started).astimezone().replace(tzinfo=None)
        spent_s = sum(fold.fit_time_s + fold.score_time_s for fold in trial.folds)
        made.datetime_start = begun
        made.datetime_complete = begun + timedelta(seconds=spent_s)
    return made


def _attributes(trial: Trial, metrics: Sequence[str]) -> dict[str, Any]:
    scores = {name: [fold.scores.get(name) for fold in trial.folds] for name in metrics}
    content: dict[str, Any] = {
        FOLDS: scores,
        TIMES: [fold.fit_time_s for fold in trial.folds],
        ORIGIN: trial.origin,
    }
    if trial.failure is not None:
        content[FAILURE] = f"{trial.failure.kind}: {trial.failure.message}"
    return content


def _violations(trial: Trial, record: StudyRecord) -> dict[str, list[float]]:
    """Return how much a trial violates each constraint, as samplers of Optuna's record it."""
    values = []
    for constraint in record.history.subject_to:
        mean = trial.outcome(constraint.metric)
        excess = -constraint.slack(mean)
        if constraint.allows(mean):
            values.append(min(excess, 0.0))
        else:
            # Optuna takes 0 as allowed, and knows no number that is not known.
            values.append(max(excess, sys.float_info.min) if np.isfinite(excess) else np.inf)
    return {CONSTRAINTS: [float(value) for value in values]} if values else {}


def _steps(trial: Trial, metric: str) -> dict[int, float]:
    """Return what a trial showed on its way: streamed scores, or the mean of its first folds."""
    streamed = [dict(fold.progress) for fold in trial.folds]
    common = set.intersection(*map(set, streamed)) if streamed else set()
    if common:
        return {step: float(np.mean([one[step] for one in streamed])) for step in sorted(common)}
    scores = trial.scores(metric)
    usable = next((n for n, score in enumerate(scores) if not np.isfinite(score)), len(scores))
    return {n: float(scores[: n + 1].mean()) for n in range(usable)}


def _provenance(record: StudyRecord, names: Mapping[str, Told]) -> dict[str, Any]:
    origin = record.origin
    provenance = {} if origin is None else origin.provenance
    kept = ("tunesmith", "git", "python", "seed")
    return {
        "identity": record.head.identity,
        "context": dict(record.head.context),
        JSON_CHOICES: [name for name, one in names.items() if one.is_json],
        SUBJECT_TO: [str(constraint) for constraint in record.history.subject_to],
        **{name: provenance[name] for name in kept if name in provenance},
    }
