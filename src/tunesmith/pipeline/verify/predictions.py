"""Verification of the table of out-of-fold predictions."""

from collections.abc import Iterator

from tunesmith.analysis.chosen import chosen_trial
from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.pipeline.findings import Finding
from tunesmith.system.files import inside

REMAKE = "`tunesmith run` writes it."


def of_predictions(study: Definition, record: StudyRecord) -> Iterator[Finding]:
    """Yield a finding if the file lacks, or has no predictions of the winner as it was scored.

    Args:
        study: its definition.
        record: of the study.
    """
    wanted = study.file.outputs.predictions
    winner = chosen_trial(record.history, record.recorded, record.metrics)
    if wanted is None or winner is None:
        return
    path = inside(study.root, wanted.path)
    expected = f"predictions of trial {winner.number}"
    if not path.is_file():
        yield Finding(wanted.path, "is missing", expected, REMAKE)
        return
    # Other studies are verified without these libraries.
    from tunesmith.models.prediction_files import EVALUATION, read_predictions
    from tunesmith.runs.models.evaluations import evaluation_of

    try:
        found = set(read_predictions(path, [EVALUATION])[EVALUATION])
    except UsageError as error:
        yield Finding(wanted.path, str(error), expected, REMAKE)
        return
    if evaluation_of(record, winner) not in found:
        yield Finding(wanted.path, "belongs to other results", expected, REMAKE)
