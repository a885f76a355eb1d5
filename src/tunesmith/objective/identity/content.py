"""Identity of objects in memory by their content: values, and the code that is loaded.

A class of an installed package is named, and its version counts elsewhere. A module of the project
is named, too: a digest of its file, and of all files that it imports, counts elsewhere. All other
code (of a notebook, a script, a lambda) is identified by its instructions, its defaults, its
closure and the globals that it reads, each in the same way. If a part has no content that another
process could recognise, or code reads something that is not on the lists of ``proved_reads``, this
is a *doubt*: the identity then proves nothing, and says so.
"""

import builtins
import dis
import random
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from tunesmith.execute.libraries import libraries
from tunesmith.objective.identity.hashing import OrderedHasher
from tunesmith.objective.identity.proved_reads import (
    is_inner,
    is_label,
    is_proved_builtin,
    is_proved_package,
    is_reader,
)
from tunesmith.system.fingerprint import digest, project_sources

UNREAD = frozenset(
    [
        "__dict__",
        "__weakref__",
        "__doc__",
        "__module__",
        "__qualname__",
        "__firstlineno__",
        "__static_attributes__",
        "__annotations__",
        "__annotate_func__",
        "__annotations_cache__",
        "__abstractmethods__",
        "_abc_impl",
        "__parameters__",
        "__orig_bases__",
        "__dataclass_params__",
        "__match_args__",
    ]
)
"""Attributes of a class that change no result, or that other parts repeat."""
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)
ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")
SIGNATURE = ("co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_flags")
NAMED = ("co_names", "co_varnames", "co_freevars", "co_cellvars")


