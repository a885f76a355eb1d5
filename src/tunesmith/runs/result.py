"""The results of a run."""

from dataclasses import dataclass
from typing import Any

from tunesmith.analysis.summary import Summary
from tunesmith.errors import ExitCode
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.table import cv_results
from tunesmith.runs.outputs import Written
from tunesmith.types import Params


@dataclass(frozen=True, kw_only=True)
class Result:
    """Results of a run."""

    record: StudyRecord
    """The study as it is in the ledger now."""
    summary: Summary
    """Content of the report."""
    n_evaluated: int
    """Evaluations made by this run."""
    n_reused: int
    """Evaluations that the ledger already knew."""
    n_fits: int
    """Fits made by this run; one may have scored several candidates."""
    written: tuple[Written, ...]
    """Output files."""
    exit_code: ExitCode | int = ExitCode.OK
    """0; 1 without a usable trial; 130 or 143 when interrupted."""

    @property
    def best_params(self) -> Params | None:
        """The winner's params."""
        chosen = self.summary.chosen
        return None if chosen is None else chosen.params

    @property
    def cv_results_(self) -> dict[str, Any]:
        """The trials in the layout of scikit-learn's ``cv_results_``."""
        return cv_results(self.record)
