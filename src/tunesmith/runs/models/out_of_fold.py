"""The output ``predictions``: what fold models said of rows that they had not seen."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tunesmith.config.model import Definition
from tunesmith.config.models import PredictionsSection
from tunesmith.errors import NoResultError, UsageError, did_you_mean
from tunesmith.execute.executor import Executor
from tunesmith.history import FoldResult
from tunesmith.ledger.records import StudyRecord
from tunesmith.models.material import Material, ModelSource
from tunesmith.models.prediction_files import EVALUATION, check_form, write_predictions
from tunesmith.models.predictions import parts_of
from tunesmith.models.store import ModelStore
from tunesmith.runs.models.build import beside_of, best_trials, frames_of
from tunesmith.runs.models.evaluations import evaluation_of
from tunesmith.runs.models.keeping import Deliveries, answers_of_study, state_folder
from tunesmith.runs.outputs import Written
from tunesmith.study.again import evaluate_again
from tunesmith.study.signals import SignalGate
from tunesmith.system.files import inside, write_atomic
from tunesmith.system.fingerprint import digest, file_digest
from tunesmith.types import Fit, Params

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "predictions"
Say = Callable[[str], None]


class PredictionSource(Protocol):
    """Gives the predictions of trials, fold by fold."""

    @property
    def n_fits(self) -> int:
        """Fits that it had to make itself."""

    def has(self, params: Params, fold: int) -> bool:
        """True if the predictions of a fold are kept."""

    def take_in(self, result: FoldResult) -> None:
        """Take in what a fit that was repeated has left to this process."""

    def parts(self, number: int, params: Params) -> "Iterator[pd.DataFrame]":
        """Yield the table of a trial fold by fold."""


@dataclass
class EstimatorPredictions:
    """Predictions of an estimator's fold models.

    Args:
        objective: of the study.
        store: answers that the search has kept.
        columns: of the data, beside the predictions.
        deliveries: stores what workers hand over; ``None`` without a store.
    """

    objective: Any
    store: ModelStore | None
    columns: Sequence[str] = ()
    deliveries: Deliveries | None = None

    @cached_property
    def _material(self) -> Material:
        return Material(self.objective, self.store)

    @property
    def n_fits(self) -> int:
        """Fits that it had to make itself."""
        return self._material.n_fits

    def has(self, params: Params, fold: int) -> bool:
        """True if the predictions of a fold are kept."""
        return self._material.has_answers(params, fold)

    def take_in(self, result: FoldResult) -> None:
        """Store what workers on other machines have handed over."""
        if self.deliveries is not None:
            self.deliveries(result)

    def parts(self, number: int, params: Params) -> "Iterator[pd.DataFrame]":
        """Yield the table of a trial fold by fold."""
        beside = beside_of(self.objective, self.columns)
        yield from parts_of(self._material, number, params, beside)


def check_predictions(study: Definition, objective: Any) -> None:
    """Refuse predictions that could not be written when the search has ended.

    Args:
        study: its definition.
        objective: of the study.

    Raises:
        UsageError: the model predicts nothing, a column is unknown, or pyarrow is missing.
    """
    wanted = study.file.outputs.predictions
    if wanted is None:
        return
    check_form(Path(wanted.path))
    if not isinstance(objective, ModelSource):
        return
    model = objective.unfitted(getattr(objective, "default_params", {}))
    if not hasattr(model, "predict"):
        raise UsageError(
            f"outputs.predictions: {type(model).__name__} predicts nothing for rows that it has not"
            " seen. Leave the key out."
        )
    _check_columns(objective, wanted)


def _check_columns(objective: Any, wanted: PredictionsSection) -> None:
    known = [name for frame in frames_of(objective) for name in frame.columns]
    for name in wanted.columns:
        if name not in known:
            hint = did_you_mean(name, list(map(str, known)))
            raise UsageError(
                f"outputs.predictions.columns: the data has no column `{name}`. {hint}"
            )


def _source(
    study: Definition, wanted: PredictionsSection, objective: Any, say: Say
) -> PredictionSource:
    if not study.file.objective.is_program:
        store = answers_of_study(study)
        deliveries = None if store is None else Deliveries(store, "outputs.predictions", say)
        return EstimatorPredictions(objective, store, wanted.columns, deliveries)
    from tunesmith.runs.models.program_files import ProgramPredictions

    return ProgramPredictions(objective, wanted.columns)


@dataclass(kw_only=True)
class OutOfFold:
    """Collects the predictions of the best trials of a run, and writes them.

    Args:
        study: its definition, which asks for predictions.
        wanted: the section that does so.
        objective: of the study.
        source: of predictions.
        say: gets sentences that a user should read.
    """

    study: Definition
    wanted: PredictionsSection
    objective: Any
    source: PredictionSource
    say: Say
    n_fits: int = 0
    """Fits that were repeated."""
    _again: dict[tuple[int, int], FoldResult] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Definition, objective: Any, say: Say) -> "OutOfFold | None":
        """Return what collects the predictions of a study; ``None`` if none are asked for."""
        wanted = study.file.outputs.predictions
        # The searches of nested cross-validation have no outputs.
        if wanted is None or study.outer is not None:
            return None
        source = _source(study, wanted, objective, say)
        return cls(study=study, wanted=wanted, objective=objective, source=source, say=say)

    @property
    def path(self) -> Path:
        """Path of the file."""
        return inside(self.study.root, self.wanted.path)

    def repeat(self, record: StudyRecord, executor: Executor, gate: SignalGate) -> None:
        """Evaluate folds again whose predictions were not kept, as the search does.

        Args:
            record: of the study, whose search has ended.
            executor: of the study.
            gate: raises a signal that came.

        Raises:
            StopRequested: a signal came.
        """
        chosen = self._chosen(record)
        if not chosen or self._is_current(record, chosen):
            return
        fits = [
            (number, Fit(fold, (params,)))
            for number, params in chosen.items()
            for fold in range(self.objective.n_folds)
            if not self.source.has(params, fold)
        ]
        results = evaluate_again([fit for _, fit in fits], executor, gate)
        for result in results:
            self.source.take_in(result)
        self.n_fits += len(fits)
        for (number, fit), result in zip(fits, results, strict=True):
            self._compare(record, number, fit.fold, result)

    def _compare(self, record: StudyRecord, number: int, fold: int, result: FoldResult) -> None:
        """Say if a fold that was evaluated again has another score than before."""
        name = record.objectives[0].name
        before = next(one for one in record.history[number].folds if one.fold == fold)
        if result.failure is None and result.scores.get(name) == before.scores.get(name):
            return
        now = result.failure.kind if result.failure else result.scores.get(name)
        self.say(
            f"outputs.predictions: fold {fold} of trial {number} was evaluated again, since its"
            f" predictions were not kept, and gave {now} instead of {before.scores.get(name)}: its"
            " predictions are not those that were scored"
        )

    def write(self, record: StudyRecord) -> Written | None:
        """Write the file, unless it has these very predictions.

        Args:
            record: of the study, whose search has ended.

        Returns:
            The file; ``None`` if there is none, because no trial is usable or predicts nothing.

        Raises:
            StorageError: the file system refused.
        """
        chosen = self._chosen(record)
        if not chosen or self._is_current(record, chosen):
            return Written(self.path, False) if chosen else None
        before = self.source.n_fits
        try:
            changed = write_predictions(self._parts(record, chosen), self.path)
        except UsageError as error:
            # The results of the search are worth more than this file.
            self.say(f"outputs.predictions: {self.wanted.path} was not written: {error}")
            return None
        self.n_fits += self.source.n_fits - before
        if self.n_fits:
            kept = "1 fit was repeated" if self.n_fits == 1 else f"{self.n_fits} fits were repeated"
            self.say(f"outputs.predictions: {kept}, whose predictions had not been kept")
        write_atomic(self._stamp, json.dumps(self._content(record, chosen)) + "\n")
        return Written(self.path, changed)

    def _chosen(self, record: StudyRecord) -> dict[int, Params]:
        try:
            return best_trials(record, self.objective, self.wanted.trials)
        except NoResultError:
            return {}

    def _parts(self, record: StudyRecord, chosen: Mapping[int, Params]) -> "Iterator[pd.DataFrame]":
        for number, params in chosen.items():
            evaluation = evaluation_of(record, record.history[number])
            for part in self.source.parts(number, params):
                yield part.assign(**{EVALUATION: evaluation})

    # -- a file that is there already --------------------------------------------------------

    @property
    def _stamp(self) -> Path:
        return state_folder(self.study) / FOLDER / f"{self.study.file.study}.json"

    def _content(self, record: StudyRecord, chosen: Mapping[int, Params]) -> dict[str, Any]:
        """Describe the file and everything that it is made of."""
        evaluations = [evaluation_of(record, record.history[number]) for number in chosen]
        made_of = digest([self.wanted.model_dump(mode="json"), list(chosen), evaluations])
        return {"made_of": made_of, "file": file_digest([self.path])}

    def _is_current(self, record: StudyRecord, chosen: Mapping[int, Params]) -> bool:
        """True if this machine has written the file from the same results, and nobody changed it.

        So a run that evaluates nothing fits nothing for it either.
        """
        with suppress(OSError, ValueError, RecursionError):
            known = json.loads(self._stamp.read_text(encoding="utf-8"))
            return bool(known == self._content(record, chosen))
        return False