@dataclass(kw_only=True)
class Contents:
    """Digests of values and loaded code, with all doubts about them."""

    doubts: dict[str, None] = field(default_factory=dict)
    """Reasons why a digest does not say everything that results depend on; each once."""
    paths: set[str] = field(default_factory=set)
    """``module:name`` of the code that was met by name, whose files or versions count."""
    has_loaded_code: bool = False
    """True if code was met that no installed package holds."""
    reads_labels: bool = False
    """True if the code reads names, documentation or annotations of code."""
    _labelled: list[Any] = field(default_factory=list)
    _tokens: dict[int, tuple[Any, str]] = field(default_factory=dict)
    # A tuple with the object itself: a number of `id` may come back.

    def of(self, what: str, value: Any) -> str:
        """Digest of a value; the code in it counts by its content.

        Args:
            what: the value in words, for a doubt.
            value: any object.
        """
        hasher = _Hasher(self)
        try:
            return str(hasher.hash(value))
        except Exception as error:  # noqa: BLE001 - whatever pickling an unknown object may raise
            self.doubts[f"{what} has no content that another process could recognise: {error}"] = (
                None
            )
            return ""

    def code(self, part: Any) -> str:
        """Token of a class or a function: its name if it is installed, else its content."""
        known = self._tokens.get(id(part))
        if known is not None:
            return known[1]
        name = f"{part.__module__}:{part.__qualname__}"
        # A function that calls itself meets itself here.
        self._tokens[id(part)] = part, f"itself:{name}"
        token = name if is_installed(part) else self._project_code(part, name)
        self._tokens[id(part)] = part, token
        return token

    def _project_code(self, part: Any, name: str) -> str:
        if is_filed(part.__module__) and is_found(part):
            self.paths.add(name)
            # The file may have been edited since: what is loaded counts as well.
            loaded = code_of(part.__code__) if isinstance(part, FunctionType) else []
            return digest([name, loaded])
        self.has_loaded_code = True
        self._labelled.append(part)
        return digest(self._class(part) if isinstance(part, type) else self._function(part))

    def labels(self) -> list[Any]:
        """Names, documentation and annotations of all loaded code, if some of it reads them."""
        if not self.reads_labels:
            return []
        # The list grows by the classes of annotations.
        return [
            [
                part.__name__,
                part.__qualname__,
                part.__doc__,
                self.of(f"an annotation of {part.__qualname__}", _annotations(part)),
            ]
            for part in self._labelled
        ]

    # -- classes -----------------------------------------------------------------------------

    def _class(self, cls: type) -> list[Any]:
        members = {name: v for name, v in vars(cls).items() if name not in UNREAD}
        return [
            "class",
            [self.code(base) for base in (type(cls), *cls.__bases__)],
            [[name, self._member(cls, name, members[name])] for name in sorted(members)],
        ]

    def _member(self, cls: type, name: str, member: Any) -> Any:
        if isinstance(member, staticmethod | classmethod):
            return [type(member).__name__, self.code_or_value(cls, name, member.__func__)]
        if isinstance(member, property):
            parts = (member.fget, member.fset, member.fdel)
            return ["property", *(self.code_or_value(cls, name, part) for part in parts)]
        if isinstance(member, cached_property):
            return ["cached_property", self.code_or_value(cls, name, member.func)]
        # Slots and the like, which are made by the class statement.
        if type(member).__name__ in ("member_descriptor", "getset_descriptor"):
            return name
        return self.code_or_value(cls, name, member)

    def code_or_value(self, owner: Any, name: str, member: Any) -> str:
        """Token of code, or digest of a value.

        Args:
            owner: class or function that holds it, for a doubt.
            name: name there.
            member: class, function or value.
        """
        if isinstance(member, GENERATORS):
            self.doubts[f"{owner.__qualname__} draws from the generator `{name}`"] = None
        return self.of(f"`{name}` of {owner.__qualname__}", member)

    # -- functions ---------------------------------------------------------------------------

    def _function(self, function: FunctionType) -> list[Any]:
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        attributes = {k: v for k, v in vars(function).items() if k != "__wrapped__"}
        return [
            "function",
            code_of(function.__code__),
            self.of(f"a default of {function.__qualname__}", function.__defaults__),
            self.of(f"a default of {function.__qualname__}", function.__kwdefaults__),
            self.of(f"an attribute of {function.__qualname__}", attributes),
            [[name, self._cell(function, name, cell)] for name, cell in cells],
            [list(item) for item in self._globals(function)],
        ]

    def _cell(self, function: FunctionType, name: str, cell: Any) -> str:
        try:
            return self.code_or_value(function, name, cell.cell_contents)
        except ValueError:
            return "empty"

    def _globals(self, function: FunctionType) -> Iterator[tuple[str, str]]:
        """Yield the globals that a function reads, with their digests."""
        home = function.__globals__
        # A wrapper that an installed package made: its version says what it reads.
        if is_library(str(home.get("__name__"))):
            return
        reads = Reads(function.__code__)
        self.reads_labels = self.reads_labels or reads.has_labels
        for problem in reads.problems:
            self.doubts[f"{function.__qualname__} {problem}"] = None
        for name in sorted(reads.imported):
            self._imported(function, name)
        for name in sorted(reads.names):
            if name in home:
                yield name, self._global(function, name, home[name])
            elif hasattr(builtins, name):
                if not is_proved_builtin(name):
                    self.doubts[f"{function.__qualname__} calls `{name}`"] = None
            else:
                self.doubts[f"{function.__qualname__} reads `{name}`, which is not defined"] = None

    def _imported(self, function: FunctionType, name: str) -> None:
        if is_library(name):
            if not is_proved_package(name):
                self.doubts[f"{function.__qualname__} uses the module `{name}`"] = None
        else:
            self.doubts[f"{function.__qualname__} imports `{name}` when it is called"] = None

    def _global(self, function: FunctionType, name: str, value: Any) -> str:
        module = value.__name__ if isinstance(value, ModuleType) else _home_of(value)
        if isinstance(value, ModuleType) and not is_library(module):
            return self._module(value)
        if module and is_library(module):
            self.paths.add(f"{module}:{getattr(value, '__qualname__', '')}".rstrip(":"))
            if not is_proved_package(module):
                what = "module" if isinstance(value, ModuleType) else "name"
                self.doubts[f"{function.__qualname__} uses the {what} `{name}` of {module}"] = None
            elif is_reader(getattr(value, "__name__", "")):
                self.doubts[f"{function.__qualname__} calls `{name}` of {module}"] = None
            if is_label(getattr(value, "__name__", "")):
                self.reads_labels = True
        if isinstance(value, ModuleType):
            return module
        return self.code_or_value(function, name, value)

    def _module(self, module: ModuleType) -> str:
        """Digest of everything that a module of the project holds."""
        known = self._tokens.get(id(module))
        if known is not None:
            return known[1]
        name = module.__name__
        self._tokens[id(module)] = module, f"itself:{name}"
        if is_filed(name):
            self.paths.add(f"{name}:__name__")
            return name
        self.has_loaded_code = True
        held = {k: v for k, v in vars(module).items() if not k.startswith("__")}
        token = digest([[k, self._held(module, k, held[k])] for k in sorted(held)])
        self._tokens[id(module)] = module, token
        return token

    def _held(self, module: ModuleType, name: str, value: Any) -> str:
        if not isinstance(value, ModuleType):
            return self.of(f"`{name}` of the module {module.__name__}", value)
        return value.__name__ if is_library(value.__name__) else self._module(value)


