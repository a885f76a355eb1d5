"""The files that a program is made of, as far as they can be told from its command.

Scripts that the command names, the modules that they import, what a shell script or a Makefile
starts in turn. Only text is looked at; nothing is run.
"""

import ast
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

MAX_FILES = 300
MAX_BYTES = 1 << 20
PATH = re.compile(r"[\w@+-]*[./][\w./@+-]*")
"""What may be the path of a file, within a text."""
MODULE = re.compile(r"(?:^|\s)-m\s+([\w.]+)")
MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
NO_CODE = (
    *(".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf"),
    *(".env", ".txt", ".md", ".rst", ".lock", ".html", ".log", ".svg"),
)
"""Text files that are read, not run."""
INTERPRETER = re.compile(r"(sh|bash|dash|zsh|ksh|python[\d.]*)\Z")
READS_PARAMS = re.compile(r"TUNESMITH_PARAMS|\btunesmith\b[\s\S]*\bparams\s*\(")
"""What a program says that reads the file of all parameters by itself."""


@dataclass(frozen=True)
class Source:
    """One text file of a program."""

    path: Path
    text: str

    @property
    def is_python(self) -> bool:
        """Whether it is a Python module or script."""
        first = self.text.partition("\n")[0]
        return self.path.suffix == ".py" or (first.startswith("#!") and "python" in first)


@dataclass(frozen=True)
class Program:
    """A program's own text."""

    root: Path
    command: Sequence[str]
    sources: tuple[Source, ...]
    others: tuple[Path, ...]
    """Files of the project that the sources name, and that are read rather than run."""

    @property
    def is_seen(self) -> bool:
        """Whether what is run was found: a file of the project, or code in the command itself."""
        is_inline = "-c" in self.command and bool(INTERPRETER.match(Path(self.command[0]).name))
        return is_inline or any(source.path.is_relative_to(self.root) for source in self.sources)

    @cached_property
    def readers(self) -> list[str]:
        """Where ``TUNESMITH_PARAMS`` is read, or may be: files, or the command itself."""
        found = [self.named(s.path) for s in self.sources if READS_PARAMS.search(s.text)]
        inline = any(READS_PARAMS.search(item) for item in self.command)
        return ["the command", *found] if inline else found

    def named(self, path: Path) -> str:
        """A file, as one names it in the project."""
        return (
            path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        )

    def mentions(self, name: str) -> bool:
        """Whether a word stands anywhere in the program's text."""
        return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", self.text))

    def quotes(self, name: str) -> bool:
        """Whether it stands there in quotes, by itself or at the end of a path."""
        return bool(re.search(rf"[\"'/]{re.escape(name)}[\"']", self.text))

    @cached_property
    def text(self) -> str:
        """All of it, with the command."""
        return "\n".join([*self.command, *(source.text for source in self.sources)])


def program_of(root: Path, command: Sequence[str]) -> Program:
    """Find the files that a command runs.

    Args:
        root: the project folder, absolute.
        command: items as configured.
    """
    found: dict[Path, Source] = {}
    others: dict[Path, None] = {}
    waiting = list(_seeds(root, command))
    while waiting and len(found) < MAX_FILES:
        path = waiting.pop(0)
        if path in found or path in others:
            continue
        text = _text(path)
        if text is None or path.name.endswith(NO_CODE):
            others[path] = None
            continue
        found[path] = Source(path, text)
        waiting += _references(root, found[path])
    return Program(root, tuple(command), tuple(found.values()), tuple(others))


def _seeds(root: Path, command: Sequence[str]) -> Iterator[Path]:
    program = command[0] if command else ""
    if Path(program).name in ("make", "gmake"):
        yield from _makefiles(root, command)
    elif "/" not in program and (script := shutil.which(program)):
        # A console script says which module it runs.
        text = _text(Path(script), limit=1 << 14)
        yield from [Path(script)] if text and Source(Path(script), text).is_python else []
    for index, item in enumerate(command):
        if item == "-m" and index + 1 < len(command):
            yield from _modules(command[index + 1], [root, root / "src"])
        yield from _folder_program(root, item)
        yield from _of_inline(root, command, index)
        yield from _named_in(item, [root])
        # A file in the project's folder need not look like a path.
        yield from _files([root], item.rpartition("=")[2])


def _of_inline(root: Path, command: Sequence[str], index: int) -> Iterator[Path]:
    """What code within the command imports or starts: ``python -c "import train"``."""
    item, folders = command[index], [root, root / "src"]
    for module in MODULE.findall(item):
        yield from _modules(module, folders)
    if index and command[index - 1] == "-c" and "python" in command[0]:
        yield from _imports(Source(root / "inline.py", item), folders)


def _makefiles(root: Path, command: Sequence[str]) -> Iterator[Path]:
    folder = root
    for option, value in pairwise(command):
        if option == "-C":
            folder = root / value
    yield from (folder / name for name in MAKEFILES if (folder / name).is_file())


def _folder_program(root: Path, item: str) -> Iterator[Path]:
    """``python folder`` runs its ``__main__.py``."""
    yield from _files([root], f"{item}/__main__.py")


def _references(root: Path, source: Source) -> Iterator[Path]:
    """The files that a text file runs, imports or names."""
    folders = list(dict.fromkeys([source.path.parent, root, root / "src"]))
    inside = [folder for folder in folders if folder.is_relative_to(root)]
    if source.is_python:
        yield from _imports(source, inside)
    for module in MODULE.findall(source.text):
        yield from _modules(module, inside)
    yield from _named_in(source.text, inside)


def _named_in(text: str, folders: Sequence[Path]) -> Iterator[Path]:
    for name in dict.fromkeys(PATH.findall(text)):
        yield from _files(folders, name)


def _files(folders: Sequence[Path], name: str) -> Iterator[Path]:
    """The first file of that name; outside of the folders nothing is looked at."""
    if not name or name.startswith(("/", "~")) or "\0" in name or len(name) > 300:
        return
    for folder in folders:
        try:
            path = (folder / name).resolve()
            if path.is_file() and path.is_relative_to(folder.resolve()):
                yield path
                return
        except OSError:
            continue


def _imports(source: Source, folders: Sequence[Path]) -> Iterator[Path]:
    try:
        tree = ast.parse(source.text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _modules(alias.name, folders)
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            yield from _imported_from(source, node.module or "", names, node.level, folders)


def _imported_from(
    source: Source, module: str, names: Sequence[str], level: int, folders: Sequence[Path]
) -> Iterator[Path]:
    if level:
        folders = [source.path.parents[min(level, len(source.path.parents)) - 1]]
    if module:
        yield from _modules(module, folders)
    for name in names:
        yield from _modules(f"{module}.{name}" if module else name, folders)


def _modules(name: str, folders: Sequence[Path]) -> Iterator[Path]:
    """The files that importing a module runs: its own, and those of the packages around it."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        place = "/".join(parts[:length])
        ends = (".py", "/__init__.py", *(("/__main__.py",) if length == len(parts) else ()))
        for end in ends:
            yield from _files(folders, f"{place}{end}")


def _text(path: Path, limit: int = MAX_BYTES) -> str | None:
    """A file's text; ``None`` where it is none, or too long."""
    try:
        if not path.is_file() or path.stat().st_size > limit:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    return None if b"\0" in data else data.decode(errors="replace")
