"""All mistakes of a configuration at once, also those behind a first mistake.

A configuration is checked in steps: its keys, then the table, then the estimator. If a step finds
something, the later ones are tried on the rest, so that you see all mistakes in one round.
"""

from collections.abc import Iterator
from pathlib import Path

from tunesmith.config.load import located, project_root
from tunesmith.config.objective import ObjectiveSection
from tunesmith.config.source import read_document
from tunesmith.data.table import load_table
from tunesmith.errors import UsageError
from tunesmith.objective.described import data_of
from tunesmith.objective.estimator import EstimatorBuilder
from tunesmith.runs.project_code import leads_into
from tunesmith.space.parse import parse_space


def further_mistakes(path: Path) -> list[str]:
    """List the mistakes of the table, the estimator and its parameters, with file:line:column.

    Imports and runs no code of the project. Sections that cannot be understood are passed over.

    Args:
        path: of a configuration with mistakes.
    """
    try:
        return [str(located(error, path)) for error in _errors(path)]
    # The first mistake is reported in any case: these are extras, and none may hide it. Sections
    # are read before the rules for them are checked, so that a part may fail in any way.
    except Exception:  # noqa: BLE001
        return []


def _errors(path: Path) -> Iterator[UsageError]:
    data, root = read_document(path).data, project_root(path)
    if not isinstance(data, dict):
        return
    section = ObjectiveSection.model_validate(data.get("objective"))
    if section.is_program:
        return
    try:
        is_auto = section.preprocess == "auto"
        load_table(data_of(section), root, fold_column=section.cv.column, is_auto=is_auto)
    except UsageError as error:
        yield error
    if any(leads_into(root, name) for name in section.all_import_paths):
        return
    builder = EstimatorBuilder(section)
    space, _ = parse_space(data.get("space"))
    try:
        for choice in builder.choices:
            builder.prototype(choice)
        if space is not None:
            builder.check(space)
    except UsageError as error:
        yield error
