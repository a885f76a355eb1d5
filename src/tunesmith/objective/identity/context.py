"""Dependencies of scores in memory, so that a ledger recognises them."""

import inspect
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.objective.described import EVALUATION
from tunesmith.objective.identity.ambient import changed_settings
from tunesmith.objective.identity.content import Contents, code_of, doubts_in_words
from tunesmith.objective.identity.hashing import hash_of
from tunesmith.system.fingerprint import code_digest, digest, reached, top_names, versions


@dataclass(frozen=True)
class MemoryContext:
    """Everything that scores of objects in memory depend on, and what is not proved of it."""

    digests: Mapping[str, str]
    """Name -> digest, as the ledger keeps it."""
    doubts: Mapping[str, None]
    """Reasons why the digests do not say everything."""

    def never_again(self) -> "MemoryContext":
        """Return a context that no other run has, if there are doubts."""
        if not self.doubts:
            return self
        code = digest([self.digests["code"], secrets.token_hex(16)])
        return MemoryContext({**self.digests, "code": code}, self.doubts)

    def vouched(self, version: str) -> "MemoryContext":
        """Return a context in which a text of the user's stands for what is not proved."""
        code = digest([self.digests["code"], "version", version])
        return MemoryContext({**self.digests, "code": code}, {})


def context_of(
    estimator: Any, data: Any, scorer: Any, given: Any, values: Contents
) -> MemoryContext:
    """Return what the scores of an estimator depend on.

    Args:
        estimator: unfitted.
        data: the rows.
        scorer: one, or scikit-learn's combined one.
        given: further arguments of ``fit`` and the scorer.
        values: the code in values of its parameters that are tried.
    """
    contents, plain = Contents(), Contents()
    settings: list[Any] = [EVALUATION]
    for what, value in (("the estimator", estimator), ("the scorer", scorer)):
        token = contents.of(what, value)
        # Without code of a notebook or the project, as in ledgers from before.
        settings.append(token if contents.has_loaded_code or contents.doubts else _hash(value))
    settings += contents.labels()
    rows = [_data(plain, "the data", data), _data(plain, "what fit was given", given)]
    own = {f"{part.__module__}:{part.__qualname__}" for part in parts_of(estimator, scorer)}
    # Sorted, because a set has another order in each process, and these become a digest.
    paths = sorted(own | contents.paths | plain.paths | values.paths)
    return _context(rows, settings, paths, {**contents.doubts, **plain.doubts, **values.doubts})


def function_context(function: Any, values: Contents) -> MemoryContext:
    """Return what the scores of a function depend on.

    Args:
        function: any callable.
        values: the code in values of its parameters.
    """
    contents = Contents()
    settings = [EVALUATION, contents.of("the function", function)]
    settings += contents.labels()
    paths = sorted(contents.paths | values.paths)
    return _context([], settings, paths, {**contents.doubts, **values.doubts})


def recognised(context: MemoryContext) -> Mapping[str, str]:
    """Return the digests, for a ledger that has to recognise the scores.

    Raises:
        UsageError: something has no content that another process could recognise.
    """
    if context.doubts:
        raise UsageError(
            f"ledger: {doubts_in_words(context.doubts)}."
            " Define functions and classes in a module, or leave `ledger` out."
        )
    return context.digests


def _context(
    rows: Sequence[Any], settings: Sequence[Any], paths: Sequence[str], doubts: Mapping[str, None]
) -> MemoryContext:
    root = Path.cwd()
    stale = {f"{name} was edited after it was imported": None for name in edited(paths, root)}
    # None with the defaults, so that their digests are those of ledgers from before.
    ambient = [["ambient", *changed]] if (changed := changed_settings()) else []
    digests = {
        "data": digest(list(rows)),
        "code": digest([code_digest(paths, root)]),
        "objective": digest([*settings, *ambient]),
        "versions": digest(versions(paths, root)),
    }
    return MemoryContext(digests, {**doubts, **stale})


def edited(paths: Sequence[str], root: Path) -> list[str]:
    """List the files of the project whose loaded functions are not those that the file defines.

    Args:
        paths: import paths of the code that scores depend on.
        root: the project folder.
    """
    began = process_start()
    # A file that is older than this process is what was imported, and its code may have been
    # changed on the way, as pytest changes assertions.
    found = reached(top_names(paths), root)[0]
    sources = {str(source) for source in found if source.stat().st_mtime >= began}
    if not sources:
        return []
    loaded = [(m, m.__file__) for m in list(sys.modules.values()) if getattr(m, "__file__", None)]
    return sorted(
        Path(file).relative_to(root).as_posix()
        for module, file in loaded
        if file in sources and not _is_as_filed(module, file)
    )


def process_start() -> float:
    """Return the time at which this process began, in seconds since 1970; 0 if it is not known."""
    try:
        # The name in parentheses may hold spaces.
        numbers = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - int(numbers[19]) / os.sysconf(
            "SC_CLK_TCK"
        )
    except (OSError, ValueError, AttributeError):
        return 0.0
    return time.time() - age_s


def _is_as_filed(module: ModuleType, file: str) -> bool:
    try:
        whole = compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return False
    filed = {code.co_qualname: code_of(code) for code in _inner(whole)}
    functions = (f for f in _functions(vars(module)) if f.__code__.co_filename == file)
    return all(filed.get(f.__code__.co_qualname) == code_of(f.__code__) for f in functions)


def _inner(code: CodeType) -> Iterator[CodeType]:
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield part
            yield from _inner(part)


def _functions(held: Mapping[str, Any]) -> Iterator[FunctionType]:
    """Yield the functions of a module, and those of its classes."""
    for value in list(held.values()):
        if isinstance(value, FunctionType):
            yield value
        elif isinstance(value, type):
            yield from (
                member for member in vars(value).values() if isinstance(member, FunctionType)
            )


def _hash(value: Any) -> str:
    return hash_of(value)


def _data(contents: Contents, what: str, value: Any) -> str:
    try:
        return _hash(value)
    # With code in it, which has no name in another process.
    except Exception:  # noqa: BLE001 - whatever pickling may raise
        return contents.of(what, value)


def parts_of(estimator: Any, scorer: Any) -> Iterator[Any]:
    """Yield every class and function whose code makes the scores."""
    deep = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    for value in (estimator, *deep):
        if hasattr(value, "get_params"):
            yield type(value)
        elif inspect.isfunction(value):
            yield value
    for one in getattr(scorer, "_scorers", {"score": scorer}).values():
        code = getattr(one, "_score_func", one)
        yield code if inspect.isfunction(code) else type(code)
