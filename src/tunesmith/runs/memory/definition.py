"""Definition of a study of objects in memory: the sections that mean something there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunesmith.config.messages import violations_of
from tunesmith.config.model import Definition, File
from tunesmith.config.rules import check_rules_in_memory
from tunesmith.errors import ConfigError
from tunesmith.space import SearchSpace
from tunesmith.system.redact import spare, texts

SHORT = {"search": (str, "method"), "stop": (int, "trials"), "execution": (int, "workers")}
"""Sections that may be given by a single value, with its type and its key."""


def define_in_memory(sections: Mapping[str, Any], space: SearchSpace) -> Definition:
    """Build the definition of a study of objects in memory; its project is the working folder.

    Args:
        sections: as in a configuration; ``None`` leaves a section out, ``{"stop": 20}`` is short
            for ``{"stop": {"trials": 20}}``.
        space: of the study.

    Raises:
        ConfigError: every violation.
    """
    given = {name: _long(name, value) for name, value in sections.items() if value is not None}
    try:
        file = File.model_validate(given)
    except ValidationError as error:
        raise ConfigError(violations_of(error.errors(), File, given)) from None
    if violations := check_rules_in_memory(file, space, Path()):
        raise ConfigError(violations)
    # Words of the study stand in reports, whatever secrets of the environment they resemble.
    words = [file.study, *texts(space.to_json())]
    spare([*words, *(metric.name for metric in (*file.objective.metric, *file.objective.also))])
    return Definition(file=file, space=space, root=Path.cwd())


def _long(name: str, value: Any) -> Any:
    kind, key = SHORT.get(name, (None, ""))
    if kind is not None and isinstance(value, kind) and not isinstance(value, bool):
        return {key: value}
    # `stop="10m"`.
    return {"time": value} if name == "stop" and isinstance(value, str) else value
