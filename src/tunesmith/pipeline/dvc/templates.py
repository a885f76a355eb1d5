"""Stages as DVC itself resolves them: ``vars``, ``${…}``, ``foreach`` and ``matrix``.

DVC is imported only for a ``dvc.yaml`` with templates (0.2 s). If it is installed elsewhere, for
example by pipx, its own Python runs this file as a program.
"""

import io
import json
import logging
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from configparser import ConfigParser
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

Read: TypeAlias = Callable[[str], str | None]
"""The text of a file by its path, relative to the folder of ``dvc.yaml``; ``None`` if missing."""
TEMPLATE = re.compile(r"(?<!\\)\$\{")
GENERATORS = ("foreach", "matrix")
SHEBANG = re.compile(r"^#!\s*(\S*python[\w.]*)\s*$")
MAX_FILES = 50
MAX_LEVELS = 8
TIMEOUT_S = 60


class UnresolvedError(Exception):
    """DVC cannot resolve the stages, or there is no DVC; the text gives the reason."""


class _Needed(Exception):  # noqa: N818 - no error: another round begins
    """A file whose text the parent process has to send along."""


def has_templates(stages: Mapping[str, Any]) -> bool:
    """Tell whether stages have to be resolved.

    >>> has_templates({"a": {"cmd": "tunesmith run -c ${config}"}}), has_templates({"a": {}})
    (True, False)
    """
    generators = any(key in content for content in stages.values() for key in GENERATORS)
    return generators or any(TEMPLATE.search(text) for text in _texts(stages))


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)


def unescaped(data: Any) -> Any:
    r"""Return stages without templates: only ``\${`` is replaced, by ``${``.

    >>> unescaped({"deps": ["data/\\${x}.csv"]})
    {'deps': ['data/${x}.csv']}
    """
    if isinstance(data, str):
        return data.replace("\\${", "${")
    if isinstance(data, Mapping):
        return {unescaped(key): unescaped(value) for key, value in data.items()}
    return [unescaped(value) for value in data] if isinstance(data, list) else data


def resolved(data: Mapping[str, Any], read: Read) -> dict[str, dict[str, Any]]:
    """Return all stages by name, those of ``foreach`` and ``matrix`` one by one (``tune@a``).

    Args:
        data: content of a ``dvc.yaml``.
        read: reads the files that ``vars`` names, and ``params.yaml``.

    Raises:
        UnresolvedError: DVC refuses, or is not installed.
    """
    try:
        import dvc.parsing  # noqa: F401 - asked whether it is here
    except ImportError:
        return _elsewhere(data, read)
    return _here(data, read)


def _here(data: Mapping[str, Any], read: Read) -> dict[str, dict[str, Any]]:
    from dvc.exceptions import DvcException
    from dvc.parsing import DataResolver

    logging.getLogger("dvc").addHandler(logging.NullHandler())  # it warns about names used twice
    repository = SimpleNamespace(fs=_Files(read), config={"parsing": _parsing(read)})
    try:
        resolver = DataResolver(repository, "", dict(data))
        stages: dict[str, dict[str, Any]] = {}
        for name in resolver.get_keys():
            stages |= resolver.resolve_one(name)
    except _Needed:
        raise
    except DvcException as error:
        raise UnresolvedError(" ".join(str(error).split())) from None
    except Exception as error:  # noqa: BLE001 - its code, on a file that it would refuse
        raise UnresolvedError(f"DVC cannot read it ({type(error).__name__}: {error})") from None
    # Plain data, whatever classes DVC returns.
    return json.loads(json.dumps(stages, default=str))  # type: ignore[no-any-return]


class _Files:
    """The part of a file system that DVC needs, backed by a function that reads files."""

    join = staticmethod(posixpath.join)
    normpath = staticmethod(posixpath.normpath)
    relpath = staticmethod(posixpath.relpath)

    def __init__(self, read: Read) -> None:
        self._read = cache(read)

    def exists(self, path: str) -> bool:
        return self._read(path) is not None

    def isdir(self, _path: str) -> bool:
        return False

    def suffix(self, path: str) -> str:
        return posixpath.splitext(path)[1]

    def open(self, path: str, **_: Any) -> io.StringIO:
        return io.StringIO(self._read(path))


def _parsing(read: Read) -> dict[str, str]:
    """Settings of DVC's for lists and truth values in commands."""
    for level in range(MAX_LEVELS):
        text = read(posixpath.normpath(posixpath.join("../" * level, ".dvc/config")))
        # The first `.dvc` upwards counts, as for DVC itself.
        if text is not None:
            parser = ConfigParser(interpolation=None, strict=False)
            parser.read_string(text)
            return dict(parser["parsing"]) if parser.has_section("parsing") else {}
    return {}


# -- DVC in another environment --------------------------------------------------------------------


def _elsewhere(data: Mapping[str, Any], read: Read) -> dict[str, dict[str, Any]]:
    python = _python_of_dvc()
    if python is None:
        raise UnresolvedError(
            "its templates are resolved by DVC, and there is none here: install it beside"
            " Tunesmith (`pip install dvc`), or so that `dvc` can be called"
        )
    files: dict[str, str | None] = {}
    # That process cannot read a commit: it names one missing file at a time.
    for _ in range(MAX_FILES):
        answer = _asked(python, {"data": data, "files": files})
        if "needed" not in answer:
            break
        files[answer["needed"]] = read(answer["needed"])
    if "stages" not in answer:
        raise UnresolvedError(answer.get("problem", "it names too many files"))
    return answer["stages"]  # type: ignore[no-any-return]


def _python_of_dvc() -> str | None:
    program = shutil.which("dvc")
    if program is None:
        return None
    # pipx and `uv tool` install a script whose first line names their own Python.
    with Path(program).open("rb") as stream:
        match = SHEBANG.match(stream.readline(500).decode(errors="replace"))
    return match[1] if match else None


def _asked(python: str, question: Mapping[str, Any]) -> dict[str, Any]:
    # `-I`: modules beside this file, or in `PYTHONPATH`, must not hide those of DVC.
    command = [python, "-I", __file__]
    try:
        done = subprocess.run(  # noqa: S603 - DVC's own Python, this file
            command,
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return json.loads(done.stdout)  # type: ignore[no-any-return]
    except (OSError, ValueError, RecursionError, subprocess.TimeoutExpired) as error:
        raise UnresolvedError(f"DVC could not be asked ({python}: {error})") from None


def _answer(question: Mapping[str, Any]) -> dict[str, Any]:
    files = question["files"]

    def read(path: str) -> str | None:
        if path not in files:
            raise _Needed(path)
        return files[path]  # type: ignore[no-any-return]

    try:
        return {"stages": _here(question["data"], read)}
    except _Needed as needed:
        return {"needed": str(needed)}
    except UnresolvedError as error:
        return {"problem": str(error)}


if __name__ == "__main__":
    json.dump(_answer(json.load(sys.stdin)), sys.stdout)
