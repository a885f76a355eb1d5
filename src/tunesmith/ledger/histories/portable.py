"""A study's history as text, which Git keeps and a fresh clone continues from.

One line describes the series of trials, one the run that made its results. A line per completed
trial follows, in order, one per winner on the hold-out rows, one per trial that was scored on
further splits, and one per note that somebody wrote about a trial. Several studies follow each
other.
Nothing in it comes from a clock, so the same history gives the same bytes; only if ``selection:
fastest`` chooses by time does it contain the times of fits. Tracebacks stay in the ledger.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tunesmith.errors import UsageError
from tunesmith.history import (
    FURTHER,
    HOLDOUT,
    LAW,
    OLD_LAW,
    Failure,
    FoldResult,
    Metric,
    Trial,
    TrialLog,
)
from tunesmith.ledger.outdated import PREFIX, may_have_shared
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import RunRecord, StudyHead, StudyRecord
from tunesmith.ledger.rows import json_text
from tunesmith.types import Direction, State, StopReason

KIND = "tunesmith-history"
SCHEMA_VERSION = 5
"""Version of the text; since 2, folds tell how their fit was shared; since 3, there are results on
further splits; since 4, notes; since 5, parts of the rows in the scores."""
TAKEN_FROM = "taken_from"
"""Key in the provenance of a run that evaluated nothing itself: the file that it read."""


class HistoryError(UsageError):
    """A text is no history, or one that this version cannot read."""


# -- the lines -------------------------------------------------------------------------------


class HistoryLine(BaseModel):
    """One JSON object of the text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


Number = int | float
Listed = Field(strict=False)
"""Field of a tuple, which is a list in JSON."""
Step = Annotated[tuple[int, Number], Listed]
NamedMetric = Annotated[tuple[str, Direction], Listed]


class HeadLine(HistoryLine):
    """Description of the series of trials."""

    kind: Literal["tunesmith-history"]
    schema_version: Literal[1, 2, 3, 4, 5]
    study: str
    identity: str
    context: dict[str, str]
    definition: dict[str, Any]
    metrics: list[NamedMetric] = Field(min_length=1)
    n_objectives: int = Field(ge=1)
    reading: dict[str, str] = Field(default_factory=dict)


class RunLine(HistoryLine):
    """Origin of the results: the last run that evaluated something."""

    stopped_by: str | None
    provenance: dict[str, Any]

    def record(self, n_evaluated: int) -> RunRecord:
        """Build the run; a history tells of no clocks."""
        reason = StopReason.read(self.stopped_by)
        return RunRecord(
            id=0,
            started="",
            ended=None,
            stopped_by=reason,
            n_evaluated=n_evaluated,
            n_reused=0,
            n_fits=0,
            provenance=self.provenance,
        )


class FailureLine(HistoryLine):
    """Reason why a fold has no score."""

    kind: str
    message: str


class FoldLine(HistoryLine):
    """Result of one fit; usual values are left out."""

    scores: dict[str, Number]
    failure: FailureLine | None = None
    warning: str = ""
    progress: list[Step] = Field(default_factory=list)
    stopped_at: int | None = None
    n_sharing: int = Field(default=1, ge=1)
    ways: list[str] = Field(default_factory=list)
    """Sharing methods of its fit."""
    law: int | None = None
    """Version of the sharing rules at that time; left out if the fit was not shared."""
    parts: str = ""
    """Parts of the rows in the score by the first metric, as ``data/row_blocks`` writes them."""
    times: Annotated[tuple[Number, Number], Listed] = (0.0, 0.0)
    """Seconds of fitting and of scoring."""


class TrialLine(HistoryLine):
    """A completed trial."""

    trial: int = Field(ge=0)
    origin: str
    state: Literal["complete", "pruned", "failed"]
    params: dict[str, Any]
    proposed: dict[str, Any] | None = None
    n_points: int = Field(default=1, ge=1)
    folds: list[FoldLine] = Field(min_length=1)


class HoldoutLine(HistoryLine):
    """A winner's score on the held-out rows."""

    holdout: int = Field(ge=0)
    result: FoldLine


class FurtherLine(HistoryLine):
    """A trial's results on further splits, in the order of the splits."""

    further: int = Field(ge=0)
    folds: list[FoldLine] = Field(min_length=1)


class NoteLine(HistoryLine):
    """A note on a trial."""

    note: int = Field(ge=0)
    text: str = Field(min_length=1)


# -- writing ---------------------------------------------------------------------------------


def write_history(records: Iterable[StudyRecord]) -> str:
    """Write the completed trials of studies as text.

    Args:
        records: of the study, and of the searches of its nested cross-validation.
    """
    return "".join(f"{_line(content)}\n" for record in records for content in _contents(record))


