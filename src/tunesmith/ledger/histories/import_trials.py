"""Import of the history of another ledger into a series of trials."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import TypeAlias

from tunesmith.history import HOLDOUT, FoldResult, History, Holds, Trial, always
from tunesmith.ledger.histories.portable import TAKEN_FROM
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord
from tunesmith.types import NOT_RECORDED, Params

Key: TypeAlias = Callable[[Params, int], str]
"""(params, fold) -> key of the evaluation."""
Completed: TypeAlias = tuple[Trial, list[str]]
"""A trial and the keys of its folds."""


def take_over(
    ledger: Ledger, record: StudyRecord, key: Key, source: str, holds: Holds = always
) -> int:
    """Import the trials of a record that go beyond those of the ledger.

    Nothing is imported if the trials here are others, or were begun to replace earlier ones.

    Args:
        ledger: open for writing.
        record: record of the series, as ``read_history`` returns it.
        key: builds the key of an evaluation.
        source: origin of the record, for the provenance.
        holds: tells if the files of a reading are unchanged.

    Returns:
        Number of imported trials.
    """
    first = record.head
    head = ledger.begin_study(
        first.name,
        first.identity,
        first.definition,
        context=first.context,
        metrics=record.metrics,
        objectives=record.objectives,
        holds=holds,
    )
    here = ledger.log(head.id).completed
    if head.since_run is not None or not are_alike(here, record.history):
        return 0
    # A shorter history may tell of notes, too.
    for number, texts in record.notes.items():
        ledger.add_notes(head.id, number, texts)
    if not goes_on(here, record.history):
        return 0
    # Behind a trial that no longer counts, all are proposed again.
    reliable = takewhile(_counts, record.history.completed)
    completed = list(reliable)[len(here) :]
    for part in _without_conflicts(completed, key):
        _write(ledger, head.id, record, part=part, key=key, source=source)
    return len(completed)


def _counts(trial: Trial) -> bool:
    return all(fold.counts for fold in trial.folds)


def goes_on(here: Sequence[Trial], other: History) -> bool:
    """True if a history begins with these trials."""
    return len(here) <= other.n_completed and are_alike(here, other)


def are_alike(here: Sequence[Trial], other: History) -> bool:
    """True if these trials and a history have the same trials, as far as both go."""
    pairs = zip(here, other.completed, strict=False)
    return all(_content(a) == _content(b) for a, b in pairs)


def _content(trial: Trial) -> tuple[str, list[Mapping[str, float]]]:
    return trial.key, [fold.scores for fold in trial.folds]


def _without_conflicts(completed: Sequence[Trial], key: Key) -> Iterator[list[Completed]]:
    """Split trials, in order, into parts without contradicting evaluations.

    A contradiction arises if one run failed by a time limit and a later one did not.
    """
    part: list[Completed] = []
    known: dict[str, FoldResult] = {}
    for trial in completed:
        keys = [key(trial.params, fold.fold) for fold in trial.folds]
        own = dict(zip(keys, trial.folds, strict=True))
        # Compared as text: 0.0, -0.0 and 0 are equal, and not the same.
        if any(repr(known.get(name, result)) != repr(result) for name, result in own.items()):
            yield part
            part, known = [], {}
        part.append((trial, keys))
        known |= own
    if part:
        yield part


def _write(
    ledger: Ledger,
    study_id: int,
    record: StudyRecord,
    *,
    part: Sequence[Completed],
    key: Key,
    source: str,
) -> None:
    """Record one run that represents those of the other ledger."""
    origin = record.origin
    provenance = {**(origin.provenance if origin else {}), TAKEN_FROM: source}
    run_id = ledger.begin_run(study_id, provenance)
    results = {
        name: fold for trial, keys in part for name, fold in zip(keys, trial.folds, strict=True)
    }
    ledger.record(study_id, run_id, results=results, completed=part)
    for trial, _ in part:
        result = record.holdout.get(trial.number)
        if result is not None and result.counts:
            place = key(trial.params, HOLDOUT)
            ledger.record_holdout(study_id, run_id, number=trial.number, key=place, result=result)
        _write_further(ledger, study_id, run_id, trial=trial, record=record, key=key)
    ledger.end_run(run_id, record.stopped_by or NOT_RECORDED, len(results), 0, 0)


def _write_further(
    ledger: Ledger, study_id: int, run_id: int, *, trial: Trial, record: StudyRecord, key: Key
) -> None:
    """Record a trial's results on further splits, up to the first that no longer counts."""
    reliable = takewhile(lambda result: result.counts, record.further.get(trial.number, ()))
    keyed = {key(trial.params, result.fold): result for result in reliable}
    links = [(trial.number, result.fold, place) for place, result in keyed.items()]
    if links:
        ledger.record_apart(study_id, run_id, links, keyed)
