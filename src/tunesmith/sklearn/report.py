"""The report of a search, as a study has it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.analysis.statistics.predicted import predicted
from tunesmith.analysis.summary import summarise
from tunesmith.errors import UsageError
from tunesmith.ledger.provenance import collect
from tunesmith.ledger.records import RunRecord, StudyRecord
from tunesmith.plot import NO_DEFINITION, record_of_results
from tunesmith.reporting.report import Report, report_of
from tunesmith.sklearn.plan import SearchPlan
from tunesmith.types import StopKind, StopReason

if TYPE_CHECKING:
    import pandas as pd


def definition_of(plan: SearchPlan) -> dict[str, Any]:
    """Return the definition of a search, with the space if JSON can hold its values.

    Args:
        plan: of the search.
    """
    # Objects are tokens in the space, and themselves in `cv_results_`.
    is_plain = not plan.objects.by_token
    sections = {**plan.definition.get("file", {}), "objective": {}}
    return {"file": sections, "space": plan.definition["space"] if is_plain else {}}


def search_report(search: Any, form: str) -> Report:
    """Return the report of a fitted search.

    Args:
        search: with ``cv_results_``.
        form: ``markdown``, ``html``, ``comment``, ``json``, or the name of an installed one.

    Raises:
        UsageError: it is not fitted, or there is no such form.
    """
    if not hasattr(search, "cv_results_"):
        raise UsageError("report: the search has no results yet: fit it first.")
    record = search_record(search)
    summary = summarise(record)
    if (
        summary.chosen is not None
        and (table := _answers(search, summary.chosen.number)) is not None
    ):
        summary = replace(summary, predicted=predicted(table))
    return report_of(record, summary, form)


def _answers(search: Any, number: int) -> "pd.DataFrame | None":
    """Out-of-fold predictions of a candidate, if the search has them."""
    table: pd.DataFrame | None = getattr(search, "oof_predictions_", None)
    own = None if table is None else table[table["trial"] == number]
    return None if own is None or own.empty else own


def search_record(search: Any) -> StudyRecord:
    """Return the record of a fitted search, which now is its only run."""
    definition: Mapping[str, Any] = getattr(search, "_definition", NO_DEFINITION)
    name = f"{type(search).__name__}-{type(search.estimator).__name__}"
    record = record_of_results(search.cv_results_, name, definition)
    text = str(getattr(search, "stopped_by_", ""))
    run = RunRecord(
        id=1,
        started="",
        ended="",
        stopped_by=StopReason(StopKind.CRITERION, text) if text else None,
        n_evaluated=len(search.cv_results_["params"]) * search.n_splits_,
        n_reused=0,
        n_fits=0,
        provenance=collect(Path.cwd(), definition, {}, record.head.recorded.seed or 0),
    )
    return replace(record, runs=(run,))
