"""Digests that tell which results a table of predictions belongs to."""

from tunesmith.history import Trial
from tunesmith.ledger.records import StudyRecord
from tunesmith.system.fingerprint import digest

N_DIGITS = 16


def evaluation_of(record: StudyRecord, trial: Trial) -> str:
    """Return the digest of a trial with its scores: 16 hexadecimal digits.

    The ledger and a history of the same study give the same one. Evaluated anew with another
    result, a trial has another one.

    Args:
        record: of the study.
        trial: completed.
    """
    name = record.objectives[0].name
    scores = [fold.scores.get(name) for fold in trial.folds]
    return digest([record.head.identity, trial.key, scores])[:N_DIGITS]
