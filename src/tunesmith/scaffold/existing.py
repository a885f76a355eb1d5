"""Existing tuning code in a folder: a call of a scikit-learn search, a parameter grid.

Scripts are read by their syntax tree and never run. A value that is no literal is left out, and
nothing is guessed in its place.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.config.source import parse_document
from tunesmith.errors import UsageError
from tunesmith.space.parse import parse_space

SEARCHES = {
    "GridSearchCV": "grid",
    "HalvingGridSearchCV": "grid",
    "RandomizedSearchCV": "random",
    "HalvingRandomSearchCV": "random",
    "BayesSearchCV": "bayesian",
}
"""Classes of scikit-learn and its kin, and the search that takes their place."""
GRIDS = ("parameters", "param_grid", "grid", "params_grid", "hyperparameters")
"""Usual names of files of parameter grids, in the folder or in ``config``."""
SCRIPTS = ("*.py", "src/*.py", "scripts/*.py", "*/*.py")
MAX_SCRIPTS = 100
MAX_BYTES = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Existing:
    """The search found in a folder; each field is set only if it is certain."""

    source: str = ""
    """The files that it comes from, for the message."""
    estimator: str | None = None
    """Import path."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Fixed parameters of the estimator."""
    metric: str | None = None
    folds: int | None = None
    method: str | None = None
    n_trials: int | None = None
    grid_file: str | None = None
    """A file that holds the grid."""
    grid: Any = None
    """A grid that stands in a script."""


def existing_in(folder: Path) -> Existing:
    """Look for a search in the scripts of a folder, and for a file that holds a grid.

    Args:
        folder: of the project.
    """
    existing = next(_searches(folder), None) or Existing()
    if existing.grid_file is None and existing.grid is None:
        name = _grid_file(folder)
        if name is not None:
            sources = ", ".join(filter(None, (existing.source, name)))
            return _with(existing, source=sources, grid_file=name)
    return existing


def _with(existing: Existing, **changes: Any) -> Existing:
    return Existing(**{**vars(existing), **changes})


def _grid_file(folder: Path) -> str | None:
    for place in ("config", "."):
        for stem in GRIDS:
            for suffix in (".json", ".yaml", ".yml", ".toml"):
                path = folder / place / f"{stem}{suffix}"
                if is_grid(path):
                    return path.relative_to(folder).as_posix()
    return None


def is_grid(path: Path) -> bool:
    """Tell whether a file holds a grid: lists of values by the names of parameters."""
    try:
        data = parse_document(path.read_text(encoding="utf-8"), path).data
    except (OSError, UnicodeDecodeError, UsageError):
        return False
    return _is_grid(data)


def _is_grid(data: Any) -> bool:
    boxes = data if isinstance(data, list) else [data]
    is_shaped = boxes and all(
        isinstance(box, dict) and box and all(isinstance(v, list) and v for v in box.values())
        for box in boxes
    )
    return bool(is_shaped) and not parse_space(data)[1]


# -- scripts -------------------------------------------------------------------------------------


def _searches(folder: Path) -> Iterator[Existing]:
    """The searches in the scripts of a folder, those of the top folder first."""
    paths = dict.fromkeys(path for p in SCRIPTS for path in sorted(folder.glob(p)))
    for path in islice(paths, MAX_SCRIPTS):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or not path.is_file() or path.stat().st_size > MAX_BYTES:
            continue
        try:
            # As bytes, so that a declared encoding counts.
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, RecursionError):
            continue
        yield from _Script(folder, path, tree).searches()


