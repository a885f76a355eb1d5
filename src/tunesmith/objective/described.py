"""All that the scores of an estimator depend on, told without scikit-learn.

Commands that only compare read it: scikit-learn takes longer to import than they may take in all.
"""

from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.config.objective import DataSection
from tunesmith.config.objective import ObjectiveSection as Section
from tunesmith.data.folds import n_folds_of
from tunesmith.data.table import Table, load_table
from tunesmith.errors import UsageError
from tunesmith.objective.estimator import EstimatorBuilder
from tunesmith.objective.metric import Scorers
from tunesmith.objective.outline import Outline, metric_of
from tunesmith.system.fingerprint import code_digest, digest, versions

EVALUATION = 1
"""Version of the scores: raised when a change to this package changes them; part of every key."""


def outline_estimator(definition: Definition, *, counts_folds: bool = True) -> Outline:
    """Describe the results of a study and all that they depend on; no code is imported for it.

    Args:
        definition: of the study.
        counts_folds: tell the number of folds, which needs scikit-learn's splitters.

    Raises:
        DataError: the table or the folds cannot be used.
    """
    section = definition.file.objective
    table = table_of(section, definition.root)
    builder = EstimatorBuilder(section, definition.file.random_state)
    scorers = Scorers(section.metric, section.also)
    metrics = tuple(map(metric_of, scorers.specs))
    return Outline(
        context=context_of(definition.root, table, builder, scorers),
        metrics=metrics,
        objectives=tuple(map(metric_of, scorers.deciding)),
        n_folds=n_folds_of(section.cv, table.rows) if counts_folds else None,
        has_holdout=table.holdout is not None,
    )


def table_of(section: Section, root: Path) -> Table:
    """Load the table of a study.

    Args:
        section: of the objective.
        root: the project folder.

    Raises:
        DataError: it cannot be used.
    """
    return load_table(
        data_of(section),
        root,
        fold_column=section.cv.column,
        in_time=section.cv.method == "time_series",
        is_auto=section.preprocess == "auto",
    )


def data_of(section: Section) -> DataSection:
    """Section of the configuration that describes the table.

    Raises:
        UsageError: there is none, which the configuration's rules refuse.
    """
    if section.data is None:
        raise UsageError("objective.data: is missing")
    return section.data


def context_of(
    root: Path, table: Table, builder: EstimatorBuilder, scorers: Scorers
) -> dict[str, str]:
    """Everything that all scores of a study depend on: name -> digest.

    Args:
        root: the project folder.
        table: data of the study.
        builder: of its estimators.
        scorers: of its metrics.
    """
    paths = builder.section.import_paths
    spec = [EVALUATION, builder.spec(), digest(table.kinds), scorers.spec()]
    return {
        "data": table.digest,
        "code": code_digest(paths, root),
        "objective": digest(spec),
        "versions": digest(versions(paths, root)),
    }
