"""The executor ``pull``: workers on other machines take its calls from the ledger's database."""

import os
import socket
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.execute.executor import Call
from tunesmith.ledger.leases.postgresql import PostgresLeases
from tunesmith.runs.pull.access import server_of
from tunesmith.runs.pull.coordinator import PATIENCE_S, Coordinator, StudyPlace
from tunesmith.runs.pull.program_wire import wire_of
from tunesmith.runs.pull.wants import Offering, Wants

EXPECTED = 16
"""Number of fits at a time that is expected, unless ``execution: {workers: …}`` says it."""

SHARED = (
    "objective.workspace: with `shared`, programs run in a worker's checkout itself, which nothing"
    " keeps as it was when it was compared with the run.\n  Leave the key out: each run then works"
    " in a copy. Or use another executor, such as `processes`."
)
"""Reason for which programs that share their folder are refused."""


class PullExecutor(Coordinator):
    """Offers the fits of a run to workers.

    Args:
        function: not used: workers build the objective from their own checkout.
        n_workers: number of fits at a time that is expected.
        timeout_s: not used: workers read it in their own configuration.
        offering: the run.
        gpus: not used: each worker shares out the GPUs of its machine.
        patience_s: seconds to wait for a database that does not answer.
        insecure: accept a server elsewhere without TLS.

    Raises:
        UsageError: the study cannot be made by workers, or the ledger is no server.
    """

    sizes_itself = True
    """True: the number of workers is not that of this machine's cores."""
    is_offering = True
    """True: it needs the run whose fits it offers."""

    def __init__(
        self,
        function: Call,  # noqa: ARG002 - the shape that all executors share
        *,
        n_workers: int | None = None,
        timeout_s: float | None = None,  # noqa: ARG002
        offering: Offering | None = None,
        gpus: int | None = None,  # noqa: ARG002
        patience_s: float = PATIENCE_S,
        insecure: bool = False,
    ) -> None:
        checked = _checked(offering)
        definition, objective = checked.definition, checked.objective
        url = server_of(definition.ledger, insecure=insecure is True)
        place = StudyPlace(
            # All searches of nested cross-validation have the seat of their study.
            study=definition.main_study,
            run_id=checked.run_id,
            wanted=Wants(definition, objective).content(),
            name=f"{socket.gethostname()}, process {os.getpid()}",
        )
        self._leases = PostgresLeases(url, f"tunesmith-run {os.getpid()}")
        try:
            super().__init__(
                self._leases,
                wire_of(objective, definition),
                place,
                n_workers=n_workers or EXPECTED,
                say=checked.say,
                patience_s=_seconds(patience_s),
            )
        except BaseException:
            self._leases.close()
            raise

    def _abandon(self) -> None:
        super()._abandon()
        self._leases.close()

    def close(self) -> None:
        """Withdraw all fits, give up the seat, and close the connections."""
        try:
            super().close()
        finally:
            self._leases.close()


def _checked(offering: Offering | None) -> Offering:
    """Return the run, if workers can build its objective.

    Raises:
        UsageError: they cannot.
    """
    if offering is None or offering.definition.source is None:
        raise UsageError(
            "execution.executor: pull needs the file of a study in a project, since workers build"
            " the fits from their own checkout.\n  Write a tuning.yaml, or use another executor:"
            " `processes`, or `dask` for objects in memory."
        )
    file = offering.definition.file
    if file.objective.is_program and file.objective.workspace.mode == "shared":
        raise UsageError(SHARED)
    return offering


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise UsageError(f"execution.options.patience_s: expected seconds, found {value!r}.")
    return float(value)
