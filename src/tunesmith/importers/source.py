"""A file to import from: its text, and the forms that importers read."""

import ast
import io
import json
import os
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.config.document import Document, SourceError
from tunesmith.config.yaml12 import read_yaml
from tunesmith.errors import ConfigError, FilePosition, UsageError, Violation
from tunesmith.importers.refusal import Place

PYTHON, NOTEBOOK, YAML = (".py",), (".ipynb",), (".yaml", ".yml", ".json")
SHELL = (".sh", ".bash", ".txt", ".md")
MAX_BYTES = 1 << 24
OF_IPYTHON = re.compile(r"^(\s*)([%!?].*|[\w.]+\?+)$", re.MULTILINE)
"""Lines of a cell that are for IPython, not for Python."""
CORE_TAG = re.compile(
    r"!!(?:float(?=\s+[-+]?\d*(?:\.|\d[eE]))|int(?=\s+[-+]?\d)|bool(?=\s)|null(?=\s))"
)
"""Tags that say of a plain scalar what it is anyway; any other tag is refused."""
NEXT_DOCUMENT = re.compile(r"^---(?=\s|$)", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A file of another tool.

    >>> Source(Path("sweep.yaml"), "method: grid").documents[0].data
    {'method': 'grid'}
    """

    path: Path
    text: str
    cells: tuple[int, ...] = field(default=())
    """First line of each cell of a notebook, in ``text``."""
    root: Path = Path()
    """Folder of the configuration that is drafted."""

    @property
    def program(self) -> str:
        """Path of the file as the configuration names it."""
        return Path(os.path.relpath(self.path, self.root)).as_posix()

    @property
    def suffix(self) -> str:
        """Ending of the file's name, in lower case."""
        return self.path.suffix.lower()

    @cached_property
    def tree(self) -> ast.Module | None:
        """Syntax tree of a script or a notebook; ``None`` for other files."""
        if self.suffix not in (*PYTHON, *NOTEBOOK):
            return None
        try:
            return ast.parse(self.text)
        except SyntaxError as error:
            place = self.position((error.lineno or 0, error.offset or 0))
            violation = Violation((), f"not valid Python 3: {error.msg}.", place=place)
            raise ConfigError([violation]) from None
        except (ValueError, RecursionError, MemoryError):
            raise UsageError(f"{self.path}: not valid Python 3.") from None

    @property
    def without_foreign_cells(self) -> "Source":
        """The same notebook without the cells that are no Python, which keep their lines."""
        if not self.cells:
            return self
        lines = self.text.splitlines()
        ends = (*self.cells[1:], len(lines) + 1)
        for start, end in zip(self.cells, ends, strict=True):
            if not is_python("\n".join(lines[start - 1 : end - 1])):
                lines[start - 1 : end - 1] = [""] * (end - start)
        return replace(self, text="\n".join(lines) + "\n")

    @cached_property
    def documents(self) -> list[Document]:
        """Mappings and lists of a YAML or JSON file; empty for other files."""
        return list(self._documents()) if self.suffix in YAML else []

    def _documents(self) -> Iterator[Document]:
        starts = [0, *(m.end() for m in NEXT_DOCUMENT.finditer(self.text))]
        ends = [*(m.start() for m in NEXT_DOCUMENT.finditer(self.text)), len(self.text)]
        for start, end in zip(starts, ends, strict=True):
            if not self.text[start:end].strip():
                continue
            # Empty lines in place of what stands before keep the numbers of lines.
            blank = "\n" * self.text.count("\n", 0, start)
            try:
                # Blanks in place of a tag keep the columns.
                plain = CORE_TAG.sub(lambda m: " " * len(m[0]), self.text[start:end])
                document = read_yaml(f"{blank}{plain}")
            except SourceError as error:
                place = self.position((error.line, error.column))
                raise ConfigError([Violation((), str(error), place=place)]) from None
            yield Document(document.data, document.positions, str(self.path))

    def position(self, place: Place) -> FilePosition:
        """Return a place as messages show it: in a notebook, the lines of its cell."""
        line, column = place
        if not self.cells or not line:
            return FilePosition(str(self.path), line, column)
        index = bisect_right(self.cells, line) - 1
        return FilePosition(f"{self.path}#cell{index + 1}", line - self.cells[index] + 1, column)

    def scalar_text(self, place: Place) -> str:
        """Return the rest of the line at a place, for scalars that YAML versions read apart."""
        lines = self.text.splitlines()
        line, column = place
        return lines[line - 1][column - 1 :] if 0 < line <= len(lines) else ""


def is_python(text: str) -> bool:
    """Tell whether a text can be parsed as Python 3."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def read_source(path: Path, root: Path = Path()) -> Source:
    """Read a file.

    Args:
        path: of the file.
        root: folder of the configuration that is drafted.

    Raises:
        UsageError: it is not there, too large, or no text.
    """
    try:
        if path.is_dir():
            raise UsageError(f"{path}: is a folder; name a file in it.")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UsageError(f"{path}: {size:,} bytes; at most {MAX_BYTES:,} are read.")
        data = path.read_bytes()
        text = data.decode(_encoding(path, data))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not {error.encoding} text (byte {error.start}).") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}.") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if path.suffix.lower() in NOTEBOOK:
        return _notebook(path, text, root)
    return Source(path, text, root=root)


def _encoding(path: Path, data: bytes) -> str:
    """Return the encoding that a script declares in its first lines, else UTF-8."""
    if path.suffix.lower() not in PYTHON:
        return "utf-8-sig"
    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError as error:
        raise UsageError(f"{path}: not text: {error}.") from None


def _cells(notebook: Any) -> list[Any]:
    """Return the cells of a notebook; those of format 3 (until 2015) lie in worksheets."""
    if "cells" in notebook:
        return list(notebook["cells"])
    return [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]


def _notebook(path: Path, text: str, root: Path) -> Source:
    starts: list[int] = []
    lines: list[str] = []
    try:
        for cell in _cells(json.loads(text)):
            if cell["cell_type"] != "code":
                continue
            # Notebooks of format 3 call it `input`.
            source = cell["source"] if "source" in cell else cell["input"]
            code = source if isinstance(source, str) else "".join(source)
            # Magics of a whole cell make it something else than Python.
            is_other = code.lstrip().startswith("%%")
            starts.append(len(lines) + 1)
            lines += ([] if is_other else OF_IPYTHON.sub(r"\1pass", code).splitlines()) or [""]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"{path}: not a notebook.") from None
    return Source(path, "\n".join(lines) + "\n", tuple(starts), root)
