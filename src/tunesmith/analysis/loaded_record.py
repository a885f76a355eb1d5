"""A study's record loaded from a commit: its configuration and its exported trials."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from tunesmith.config.model import File
from tunesmith.errors import UsageError
from tunesmith.history import Failure, FoldResult, Metric, TrialLog
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import OutcomeConstraint

ALLOWED = OutcomeConstraint("violates subject_to", "<=", 0)
"""Constraint that stands for those of an export, which has no measured times to check them by."""
SPLIT = re.compile(r"split(\d+)_test_(.+)\Z")


def loaded_record(file: File, space: SearchSpace, text: str, suffix: str) -> StudyRecord:
    """Return the record in an export; the dependencies of its results are not in it.

    Args:
        file: configuration of the study, as it was.
        space: that was searched.
        text: content of the trials file.
        suffix: ``.jsonl`` or ``.json``.

    Raises:
        UsageError: it is no such file.
    """
    specs = file.objective.metric
    metrics = tuple(Metric(spec.name, spec.direction or "maximize") for spec in specs)
    log = TrialLog(metrics, (ALLOWED,) if file.objective.subject_to else ())
    for row in _rows(text, suffix):
        try:
            # The rows of an export are in the order of the trials, so that each gets its number
            # back.
            trial = log.ask(row["params"], canonical_json(row["params"]), str(row["origin"]))
            folds = _folds(row, metrics)
            if log.subject_to:
                folds = [_with_outcome(fold, row) for fold in folds]
            log.tell(trial.completed(folds))
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"the exported trials cannot be read: {error!r}") from None
    content = {"file": file.model_dump(mode="json"), "space": space.to_json()}
    head = StudyHead(
        id=0, name=file.study, generation=0, identity="", context={}, definition=content
    )
    return StudyRecord(head, metrics, log.view(), ())


def _rows(text: str, suffix: str) -> list[dict[str, Any]]:
    try:
        if suffix == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        rows: list[dict[str, Any]] = json.loads(text)["trials"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"the exported trials cannot be read: {error}") from None
    return rows


def _folds(row: Mapping[str, Any], metrics: tuple[Metric, ...]) -> list[FoldResult]:
    """Return one result a fold; scikit-learn calls a single metric ``score``."""
    names = {"score": metrics[0].name} | {metric.name: metric.name for metric in metrics}
    by_fold: dict[int, dict[str, float]] = {}
    for column, value in row.items():
        split = SPLIT.match(column)
        if split and split[2] in names and value is not None and isfinite(value):
            by_fold.setdefault(int(split[1]), {})[names[split[2]]] = float(value)
    if row["state"] == "complete":
        return [FoldResult(fold, scores) for fold, scores in sorted(by_fold.items())]
    # An export does not say on which fold a trial has failed: one failure stands for it.
    return [FoldResult(0, {}, failure=Failure(row["state"], str(row.get("failure") or "")))]


def _with_outcome(fold: FoldResult, row: Mapping[str, Any]) -> FoldResult:
    # A row without the column was exported before there were constraints: it is not known.
    violates = float(row.get("violates", "unknown") != "")
    return replace(fold, scores={**fold.scores, ALLOWED.metric: violates})
