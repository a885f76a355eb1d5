"""Description of all that a study's results depend on, from data and text only.

It serves commands that only compare: no code of the project is run. Everything that cannot be
examined is named, so that nobody takes it for unchanged.
"""

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.config.objective import MetricSpec, ObjectiveSection
from tunesmith.errors import TunesmithError
from tunesmith.history import Metric
from tunesmith.system.fingerprint import project_sources, reached, top_names


@dataclass(frozen=True)
class Unseen:
    """Something that could not be examined."""

    what: str
    why: str


class UnseenError(TunesmithError):
    """The dependencies of a study's results cannot be determined completely.

    Args:
        unseen: everything that could not be examined.
    """

    def __init__(self, unseen: Sequence[Unseen]) -> None:
        super().__init__("; ".join(f"{one.what}: {one.why}" for one in unseen))
        self.found = tuple(unseen)


@dataclass(frozen=True, kw_only=True)
class Outline:
    """An objective without the parts that evaluate."""

    context: Mapping[str, str]
    """The same as in the objective itself."""
    metrics: tuple[Metric, ...]
    objectives: tuple[Metric, ...]
    n_folds: int | None
    """Number of folds; ``None`` if code of the project makes them."""
    has_holdout: bool
    changed: Callable[[Mapping[str, str] | None], list[str]] | None = None
    """For a program: returns the files of a reading that have changed."""


def metric_of(spec: MetricSpec) -> Metric:
    """Metric as its section describes it; your own one without a direction is a scorer."""
    usual = "minimize" if spec.scorer is None and spec.name.endswith("_time") else "maximize"
    return Metric(spec.name, spec.direction or usual)  # type: ignore[arg-type]


def unreadable_code(section: ObjectiveSection, root: Path) -> Iterator[str]:
    """Reasons why digests of the project's code would not cover all of it."""
    root = root.resolve()
    for item in section.argv:
        if item.endswith(".py") and "{" not in item and not (root / item).is_file():
            yield f"{item} is not there"
    tops = top_names(section.all_import_paths)
    missing = sorted(top for top in tops if not project_sources(root, top) and not _exists(top))
    yield from (f"there is no module `{name}`" for name in missing)
    files, _ = reached(tops, root)
    yield from filter(None, (_unparsable(file, root) for file in files))


def _exists(top: str) -> bool:
    """True if a module could be imported now, whether or not it was imported before."""
    # `importlib.util.find_spec` would answer from `sys.modules`, even if the file is gone.
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
    try:
        return any(finder.find_spec(top, None) is not None for finder in finders)
    except (ImportError, ValueError):
        return False


def _unparsable(file: Path, root: Path) -> str | None:
    name = file.relative_to(root)
    try:
        ast.parse(file.read_bytes())
    except OSError as error:
        return f"{name} cannot be read: {error.strerror}"
    # On deep nesting, Python's parser gives up with either of the last two.
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f" (line {error.lineno})" if isinstance(error, SyntaxError) else ""
        return f"{name} cannot be parsed{line}, so that what it imports is not known"
    return None
