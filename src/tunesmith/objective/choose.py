"""Tell which kind of objective a definition asks for, and outline it without running any code."""

from collections.abc import Iterator
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.config.objective import ObjectiveSection
from tunesmith.errors import TunesmithError
from tunesmith.objective.outline import Outline, Unseen, UnseenError, unreadable_code

CODE, DATA = "the project's code", "the data"


def outline(definition: Definition, *, counts_folds: bool = True) -> Outline:
    """Describe a study's objective.

    Args:
        definition: of the study.
        counts_folds: tell the number of folds, which needs scikit-learn for an estimator.

    Raises:
        UnseenError: something that it depends on is missing, or cannot be read or parsed.
    """
    section, root = definition.file.objective, definition.root
    problems = [Unseen(CODE, why) for why in unreadable_code(section, root)]
    problems += [Unseen(DATA, why) for why in _unreadable_data(section, root)]
    if problems:
        raise UnseenError(problems)
    try:
        if section.is_program:
            from tunesmith.objective.program.build import outline_program

            return outline_program(definition)
        from tunesmith.objective.described import outline_estimator

        return outline_estimator(definition, counts_folds=counts_folds)
    except UnseenError:
        raise
    except (TunesmithError, OSError) as error:
        place = "data, code and configuration"
        raise UnseenError([Unseen(place, str(error).splitlines()[0])]) from None


def _unreadable_data(section: ObjectiveSection, root: Path) -> Iterator[str]:
    for name in () if section.data is None else section.data.path:
        try:
            with (root / name).open("rb") as file:
                file.read(1)
        except OSError as error:
            is_gone = isinstance(error, FileNotFoundError)
            yield f"{name} is not here" if is_gone else f"{name}: {error.strerror}"
