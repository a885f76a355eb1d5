"""Files that a program consists of, as far as its command tells.

These are scripts that the command names, the modules that they import, and files that a shell
script or a Makefile starts in turn. Only text is read; nothing is run.
"""

import os
import re
import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

MAX_FILES = 300
MAX_BYTES = 1 << 20
MAX_NAME = 300
PATH = re.compile(r"[\w@+-]*[./][\w./@+-]*")
"""Parts of a text that may be the path of a file."""
MODULE = re.compile(r"(?:^|\s)-m\s+([\w.]+)")
MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
NO_CODE = (
    *(".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf"),
    *(".env", ".txt", ".md", ".rst", ".lock", ".html", ".log", ".svg"),
)
"""Text files that are read, not run."""
INTERPRETER = re.compile(r"(sh|bash|dash|zsh|ksh|python[\d.]*)\Z")
IMPORT = re.compile(
    r"(?:^|;)[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)"
    r"|import[ \t]+([\w.][\w., \t]*))",
    re.MULTILINE,
)
QUOTED = re.compile(r"[\"']([\w./@+-]*[./][\w./@+-]*)[\"']")
"""A path in Python code, which has to be quoted: dots are everywhere in code."""
HELPER, CALLED = re.compile(r"\btunesmith\b"), re.compile(r"\bparams\s*\(")


@dataclass(frozen=True)
class SourceFile:
    """One text file of a program."""

    path: Path
    text: str

    @property
    def is_python(self) -> bool:
        """True for a Python module or script."""
        first = self.text.partition("\n")[0]
        return self.path.suffix == ".py" or (first.startswith("#!") and "python" in first)


@dataclass(frozen=True)
class ProgramText:
    """A program's own text."""

    root: Path
    command: Sequence[str]
    sources: tuple[SourceFile, ...]
    others: tuple[Path, ...]
    """Files of the project that the sources name, and that are read rather than run."""

    @property
    def is_seen(self) -> bool:
        """True if the code was found: a file of the project, or code in the command itself."""
        is_inline = "-c" in self.command and bool(INTERPRETER.match(Path(self.command[0]).name))
        return is_inline or any(source.path.is_relative_to(self.root) for source in self.sources)

    @cached_property
    def readers(self) -> list[str]:
        """Places that read ``TUNESMITH_PARAMS``, or may do so: files, or the command itself."""
        places = [self.named(s.path) for s in self.sources if reads_params(s.text)]
        inline = any(map(reads_params, self.command))
        return ["the command", *places] if inline else places

    def named(self, path: Path) -> str:
        """Name a file relative to the project."""
        return (
            path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        )

    def mentions(self, name: str) -> bool:
        """True if a word occurs anywhere in the program's text."""
        return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", self.text))

    def quotes(self, name: str) -> bool:
        """True if a word occurs there in quotes, by itself or at the end of a path."""
        return bool(re.search(rf"[\"'/]{re.escape(name)}[\"']", self.text))

    @cached_property
    def text(self) -> str:
        """The whole text, with the command."""
        return "\n".join([*self.command, *(source.text for source in self.sources)])


def reads_params(text: str) -> bool:
    """True if a text contains something that reads the file of all parameters."""
    if "TUNESMITH_PARAMS" in text:
        return True
    # `tunesmith.params()` reads the variable for the program.
    return bool(HELPER.search(text) and CALLED.search(text))


def program_of(root: Path, command: Sequence[str]) -> ProgramText:
    """Find the files that a command runs.

    Args:
        root: the project folder, absolute.
        command: items as configured.
    """
    finder = _Finder(root)
    sources: dict[Path, SourceFile] = {}
    others: dict[Path, None] = {}
    waiting = deque(finder.seeds(command))
    while waiting and len(sources) < MAX_FILES:
        path = waiting.popleft()
        if path in sources or path in others:
            continue
        text = _text(path)
        if text is None or path.name.endswith(NO_CODE):
            others[path] = None
            continue
        sources[path] = SourceFile(path, text)
        waiting += finder.references(sources[path])
    return ProgramText(root, tuple(command), tuple(sources.values()), tuple(others))