class _Script:
    """One script: its imports, its assignments, and the searches that it makes."""

    def __init__(self, folder: Path, path: Path, tree: ast.Module) -> None:
        self.folder, self.path, self.tree = folder, path, tree
        self.imports = dict(_imports(tree))
        self.assigned = _assigned(tree)

    def searches(self) -> Iterator[Existing]:
        """Yield the settings of each call of a search, in order."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                name = (self.dotted(node.func) or "").rpartition(".")[2]
                if name in SEARCHES:
                    yield self._existing(node, SEARCHES[name])

    def _existing(self, call: ast.Call, method: str) -> Existing:
        given: dict[str, ast.expr] = dict(zip(("estimator", "space"), call.args, strict=False))
        given |= {word.arg: word.value for word in call.keywords if word.arg}
        estimator, params = self._estimator(given.get("estimator"))
        names = ("space", "param_grid", "param_distributions", "search_spaces")
        space = next((given[name] for name in names if name in given), None)
        grid, file = self._grid(space)
        metric, folds = self.literal(given.get("scoring")), self.literal(given.get("cv"))
        n_trials = self.literal(given.get("n_iter"))
        return Existing(
            source=f"{self.path.relative_to(self.folder).as_posix()}:{call.lineno}",
            estimator=estimator,
            params=params,
            metric=metric if isinstance(metric, str) else None,
            folds=folds if isinstance(folds, int) and folds >= 2 else None,
            method=method,
            n_trials=n_trials if isinstance(n_trials, int) and n_trials > 0 else None,
            grid_file=file,
            grid=grid,
        )

    def _estimator(self, node: ast.expr | None) -> tuple[str | None, dict[str, Any]]:
        """The import path of an estimator that is made by one call, and its arguments."""
        node = self.value(node)
        # Which parameter a positional argument is, only an import of the class could tell.
        if not isinstance(node, ast.Call) or node.args:
            return None, {}
        path = self.dotted(node.func)
        if path is None or "." not in path or any(word.arg is None for word in node.keywords):
            return None, {}
        params = {str(word.arg): self.literal(word.value) for word in node.keywords}
        pairs = zip(params.values(), node.keywords, strict=True)
        # `None` also stands for what is no literal, and may have been written as a value.
        is_whole = all(v is not None or _is_none(word.value) for v, word in pairs)
        return (path, params) if is_whole else (None, {})

    def _grid(self, node: ast.expr | None) -> tuple[Any, str | None]:
        """A grid as a literal, or the file that it is loaded from."""
        node = self.value(node)
        if isinstance(node, ast.Call):
            texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
            return None, self._file_in(texts)
        grid = self.literal(node)
        return (grid, None) if grid is not None and _is_grid(grid) else (None, None)

    def _file_in(self, texts: list[Any]) -> str | None:
        named = (text for text in texts if isinstance(text, str) and text)
        grids = (text for text in named if is_grid(self.folder / text))
        # An absolute path is of one machine, and the configuration is for all.
        return next((text for text in grids if not Path(text).is_absolute()), None)

    def value(self, node: ast.expr | None) -> ast.expr | None:
        """Return the value of a name, if it is assigned exactly once."""
        # Names may stand for each other in a circle.
        for _ in range(5):
            if not isinstance(node, ast.Name):
                return node
            node = self.assigned.get(node.id)
        return None

    def literal(self, node: ast.expr | None) -> Any:
        """Return the value of a literal; ``None`` if it is none."""
        node = self.value(node)
        try:
            return None if node is None else _plain(ast.literal_eval(node))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None

    def dotted(self, node: ast.expr) -> str | None:
        """Return the full name behind an expression like ``ensemble.Forest``."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        return ".".join([self.imports.get(node.id, node.id), *parts])


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _plain(value: Any) -> Any:
    """Turn tuples into lists, as JSON has no tuples."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield (
                    # `import a.b` binds `a`, but `import a.b as c` binds the inner module.
                    name.asname or name.name.partition(".")[0],
                    (name.name if name.asname else name.name.partition(".")[0]),
                )
        # A relative import says nothing without its package.
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for name in node.names:
                yield name.asname or name.name, f"{node.module}.{name.name}"


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the values of names that are assigned once."""
    by_name: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name):
            by_name.setdefault(target.id, []).append(value)
    return {name: values[0] for name, values in by_name.items() if len(values) == 1}