def _contents(record: StudyRecord) -> Iterator[dict[str, Any]]:
    head = record.head
    yield {
        "kind": KIND,
        "schema_version": _version_of(record),
        "study": head.name,
        "identity": head.identity,
        "context": dict(head.context),
        "definition": dict(head.definition),
        "metrics": [[metric.name, metric.direction] for metric in record.metrics],
        "n_objectives": len(record.objectives),
        # Left out if it is empty: histories of estimators keep the bytes that they had before.
        **({"reading": dict(head.reading)} if head.reading else {}),
    }
    if record.origin is not None:
        yield _run(record, record.origin)
    has_times = record.recorded.selection == "fastest"
    for trial in record.history.completed:
        yield _trial(trial, has_times)
    for number, result in sorted(record.holdout.items()):
        yield {"holdout": number, "result": _fold(result, has_times)}
    for number, results in sorted(record.further.items()):
        yield {"further": number, "folds": [_fold(result, has_times) for result in results]}
    for number, texts in sorted(record.notes.items()):
        yield from ({"note": number, "text": text} for text in texts)


def _version_of(record: StudyRecord) -> int:
    """Oldest version that can hold it: histories of single fits stay as they are."""
    if any(result.parts for result in record.all_results):
        return SCHEMA_VERSION
    if record.notes:
        return 4
    if record.further:
        return 3
    return 2 if any(f.is_shared and f.counts for f in record.all_results) else 1


def _run(record: StudyRecord, origin: RunRecord) -> dict[str, Any]:
    # The place that this ledger imported from is no part of the results.
    provenance = {k: v for k, v in origin.provenance.items() if k != TAKEN_FROM}
    reason = record.stopped_by
    return {"stopped_by": reason and reason.text, "provenance": provenance}


def _trial(trial: Trial, has_times: bool) -> dict[str, Any]:
    line: dict[str, Any] = {
        "trial": trial.number,
        "origin": trial.origin,
        "state": trial.state.value,
        "params": dict(trial.params),
    }
    if trial.proposed is not None:
        line["proposed"] = dict(trial.proposed)
    if trial.n_points != 1:
        line["n_points"] = trial.n_points
    return {**line, "folds": [_fold(fold, has_times) for fold in trial.folds]}


def _fold(result: FoldResult, has_times: bool) -> dict[str, Any]:
    failure = result.failure
    line = {
        "scores": dict(result.scores),
        "failure": failure and {"kind": failure.kind, "message": failure.message},
        "warning": result.warning,
        "progress": [list(step) for step in result.progress],
        "stopped_at": result.stopped_at,
        "n_sharing": None if result.n_sharing == 1 else result.n_sharing,
        "ways": list(result.ways) if result.counts else [],
        "law": result.law if result.is_shared and result.counts else None,
        "parts": result.parts,
        "times": [result.fit_time_s, result.score_time_s] if has_times else None,
    }
    return {name: value for name, value in line.items() if value not in (None, "", [])}


def _line(content: Mapping[str, Any]) -> str:
    """Write one line: its keys in their order, everything below sorted by name."""
    return "{" + ", ".join(f"{json_text(k)}: {json_text(v)}" for k, v in content.items()) + "}"


# -- reading ---------------------------------------------------------------------------------


def read_history(text: str) -> dict[str, StudyRecord]:
    """Read the studies of a text, by name, the first one first.

    Such a record has no clock times, and one run: the one that made its results.

    Raises:
        HistoryError: it is no history, incomplete, or of a newer version; the message names the
            line.
    """
    by_study: dict[str, StudyLines] = {}
    section = None
    # Not `splitlines`, which also parts lines at characters that a JSON text may hold.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            content = json_object(line)
            if "kind" in content:
                section = StudyLines.of(content)
                by_study[section.head.study] = section
            elif section is None:
                raise HistoryError(f"expected a line with `kind: {KIND}` first")
            else:
                section.add(content)
        except ValidationError as error:
            raise HistoryError(f"line {number}: {first_error(error)}") from None
        except (ValueError, HistoryError, RecursionError) as error:
            raise HistoryError(f"line {number}: {error}") from None
    return {name: section.record() for name, section in by_study.items()}


def json_object(line: str) -> dict[str, Any]:
    """Parse the object of a line.

    Raises:
        ValueError: it is no JSON, or has an infinite number.
        HistoryError: it is no object.
    """
    content = json.loads(line, parse_constant=_refuse, object_pairs_hook=_once)
    if not isinstance(content, dict):
        raise HistoryError("expected a JSON object")
    json_text(content)  # a number without end, as 1e999, has no place in it
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    # Which of two values is meant, nobody can tell; JSON's reader takes the last one.
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise HistoryError(f"the key `{twice}` is given twice")
    return found


def _refuse(word: str) -> None:
    raise HistoryError(f"{word} is no number of JSON")


