"""Predictions of the winner in its summary, from the file of a run or from its store."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.config.model import Definition, OutputsSection
from tunesmith.errors import UsageError
from tunesmith.ledger.records import StudyRecord
from tunesmith.system.files import inside


def summary_of(
    study: Definition,
    record: StudyRecord,
    policy: Policy | None = None,
    nested: Sequence[StudyRecord] = (),
) -> Summary:
    """Compute the summary of a study, with its predictions.

    Args:
        study: its definition.
        record: of the study.
        policy: rules of the choice; by default those of the last run.
        nested: the searches of its nested cross-validation.
    """
    summary = summarise(record, policy, nested=nested)
    return with_predictions(summary, record, study.root, study.file.outputs)


def with_predictions(
    summary: Summary, record: StudyRecord, root: Path, outputs: OutputsSection
) -> Summary:
    """Return a summary with a look at the winner's predictions, if their file is there.

    A file of other results, or one that cannot be read, counts as none.

    Args:
        summary: of the study.
        record: of the study.
        root: the project folder.
        outputs: of the study.
    """
    chosen = summary.chosen
    if outputs.predictions is None or chosen is None:
        return summary
    path = inside(root, outputs.predictions.path)
    if not path.is_file():
        return summary
    # Other studies are reported without these libraries.
    from tunesmith.analysis.statistics.predicted import predicted
    from tunesmith.models.prediction_files import EVALUATION, read_predictions
    from tunesmith.runs.models.evaluations import evaluation_of

    try:
        table = read_predictions(path)
        wanted = evaluation_of(record, record.history[chosen.number])
        own = table[table[EVALUATION] == wanted]
    except (UsageError, KeyError):
        return summary
    return summary if own.empty else replace(summary, predicted=predicted(own))


def with_kept_answers(summary: Summary, record: StudyRecord, objective: Any) -> Summary:
    """Return a summary with a look at the winner's predictions, if the search has kept them all.

    Nothing is fitted for it.

    Args:
        summary: of the study.
        record: of the study.
        objective: of the study, in memory.
    """
    keeper, chosen = getattr(objective, "keeper", None), summary.chosen
    if keeper is None or chosen is None:
        return summary
    from tunesmith.analysis.statistics.predicted import predicted
    from tunesmith.models.material import Material
    from tunesmith.models.predictions import predictions_of

    material = Material(objective, keeper.store)
    params = record.history[chosen.number].params
    if not all(material.has_kept_answers(params, fold) for fold in material.folds):
        return summary
    table = predictions_of(material, {chosen.number: params})
    return replace(summary, predicted=predicted(table))