class _Hasher(OrderedHasher):
    """Hash of a value, in which code stands by its token."""

    def __init__(self, contents: Contents) -> None:
        super().__init__()
        self._contents = contents

    def save(self, obj: Any) -> None:
        """Save a part of the value."""
        if isinstance(obj, type | FunctionType):
            obj = "code", self._contents.code(obj)
        elif isinstance(obj, ModuleType):
            name = obj.__name__
            obj = "module", name if is_library(name) else self._contents._module(obj)
        super().save(obj)


class Reads:
    """Names that the instructions of a function read from outside of it."""

    def __init__(self, code: CodeType) -> None:
        self.names: set[str] = set()
        self.imported: set[str] = set()
        self.problems: dict[str, None] = {}
        self.has_labels = False
        self._look_at(code)

    def _look_at(self, code: CodeType) -> None:
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                self.names.add(step.argval)
            elif step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                self.problems[f"changes the global `{step.argval}`"] = None
            elif step.opname == "IMPORT_NAME":
                self.imported.add(step.argval)
            elif step.opname in ATTRIBUTES and is_reader(str(step.argval)):
                self.problems[f"calls `{step.argval}`"] = None
            # Also as a text, for `getattr`.
            if step.opname in (*ATTRIBUTES, "LOAD_CONST") and isinstance(step.argval, str):
                self.has_labels = self.has_labels or is_label(step.argval)
                if is_inner(step.argval):
                    self.problems[f"reads `{step.argval}`"] = None
        for part in code.co_consts:
            if isinstance(part, CodeType):
                self._look_at(part)


def code_of(code: CodeType) -> list[Any]:
    """Instructions of a function as JSON; its place in a file plays no part."""
    return [
        code.co_code.hex(),
        code.co_exceptiontable.hex(),
        [getattr(code, name) for name in SIGNATURE],
        [list(getattr(code, name)) for name in NAMED],
        [
            code_of(part) if isinstance(part, CodeType) else _constant(part)
            for part in code.co_consts
        ],
    ]


def _annotations(part: Any) -> Any:
    try:
        return vars(part).get("__annotations__") or getattr(part, "__annotations__", {})
    # Since Python 3.14 they are evaluated when they are read.
    except NameError as error:
        return str(error)


def _constant(value: Any) -> str:
    # The order of a set is another one in each process.
    if isinstance(value, frozenset):
        return f"frozenset({sorted(map(repr, value))})"
    return repr(value)


def _home_of(value: Any) -> str:
    """Module of a class or function; empty for other values, which have content."""
    if isinstance(value, type | FunctionType | BuiltinFunctionType):
        return str(value.__module__ or "")
    # Functions that were written in C, such as those of NumPy.
    return str(getattr(value, "__module__", "") or "") if callable(value) else ""


def is_installed(part: Any) -> bool:
    """Tell whether a class or function is found by its name in an installed package."""
    return is_library(part.__module__ or "") and is_found(part)


def is_filed(module: str | None) -> bool:
    """Tell whether a module is a file of the project, which lies in the working folder."""
    top = (module or "").partition(".")[0]
    return top not in ("", "__main__") and bool(project_sources(Path.cwd(), top))


def is_found(part: Any) -> bool:
    """Tell whether a class or function is what its module holds under its name."""
    place: Any = sys.modules.get(part.__module__)
    for name in part.__qualname__.split("."):
        place = getattr(place, name, None)
    return place is part


@cache
def is_library(module: str) -> bool:
    """Tell whether a module belongs to Python or an installed package."""
    if module.partition(".")[0] in sys.builtin_module_names:
        return True
    return bool(libraries([module]))


def doubts_in_words(doubts: Mapping[str, None]) -> str:
    """Name the first doubts, shortened.

    >>> doubts_in_words({"f calls `open`": None})
    'f calls `open`'
    """
    first = [text if len(text) <= 200 else f"{text[:199]}…" for text in list(doubts)[:3]]
    more = len(doubts) - len(first)
    return "; ".join(first) + (f"; and {more} more" if more else "")
