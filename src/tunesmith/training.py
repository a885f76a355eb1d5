"""Functions for training programs in Python: read parameters and stream progress.

Inside a study, files that the environment names carry both. Without a study, parameters come from
the best-parameters file or the program's own defaults, and reported values are dropped: you can run
the program by hand without a change.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

USUAL = tuple(f"best_parameters.{suffix}" for suffix in ("yaml", "yml", "json", "toml"))


def params(
    defaults: Mapping[str, Any] | None = None, *, path: str | os.PathLike[str] | None = None
) -> dict[str, Any]:
    """Return the parameters to train with.

    Args:
        defaults: values of parameters that no other source has.
        path: the best-parameters file; by default ``config/best_parameters.yaml`` (or ``.json``,
            ``.toml``), or one beside it, in this folder or the nearest one above.

    Returns:
        The trial's parameters within a study, else those of the best-parameters file; both take
        precedence over the defaults.

    Raises:
        FileNotFoundError: there is no file at ``path``.
        ValueError: the file does not hold parameters.

    Examples:
        >>> params({"learning_rate": 0.1}, path=None)["learning_rate"]
        0.1
    """
    given = os.environ.get("TUNESMITH_PARAMS")
    file = Path(given) if given else Path(path) if path is not None else _usual()
    return {**(defaults or {}), **({} if file is None else _read(file))}


def report(step: int | None = None, /, **metrics: float) -> None:
    """Stream intermediate values: they are recorded, and decide if the run is pruned.

    Args:
        step: epochs, rounds or the like that are done; by default one more than the last time.
        metrics: finite numbers by name.

    Raises:
        ValueError: a value is no finite number, or there is no value.

    Examples:
        >>> for epoch in (1, 2):
        ...     report(epoch, val_loss=1 / epoch)
    """
    _last["step"] = _last["step"] + 1 if step is None else _whole(step)
    line = json.dumps({**_last, **{name: _finite(name, v) for name, v in metrics.items()}})
    if not metrics:
        raise ValueError("report what? Name a metric: report(epoch, val_loss=0.4)")
    target = os.environ.get("TUNESMITH_PROGRESS")
    if target:
        # One write, so that a reader never finds half a line in the middle.
        with open(target, "ab", buffering=0) as file:  # noqa: PTH123 - as plain as can be
            file.write(line.encode() + b"\n")


_last = {"step": 0}


def checkpoint_dir() -> Path | None:
    """Folder for the state of training, which may hold an earlier one; ``None`` without a study.

    The study keeps it for the same parameters with a larger budget.

    Examples:
        >>> folder = checkpoint_dir()
        >>> state = None if folder is None else folder / "state.json"
    """
    folder = os.environ.get("TUNESMITH_CHECKPOINT")
    return Path(folder) if folder else None


def _whole(step: Any) -> int:
    # `True` would be step 1; a whole number of another type is taken.
    if isinstance(step, bool) or int(step) != step or step < 0:
        raise ValueError(f"a step is a whole number from 0 (found {step!r})")
    return int(step)


def _finite(name: str, value: Any) -> float:
    if isinstance(value, str | bytes | bytearray):
        raise ValueError(f"{name} is the text {value!r}: a value that is reported is a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}: a value that is reported is a finite number")
    return number


def _usual() -> Path | None:
    here = Path.cwd()
    for folder in (here, *here.parents):
        for name in USUAL:
            for file in (folder / "config" / name, folder / name):
                if file.is_file():
                    return file
        # Above the repository, such a file belongs to something else.
        if (folder / ".git").exists():
            break
    return None


def _read(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        data = json.loads(text)
    elif file.suffix == ".toml":
        # Imported only if needed: a program starts anew for each trial and fold.
        import tomllib

        data = tomllib.loads(text)
    else:
        from ruamel.yaml import YAML

        data = YAML(typ="safe", pure=True).load(text)
    if not isinstance(data, dict):
        raise ValueError(f"{file}: expected parameters by name, found {type(data).__name__}")
    if isinstance(data.get("params"), dict) and set(data) <= {"params", "meta"}:
        params: dict[str, Any] = data["params"]
        return params
    return data
