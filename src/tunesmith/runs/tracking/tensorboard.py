"""TensorBoard: a file of events for each trial, with its hyperparameters and its metrics.

The file is made in memory and written in one step. TensorBoard's own writers append to it from a
thread, and one that is killed leaves half a trial, which nobody could tell from a whole one.
"""

import io
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import StorageError
from tunesmith.runs.tracking.seam import (
    TrackedEnd,
    TrackedStudy,
    TrackedTrial,
    as_text,
    finite,
)
from tunesmith.system.files import write_atomic
from tunesmith.types import State

FOLDER = "tensorboard"
EVENTS = "events.out.tfevents"
"""Part of the name by which TensorBoard knows a file of events."""
FOLDS = "folds/"
"""Tags of single folds start with this, so that TensorBoard lists them apart from the means."""


class TensorBoardTracker:
    """Writes the trials of a study for TensorBoard and its page of hyperparameters.

    Args:
        address: folder of logs, for ``tensorboard --logdir``; by default ``tensorboard``.
    """

    def __init__(self, address: str | None = None) -> None:
        try:
            from tensorboard.plugins.hparams import summary_v2
            from tensorboard.summary.writer import record_writer
        except ImportError as error:
            raise StorageError(
                f"tensorboard: {error.name} is not installed."
                "\n  Install it: pip install 'tunesmith[tensorboard]'"
            ) from None
        self._hparams, self._records = summary_v2.hparams_pb, record_writer.RecordWriter
        self._root = Path(address or FOLDER)
        self._folder = self._root
        self._group = ""

    def begin(self, study: TrackedStudy) -> None:
        """Name the folder of the study; its series of trials have folders of their own in it."""
        self._group = study.short_uid
        self._folder = self._root / study.name / self._group
        facts = "\n".join(f"- {name}: {value}" for name, value in study.facts.items())
        self._write(self._folder, f"{0:010d}", [_text("study", facts)])

    def numbers(self) -> set[int]:
        """Numbers of the trials that have a file of events: it is written as a whole."""
        files = self._folder.glob(f"*/{EVENTS}.*")
        return {int(file.parent.name) for file in files if file.parent.name.isdecimal()}

    def trial(self, trial: TrackedTrial) -> None:
        """Write the file of a trial."""
        params = {name: _value(value) for name, value in trial.params.items()}
        summaries = [self._hparams(params, trial_id=f"{trial.number}/{self._group}")]
        scores = {**finite(trial.means), "fit_time_s": trial.fit_time_s}
        summaries += [_scalars(scores)]
        folder = self._folder / f"{trial.number:06d}"
        reason = f": {trial.failure}" if trial.failure else ""
        summaries += [_text("state", f"{trial.state}{reason}"), _text("origin", trial.origin)]
        folds = [_scalars(finite(scores), FOLDS) for scores in trial.folds]
        ended = _ended(trial)
        self._write(folder, f"{0:010d}", [*summaries, *folds[:1], ended], folds[1:])

    def finish(self, end: TrackedEnd) -> None:
        """Write the best trial, its means and the texts; a file of its own for each state."""
        best = "none" if end.best is None else str(end.best)
        texts = {"best_trial": best, "stopped_by": end.stopped_by, **end.texts}
        summaries = [_text(name.removesuffix(".md"), text) for name, text in texts.items() if text]
        name = f"{end.n_trials:010d}.{'texts' if end.texts else 'numbers'}"
        self._write(
            self._folder, name, [_scalars(finite(end.means)), *summaries], step=end.n_trials
        )

    def _write(
        self, folder: Path, name: str, first: list[Any], later: Iterable[Any] = (), step: int = 0
    ) -> None:
        """Write a file of events, unless there is one of this name.

        Args:
            folder: gets the file.
            name: the end of its name; TensorBoard reads files in the order of their names.
            first: summaries of the first step.
            later: a summary for each step after it.
            step: number of the first step.
        """
        from tensorboard.compat.proto.event_pb2 import Event

        path = folder / f"{EVENTS}.{name}"
        if path.exists():
            return
        buffer = io.BytesIO()
        records, now = self._records(buffer), time.time()
        records.write(Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
        steps = [(step, summary) for summary in first]
        steps += [(step + n, summary) for n, summary in enumerate(later, 1)]
        for number, summary in steps:
            records.write(Event(wall_time=now, step=number, summary=summary).SerializeToString())
        write_atomic(path, buffer.getvalue())


def _value(value: Any) -> float | str | bool:
    """Value as TensorBoard takes it: a number, a text, or a truth value."""
    return value if isinstance(value, bool | int | float | str) else as_text(value)


def _scalars(scores: Mapping[str, float], start: str = "") -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    values = [Summary.Value(tag=start + name, simple_value=v) for name, v in scores.items()]
    return Summary(value=values)


def _text(tag: str, text: str) -> Any:
    """Return a summary that TensorBoard shows as Markdown."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.util import tensor_util

    plugin = SummaryMetadata.PluginData(plugin_name="text")
    tensor = tensor_util.make_tensor_proto([text.encode()])
    metadata = SummaryMetadata(plugin_data=plugin)
    return Summary(value=[Summary.Value(tag=tag, tensor=tensor, metadata=metadata)])


def _ended(trial: TrackedTrial) -> Any:
    """Return the end of a trial, as the page of hyperparameters knows it."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    # A pruned one is neither a success nor a failure.
    known = {State.COMPLETE: api_pb2.STATUS_SUCCESS, State.FAILED: api_pb2.STATUS_FAILURE}
    status = known.get(trial.state, api_pb2.STATUS_UNKNOWN)
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    # Made by hand: TensorBoard's own function for it imports TensorFlow.
    content = plugin_data_pb2.HParamsPluginData(session_end_info=end)
    value = Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(content),
        tensor=metadata.NULL_TENSOR,
    )
    return Summary(value=[value])
