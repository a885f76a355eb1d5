"""Records made by hand, for tests of their readers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tunesmith.history import Failure, FoldResult, Metric, Trial, TrialLog
from tunesmith.ledger.records import RunRecord, StudyHead, StudyRecord
from tunesmith.space.parameter import canonical_json
from tunesmith.types import OutcomeConstraint, StopReason

SCORE = Metric("score")


def make_record(
    params: Sequence[Mapping[str, Any]],
    scores: Sequence[Sequence[float] | str] | None = None,
    *,
    metrics: Sequence[Metric] = (SCORE,),
    n_objectives: int = 1,
    origins: Sequence[str] = (),
    space: Mapping[str, Any] | None = None,
    study: str = "example",
    stopped_by: str = "20 trials",
    subject_to: Sequence[str] = (),
) -> StudyRecord:
    """A study's record.

    Args:
        params: one mapping a trial.
        scores: fold scores a trial, or the message of its failure; random by default. With
            several metrics, the others get these scores plus their position.
        metrics: what is recorded.
        n_objectives: how many of them decide.
        origins: source of each trial; ``grid`` by default.
        space: the JSON form of the space.
        study: its name.
        stopped_by: reason for which the run ended.
        subject_to: constraints on outcomes.
    """
    rng = np.random.default_rng(0)
    rows = scores or [rng.normal(0.8, 0.05, 3).round(4).tolist() for _ in params]
    constraints = tuple(map(OutcomeConstraint.read, subject_to))
    log = TrialLog(tuple(metrics[:n_objectives]), constraints)
    for index, (point, given) in enumerate(zip(params, rows, strict=True)):
        origin = origins[index] if index < len(origins) else "grid"
        trial = log.ask(dict(point), canonical_json(dict(point)), origin)
        log.tell(_completed(trial, given, metrics))
    definition = {
        "file": {"search": {"method": "grid", "seed": 0}},
        "space": space or {"boxes": [], "constraints": []},
    }
    contexts = {"data": "d" * 32, "code": ""}
    head = StudyHead(
        id=1, name=study, generation=1, identity="i" * 32, context=contexts, definition=definition
    )
    run = _run(definition, contexts, stopped_by, 3 * len(params))
    return StudyRecord(head, tuple(metrics), log.view(), (run,))


def _run(
    recorded: Mapping[str, Any], contexts: Mapping[str, str], stopped_by: str, n: int
) -> RunRecord:
    return RunRecord(
        id=1,
        started="2026-01-01T00:00:00+00:00",
        ended="2026-01-01T00:01:00+00:00",
        stopped_by=StopReason.read(stopped_by),
        n_evaluated=n,
        n_reused=0,
        n_fits=n,
        provenance=_provenance(recorded, contexts),
    )


def _provenance(recorded: Mapping[str, Any], contexts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "definition": recorded,
        "python": "3.11.0",
        "packages": {"scikit-learn": "1.9.1", "numpy": "2.4.0"},
        "machine": {"system": "Linux", "architecture": "x86_64"},
        "context": contexts,
        "git": {"commit": "c" * 40, "branch": "main", "is_dirty": False},
    }


def _completed(trial: Trial, given: Sequence[float] | str, metrics: Sequence[Metric]) -> Trial:
    if isinstance(given, str):
        failure = Failure("ValueError", given)
        return trial.completed([FoldResult(0, {}, failure=failure)])
    return trial.completed(
        [
            FoldResult(
                fold,
                {m.name: score + i for i, m in enumerate(metrics)},
                fit_time_s=0.1,
                score_time_s=0.01,
            )
            for fold, score in enumerate(given)
        ]
    )
