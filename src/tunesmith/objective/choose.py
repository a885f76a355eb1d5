"""Tell which kind of objective a definition asks for, and outline it without running any code."""

from collections.abc import Iterator

from tunesmith.config.model import Definition
from tunesmith.errors import TunesmithError
from tunesmith.objective.outline import Outline, Unseen, UnseenError, unreadable_code

CODE, DATA = "the project's code", "the data"


def outline(definition: Definition) -> Outline:
    """Describe a study's objective.

    Raises:
        UnseenError: something that it depends on is missing, or cannot be read or parsed.
    """
    problems = [Unseen(CODE, why) for why in unreadable_code(definition)]
    problems += [Unseen(DATA, why) for why in _unreadable_data(definition)]
    if problems:
        raise UnseenError(problems)
    try:
        if definition.file.objective.command is not None:
            from tunesmith.objective.program.build import outline_program

            return outline_program(definition)
        from tunesmith.objective.crossval import outline_estimator

        return outline_estimator(definition)
    except UnseenError:
        raise
    except (TunesmithError, OSError) as error:
        place = "data, code and configuration"
        raise UnseenError([Unseen(place, str(error).splitlines()[0])]) from None


def _unreadable_data(definition: Definition) -> Iterator[str]:
    data = definition.file.objective.data
    for name in () if data is None else data.path:
        try:
            with (definition.root / name).open("rb") as file:
                file.read(1)
        except OSError as error:
            is_gone = isinstance(error, FileNotFoundError)
            yield f"{name} is not here" if is_gone else f"{name}: {error.strerror}"
