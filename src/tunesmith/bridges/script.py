"""A script that is run as its author would, up to the call that a bridge has replaced."""

import json
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class EvaluationDone(BaseException):
    """The one evaluation is done; scripts that catch every ``Exception`` let it pass."""


def run(script: str, arguments: Sequence[str]) -> bool:
    """Run a script; return True if it came to the call that a bridge replaces.

    Args:
        script: path of the script.
        arguments: its own command line.
    """
    sys.argv = [script, *arguments]
    # As Python does when it is started with a script.
    sys.path[0] = str(Path(script).resolve().parent)
    try:
        runpy.run_path(script, run_name="__main__")
    except EvaluationDone:
        return True
    return False


def write_metrics(file: str, names: Sequence[str], values: Any) -> None:
    """Write what an objective returned.

    Args:
        file: JSON file to write.
        names: of the metrics, in the order of the values.
        values: a number, or one for each name.

    Raises:
        ValueError: there are more or fewer values than names.
    """
    listed = list(values) if isinstance(values, Sequence) else [values]
    if len(listed) != len(names):
        raise ValueError(f"the objective returned {len(listed)} values for {', '.join(names)}")
    content = {name: float(value) for name, value in zip(names, listed, strict=True)}
    draft = Path(f"{file}.part")
    draft.write_text(json.dumps(content), encoding="utf-8")
    # In one step, so that no half-written file is read.
    os.replace(draft, file)  # noqa: PTH105


def given(value: Any, choices: Sequence[Any]) -> Any:
    """Return the choice that a value of JSON stands for: a list may be a tuple.

    >>> given([1, 2], [(1, 2), (3,)])
    (1, 2)
    """
    return next((choice for choice in choices if _plain(choice) == value), value)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
