"""An objective that writes every result into its worker's journal before it answers."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.history import FoldResult
from tunesmith.ledger.journal import Journal, RunMark
from tunesmith.objective.objective import Objective
from tunesmith.types import Fit, Params

if TYPE_CHECKING:
    from tunesmith.ledger.ledger import Ledger


@dataclass
class Journaled:
    """A call for executors. Picklable; each process that gets it has a journal of its own.

    Args:
        evaluate: of the objective.
        key: of the objective.
        folder: of the journals.
        mark: identity of the run.
    """

    evaluate: Callable[[Fit], list[FoldResult]]
    key: Callable[[Params, int], str]
    folder: Path
    mark: RunMark
    _journal: Journal | None = field(default=None, repr=False)

    def __call__(self, fit: Fit) -> list[FoldResult]:
        """Evaluate, and write the results into the journal."""
        # In the form that the run will record: a score that is not finite becomes a failure.
        results = [result.checked() for result in self.evaluate(fit)]
        scored = zip(fit.all_candidates, results, strict=False)
        self._of_this_process().note({self.key(params, fit.fold): r for params, r in scored})
        return results

    def _of_this_process(self) -> Journal:
        # After a fork, the child must not write into the journal of its parent.
        if self._journal is None or self._journal.owner != os.getpid():
            self._journal = Journal(self.folder, self.mark)
        return self._journal

    @classmethod
    def of(cls, objective: Objective, ledger: "Ledger", run_id: int, folder: Path) -> "Journaled":
        """Wrap an objective, for a run that has begun."""
        objective.key({}, 0)  # finds, for all workers, what the keys of a fold have in common
        mark = RunMark(run_id, ledger.started(run_id))
        return cls(objective.evaluate, objective.key, folder, mark)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_journal": None}
