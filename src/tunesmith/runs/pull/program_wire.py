"""Form of the runs of programs: beside their results, the files that they leave come home.

A worker keeps nothing. Logs, artifacts and predictions lie in the run's own folder afterwards, as
if the program had run there; a state to continue from goes out with the fit, and comes back with
its answer.
"""

import json
import re
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.errors import ExitCode
from tunesmith.history import FoldResult
from tunesmith.objective.objective import Objective
from tunesmith.objective.program.objective import ProgramObjective
from tunesmith.objective.program.observing.reading import changed_names
from tunesmith.objective.program.observing.states import EVERYTHING, TOP
from tunesmith.objective.program.runner import SOURCE
from tunesmith.runs.pull.carried import CarriedFileError, pack, unpack
from tunesmith.runs.pull.coordinator import RefusedAnswerError
from tunesmith.runs.pull.wire import FitWire
from tunesmith.system.files import make_state_folder
from tunesmith.types import Fit, Params

KEY = re.compile(r"[0-9a-f]{32}")
ROOT = "root"
"""Name in a run's wants of its project folder."""
MOST_NAMED = 5


class OtherFilesError(RefusedAnswerError):
    """A program has read files on a worker that are others in the run.

    Args:
        names: of the files, in a reading.
        host: of the worker.
    """

    # As for a worker that differs before its first fit.
    exit_code = ExitCode.USAGE

    def __init__(self, names: list[str], host: str) -> None:
        shown = [WORDS.get(name, name) for name in names[:MOST_NAMED]]
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        super().__init__(
            f"the program has read files on {host} that are not those of the run:"
            f" {', '.join(shown)}{more}. The result does not count, and the study ends here."
            "\n  Give that machine the same files, or end its workers, and run the study again: it"
            " continues."
        )


WORDS = {TOP: "the names in the project's folder", EVERYTHING: "the names of all files"}


@dataclass(frozen=True)
class ProgramWire(FitWire):
    """Writes runs of a program and reads their results, with the files that belong to them.

    Args:
        program: the objective.
    """

    program: ProgramObjective
    _of_run: dict[str, str] = field(default_factory=dict)
    """The run's own project folder, on a worker."""

    # -- in the run --------------------------------------------------------------------------

    def receive(self, text: str) -> None:
        """Compare what a program has read with the run's own files, and keep what it has left.

        Args:
            text: answer of a worker.

        Raises:
            RefusedAnswerError: it has read other files.
        """
        answer = json.loads(text)
        self._check_readings(answer)
        keys = {row["key"] for row in answer["rows"]}
        try:
            for key, entries in answer["files"].items():
                if key not in keys or not KEY.fullmatch(key):
                    raise CarriedFileError(f"a worker has answered with files of {key!r}")
                folder = self.program.runner.runs / key
                shutil.rmtree(folder, ignore_errors=True)
                make_state_folder(folder)
                unpack(entries, folder)
            if answer["state"] is not None:
                self._keep_state(**answer["state"])
        except CarriedFileError as error:
            raise RefusedAnswerError(str(error)) from None

    def _check_readings(self, answer: Mapping[str, Any]) -> None:
        view, source = self.program.runner.watching.view, self.program.runner.runs / SOURCE
        # What counts are the files with which the run began.
        begun = replace(view, source=source if source.is_dir() else None)
        for one in answer["readings"]:
            if changed := changed_names(begun, json.loads(one["content"])):
                raise OtherFilesError(changed, str(answer["host"]))

    def _keep_state(self, params: Params, fold: int, files: list[Any]) -> None:
        checkpoints = self.program.runner.checkpoints
        if checkpoints is None:
            return
        whole, rows = self.program.whole(params), self.program.rows(fold)
        own, before = checkpoints.own(whole, rows), checkpoints.before(whole, rows)
        checkpoints.discard(own)
        make_state_folder(own)
        unpack(files, own)
        checkpoints.keep(own, before)

    def _sent_along(self, item: Fit) -> dict[str, Any]:
        """Return the state that the program continues from, with its budget."""
        checkpoints = self.program.runner.checkpoints
        if checkpoints is None:
            return {}
        (params,) = item.candidates
        before = checkpoints.before(self.program.whole(params), self.program.rows(item.fold))
        return {"state": None if before is None else [before.name, pack(before, STATES)]}

    # -- on a worker -------------------------------------------------------------------------

    def admitted(self, wanted: Mapping[str, Any]) -> None:
        """Hear of the run whose fits follow."""
        self._of_run[ROOT] = str(wanted[ROOT])

    def _begin(self, fit: Fit, content: Mapping[str, Any]) -> None:
        """Lay out the state that the program continues from, and no other one."""
        checkpoints = self.program.runner.checkpoints
        if checkpoints is None:
            return
        whole, rows = self.program.whole(fit.candidates[0]), self.program.rows(fit.fold)
        states = checkpoints.all_of(whole, rows)
        shutil.rmtree(states, ignore_errors=True)
        if content["state"] is not None:
            budget, entries = content["state"]
            before = states / str(int(budget))
            unpack(entries, before)
            checkpoints.keep(before, None)

    def _named(self, reading: Mapping[str, str] | None) -> Mapping[str, str] | None:
        """Name files in the project as the run does, whose project lies elsewhere."""
        own, there = f"{self.program.runner.root}/", self._of_run.get(ROOT)
        if reading is None or there is None:
            return reading
        return {
            f"{there}/{name[len(own) :]}" if name.startswith(own) else name: state
            for name, state in reading.items()
        }

    def _brought(self, fit: Fit, results: Sequence[FoldResult]) -> dict[str, Any]:  # noqa: ARG002
        """Return the files that the program has left, which are removed here."""
        (params,) = fit.candidates
        key = self.program.key(params, fit.fold)
        folder = self.program.runner.runs / key
        files = {key: pack(folder, FILES)} if folder.is_dir() else {}
        shutil.rmtree(folder, ignore_errors=True)
        state, checkpoints = None, self.program.runner.checkpoints
        if checkpoints is not None:
            whole, rows = self.program.whole(params), self.program.rows(fit.fold)
            if checkpoints.is_kept(own := checkpoints.own(whole, rows)):
                state = {"params": dict(params), "fold": fit.fold, "files": pack(own, STATES)}
            shutil.rmtree(checkpoints.all_of(whole, rows), ignore_errors=True)
        return {"files": files, "state": state, "host": socket.gethostname()}


FILES = "the logs, artifacts and predictions of a run of the program"
STATES = "the files of a checkpoint"


def wire_of(objective: Objective, study: Definition) -> FitWire:
    """Return the form of the fits of an objective.

    Args:
        objective: of a study.
        study: its definition.
    """
    if not study.file.objective.is_program:
        return FitWire(objective, search=None if study.outer is None else study.outer.number)
    assert isinstance(objective, ProgramObjective)  # noqa: S101 - it has a command
    return ProgramWire(objective, objective)
