"""The searches of one study on a worker: its own, and those of nested cross-validation.

They come one after the other, under the same seat, and each has an objective of its own, which is
built when a run wants it. A fit names its search, since fits of the one before may still be on.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.ledger.leases.seam import AnswerKind, Lease
from tunesmith.objective.objective import Objective, know_checks
from tunesmith.runs.factory import build_objective
from tunesmith.runs.pull.local import LocalRunner
from tunesmith.runs.pull.program_wire import wire_of
from tunesmith.runs.pull.wants import OUTER, Wants, WorkerDiffersError
from tunesmith.runs.pull.wire import SEARCH, FitWire

Answers = Sequence[tuple[int, AnswerKind, str]]


@dataclass(frozen=True)
class PullSearch:
    """A search that fits belong to.

    Args:
        definition: of the study, or of the search of an outer fold.
        objective: built from it.
        wire: form of its fits.
    """

    definition: Definition
    objective: Objective
    wire: FitWire

    @classmethod
    def of(cls, study: Definition, objective: Objective) -> "PullSearch":
        """Return the search of a definition."""
        return cls(study, objective, wire_of(objective, study))


@dataclass
class Searches:
    """Searches by the number of their outer fold; ``None`` is the study's own."""

    main: PullSearch
    _built: dict[int, PullSearch] = field(default_factory=dict)

    def __getitem__(self, number: int | None) -> PullSearch:
        if number is None:
            return self.main
        if number not in self._built:
            main = self.main
            definition = main.definition.outer_searches(main.objective.context["data"])[number]
            # One at a time: each holds rows of its own.
            self._built = {number: PullSearch.of(definition, build_objective(definition))}
        return self._built[number]

    def admit(self, wanted: Mapping[str, Any]) -> PullSearch:
        """Compare the search that a run wants with the one here; return it.

        Raises:
            WorkerDiffersError: they differ.
        """
        number, n_outer = wanted.get(OUTER), self.main.definition.file.outer_folds
        if number is not None and not number < (n_outer or 0):
            study, here = self.main.definition.file.study, n_outer or "missing"
            apart = [f"outer fold {number} is wanted, and `outer_folds` is {here} here"]
            raise WorkerDiffersError(study, apart, (wanted.get("commit"), None))
        search = self[number]
        Wants(search.definition, search.objective).compare(wanted)
        # Before the first fit: later processes have the objective as it is then.
        know_checks(search.objective, wanted.get("passed", ()))
        search.wire.admitted(wanted)
        return search


class SearchRunner:
    """Runs the calls of several searches, each in processes of its own.

    Args:
        make: makes the runner of a search, by the number of its outer fold.
    """

    def __init__(self, make: Callable[[int | None], LocalRunner]) -> None:
        self._make = make
        self._runners: dict[int | None, LocalRunner] = {}

    def start(self, lease: Lease) -> None:
        """Begin a call.

        Raises:
            UsageError: it cannot be made here.
        """
        number = json.loads(lease.content).get(SEARCH)
        if number not in self._runners:
            self._runners[number] = self._make(number)
            self._close_idle(number)
        self._runners[number].start(lease)

    def stop(self, task: int) -> None:
        """Stop a call together with its process."""
        for runner in self._runners.values():
            runner.stop(task)

    def ended(self, timeout_s: float) -> Answers:
        """Wait for answers."""
        busy = [runner for runner in self._runners.values() if runner.is_busy]
        return [one for runner in busy for one in runner.ended(timeout_s / len(busy))]

    def close(self) -> None:
        """Stop all calls."""
        for runner in self._runners.values():
            runner.close()
        self._runners.clear()

    def _close_idle(self, newest: int | None) -> None:
        for number in [n for n, one in self._runners.items() if n != newest and not one.is_busy]:
            self._runners.pop(number).close()