class _Finder:
    """Finds the files of a project that a text names; each is searched once."""

    def __init__(self, root: Path) -> None:
        self._root, self._top = root, [root, root / "src"]
        self._known: dict[str, Path | None] = {}
        self._done: set[tuple[str, ...]] = set()

    def seeds(self, command: Sequence[str]) -> Iterator[Path]:
        """The files that a command runs or names."""
        program = command[0] if command else ""
        if Path(program).name in ("make", "gmake"):
            yield from self._makefiles(command)
        elif "/" not in program and (script := shutil.which(program)):
            # A console script says which module it runs.
            text = _text(Path(script), limit=1 << 14)
            yield from [Path(script)] if text and SourceFile(Path(script), text).is_python else []
        for index, item in enumerate(command):
            if item == "-m" and index + 1 < len(command):
                yield from self._modules(command[index + 1], self._top)
            # ``python folder`` runs its ``__main__.py``.
            yield from self._files([self._root], f"{item}/__main__.py")
            yield from self._of_inline(command, index)
            yield from self._named_in(item, [self._root], PATH)
            # A file in the project's folder need not look like a path.
            yield from self._files([self._root], item.rpartition("=")[2])

    def _of_inline(self, command: Sequence[str], index: int) -> Iterator[Path]:
        """Files that code within the command imports or starts: ``python -c "import train"``."""
        item = command[index]
        for module in MODULE.findall(item):
            yield from self._modules(module, self._top)
        if index and command[index - 1] == "-c" and "python" in command[0]:
            yield from self._imports(SourceFile(self._root / "inline.py", item), self._top)

    def _makefiles(self, command: Sequence[str]) -> Iterator[Path]:
        folder = self._root
        for option, value in pairwise(command):
            if option == "-C":
                folder = self._root / value
        yield from (folder / name for name in MAKEFILES if (folder / name).is_file())

    def references(self, source: SourceFile) -> Iterator[Path]:
        """The files that a text file runs, imports or names."""
        folders = list(dict.fromkeys([source.path.parent, *self._top]))
        inside = [folder for folder in folders if folder.is_relative_to(self._root)]
        if source.is_python:
            yield from self._imports(source, inside)
        for module in MODULE.findall(source.text):
            yield from self._modules(module, inside)
        yield from self._named_in(source.text, inside, QUOTED if source.is_python else PATH)

    def _named_in(
        self, text: str, folders: Sequence[Path], pattern: re.Pattern[str]
    ) -> Iterator[Path]:
        for name in dict.fromkeys(pattern.findall(text)):
            yield from self._files(folders, name)

    def _imports(self, source: SourceFile, folders: Sequence[Path]) -> Iterator[Path]:
        # By pattern: a whole project is parsed in seconds, and looked through in a moment.
        for dots, module, given, plain in dict.fromkeys(IMPORT.findall(source.text)):
            if plain:
                for name in _words(plain):
                    yield from self._modules(name, folders)
                continue
            places = folders
            if dots:
                places = [source.path.parents[min(len(dots), len(source.path.parents)) - 1]]
            yield from self._modules(module, places) if module else ()
            for name in _words(given):
                yield from self._modules(f"{module}.{name}" if module else name, places)

    def _modules(self, name: str, folders: Sequence[Path]) -> Iterator[Path]:
        """Files that importing a module runs: its own, and those of the packages around it."""
        key = (name, *map(str, folders))
        if key in self._done:
            return
        self._done.add(key)
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            place = "/".join(parts[:length])
            ends = (".py", "/__init__.py", *(("/__main__.py",) if length == len(parts) else ()))
            for end in ends:
                yield from self._files(folders, f"{place}{end}")

    def _files(self, folders: Sequence[Path], name: str) -> Iterator[Path]:
        """The first file of that name; nothing outside of the folders is examined."""
        if not name or name.startswith(("/", "~")) or "\0" in name or len(name) > MAX_NAME:
            return
        for folder in folders:
            key = f"{folder}/{name}"
            if key not in self._known:
                self._known[key] = _file(folder, name)
            if file := self._known[key]:
                yield file
                return


def _file(folder: Path, name: str) -> Path | None:
    if not os.path.isfile(f"{folder}/{name}"):  # noqa: PTH113 - hot
        return None
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) else None


def _words(text: str) -> list[str]:
    """Names of an import, without its aliases."""
    parts = (re.sub(r"#[^\n]*", "", part).split() for part in text.strip("()").split(","))
    return [part[0] for part in parts if part]


def _text(path: Path, limit: int = MAX_BYTES) -> str | None:
    """Text of a file; ``None`` if it is no text, or too long."""
    try:
        if not path.is_file() or path.stat().st_size > limit:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    return None if b"\0" in data else data.decode(errors="replace")