def first_error(error: ValidationError) -> str:
    """Describe the first violation in a line."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


@dataclass
class StudyLines:
    """Lines of one study, added one by one."""

    head: HeadLine
    log: TrialLog
    _: KW_ONLY
    run: RunLine | None = None
    holdout: dict[int, FoldResult] = field(default_factory=dict)
    further: dict[int, tuple[FoldResult, ...]] = field(default_factory=dict)
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def unsaid(self) -> tuple[str, ...]:
        """Sharing methods that an earlier version may have used for single fits without a note."""
        recorded = RecordedStudy.of(self.head.definition)
        is_old = self.head.schema_version == 1
        return (PREFIX,) if is_old and may_have_shared(recorded, self.head.study) else ()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "StudyLines":
        """Begin with the head line.

        Raises:
            HistoryError: it is of a newer version.
            ValidationError: it is no head.
        """
        version = content.get("schema_version")
        if content.get("kind") == KIND and isinstance(version, int) and version > SCHEMA_VERSION:
            raise HistoryError(f"it needs a newer Tunesmith (its version is {version})")
        head = HeadLine.model_validate(content)
        metrics = _metrics(head)
        subject_to = RecordedStudy.of(head.definition).subject_to
        return cls(head, TrialLog(metrics[: head.n_objectives], subject_to))

    def add(self, content: Mapping[str, Any]) -> None:
        """Add another line.

        Raises:
            HistoryError: it contradicts the lines before.
            ValidationError: it is no valid line.
        """
        if "trial" in content:
            self._tell(TrialLine.model_validate(content))
        elif "holdout" in content:
            line = HoldoutLine.model_validate(content)
            result = _fold_result(HOLDOUT, line.result, self.unsaid)
            self.holdout[line.holdout] = self._read(result)
        elif "further" in content:
            self._add_further(FurtherLine.model_validate(content))
        elif "note" in content:
            note = NoteLine.model_validate(content)
            self.notes[note.note] = (*self.notes.get(note.note, ()), note.text)
        else:
            self.run = RunLine.model_validate(content)
            if not isinstance(self.run.provenance.get("definition"), dict):
                raise HistoryError("its provenance lacks the definition")

    def _add_further(self, line: FurtherLine) -> None:
        self.further[line.further] = tuple(
            self._read(_fold_result(FURTHER - place, one, self.unsaid))
            for place, one in enumerate(line.folds)
        )

    def _tell(self, line: TrialLine) -> None:
        number = len(self.log.completed)
        if line.trial != number:
            raise HistoryError(f"expected trial {number}, not trial {line.trial}")
        proposed = line.params if line.proposed is None else line.proposed
        trial = self.log.ask(proposed, json_text(proposed), line.origin)
        folds = [
            self._read(_fold_result(fold, one, self.unsaid)) for fold, one in enumerate(line.folds)
        ]
        completed = replace(
            trial,
            params=line.params,
            key=json_text(line.params),
            proposed=line.proposed,
            n_points=line.n_points,
        ).completed(folds, self._n_folds if line.state == State.PRUNED.value else None)
        # That a trial ended before its full budget shows in no fold's result.
        states = (
            completed.state,
            State.PRUNED if completed.state is State.COMPLETE else completed.state,
        )
        if line.state not in states:
            raise HistoryError(f"trial {number} is said to be {line.state}, not so by its folds")
        self.log.tell(replace(completed, state=State(line.state)))

    @property
    def _n_folds(self) -> int | None:
        """Folds of the study: those of its first trial, which no race stops."""
        first = next(iter(self.log.completed), None)
        return None if first is None else len(first.folds)

    def _read(self, result: FoldResult) -> FoldResult:
        """Files that any of the trials may have read: all that the series has."""
        return replace(result, reading=self.head.reading) if self.head.reading else result

    def record(self) -> StudyRecord:
        """Build the study from the lines."""
        head, run = self.head, self.run
        n = sum(len(trial.folds) for trial in self.log.completed)
        return StudyRecord(
            StudyHead(
                id=0,
                name=head.study,
                generation=0,
                identity=head.identity,
                context=head.context,
                definition=head.definition,
                reading=head.reading,
            ),
            _metrics(head),
            self.log.view(),
            () if run is None else (run.record(n),),
            self.holdout,
            further=self.further,
            notes=self.notes,
        )


def _metrics(head: HeadLine) -> tuple[Metric, ...]:
    return tuple(Metric(name, direction) for name, direction in head.metrics)


def _fold_result(fold: int, line: FoldLine, ways: tuple[str, ...] = ()) -> FoldResult:
    """Build the result of a line.

    Args:
        fold: its number.
        line: line of the text.
        ways: sharing methods that its fit may have used if the line names none.
    """
    said = line.failure
    is_silent = line.law is None and (line.n_sharing > 1 or (bool(ways) and said is None))
    failure = None if said is None else Failure(said.kind, said.message)
    fit_time_s, score_time_s = line.times
    return FoldResult(
        fold,
        line.scores,
        fit_time_s=fit_time_s,
        score_time_s=score_time_s,
        failure=failure,
        n_sharing=line.n_sharing,
        warning=line.warning,
        progress=tuple(line.progress),
        stopped_at=line.stopped_at,
        ways=tuple(line.ways) or (ways if is_silent and line.n_sharing == 1 else ()),
        law=OLD_LAW if is_silent else LAW if line.law is None else line.law,
        parts=line.parts,
    )
