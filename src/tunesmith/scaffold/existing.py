"""Existing tuning code in a folder: a call of a scikit-learn search, a parameter grid.

Scripts are read as ``tunesmith import`` reads them, by their syntax tree, and never run. Here the
parts count one by one: what cannot be told is left out, and nothing is guessed in its place.
"""

import ast
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.config.source import parse_document
from tunesmith.errors import ConfigError, UsageError
from tunesmith.importers.draft import Draft
from tunesmith.importers.python.arguments import by_name
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused
from tunesmith.importers.scikit.estimator import put_estimator, resolved
from tunesmith.importers.scikit.grids import Grids, of_scikit
from tunesmith.importers.scikit.scoring import put_metric
from tunesmith.importers.source import Source, read_source
from tunesmith.importers.tools.sklearn import SPACES, known_value
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
SCRIPTS = ("*.py", "*.ipynb", "src/*.py", "scripts/*.py", "*/*.py", "*/*.ipynb")
NOTEBOOK = ".ipynb"
MAX_SCRIPTS = 100
MAX_BYTES = 1 << 18
MAX_NOTEBOOK_BYTES = 1 << 24
"""Notebooks hold pictures, too."""


@dataclass(frozen=True, kw_only=True)
class Existing:
    """The search found in a folder; each field is set only if it is certain."""

    source: str = ""
    """The files that it comes from, for the message."""
    estimator: str | None = None
    """Import path."""
    is_unknown: bool = False
    """True if the search has an estimator that cannot be told from one call, as a pipeline."""
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
        limit = MAX_NOTEBOOK_BYTES if path.suffix == NOTEBOOK else MAX_BYTES
        if hidden or not path.is_file() or path.stat().st_size > limit:
            continue
        # A file that is no Python, or no text, holds no search.
        with suppress(UsageError, ConfigError):
            source = read_source(path, folder).without_foreign_cells
            if source.tree is not None:
                yield from _Script(folder, source, PythonModule(source.tree)).searches()


@dataclass(frozen=True)
class _Script:
    """One script or notebook, and the searches that it makes."""

    folder: Path
    file: Source
    module: PythonModule

    def searches(self) -> Iterator[Existing]:
        """Yield the settings of each call of a search, in order."""
        for call, path in self.module.calls():
            name = path.rpartition(".")[2]
            if name in SEARCHES:
                with suppress(Refused):
                    given = by_name(call, ("estimator", "space"))
                    yield _SearchCall(self, call, given).existing(SEARCHES[name])

    def file_in(self, node: ast.expr) -> str | None:
        """Return the file of a grid that a call loads."""
        texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
        named = (text for text in texts if isinstance(text, str) and text)
        grids = (text for text in named if is_grid(self.folder / text))
        # An absolute path is of one machine, and the configuration is for all.
        return next((text for text in grids if not Path(text).is_absolute()), None)


@dataclass
class _SearchCall:
    """One call of a search; a part that the importer refuses is missing."""

    script: _Script
    call: ast.Call
    given: Mapping[str, ast.expr]
    draft: Draft = field(default_factory=lambda: Draft("scikit-learn", ""))

    def existing(self, method: str) -> Existing:
        """Return what the call tells.

        Args:
            method: kind of search.
        """
        module, given = self.script.module, self.given
        estimator, params = self._estimator
        folds, n_trials = (known_value(module, given.get(name)) for name in ("cv", "n_iter"))
        grid = self._grid
        return Existing(
            source=self._source,
            estimator=estimator,
            is_unknown=estimator is None and "estimator" in given,
            params=params,
            metric=self._metric,
            folds=folds if isinstance(folds, int) and folds >= 2 else None,
            method=method,
            n_trials=n_trials if isinstance(n_trials, int) and n_trials > 0 else None,
            grid_file=None if self._space is None else self.script.file_in(self._space),
            grid=grid if grid and not parse_space(grid)[1] else None,
        )

    @property
    def _source(self) -> str:
        path = self.script.file.program
        # In a notebook, lines are those of a cell.
        is_notebook = self.script.file.suffix == NOTEBOOK
        return path if is_notebook else f"{path}:{self.call.lineno}"

    @cached_property
    def _estimator(self) -> tuple[str | None, dict[str, Any]]:
        """The import path of an estimator that is made by one call, and its arguments."""
        objective = self.draft.content["objective"]
        with suppress(Refused):
            put_estimator(self.draft, self.script.module, self.given["estimator"])
        return objective.get("estimator"), objective.get("params", {})

    @cached_property
    def _metric(self) -> str | None:
        module, scoring = self.script.module, self.given.get("scoring")
        with suppress(Refused):
            made = None if scoring is None else resolved(module, scoring)
            # Without one, the metric of `init` counts, not the estimator's own score.
            if made is not None and not (isinstance(made, ast.Constant) and made.value is None):
                put_metric(self.draft, module, made, self.given.get("refit"))
        metric = self.draft.content["objective"].get("metric")
        return metric if isinstance(metric, str) else None

    @cached_property
    def _space(self) -> ast.expr | None:
        named = next((self.given[name] for name in ("space", *SPACES) if name in self.given), None)
        try:
            return None if named is None else resolved(self.script.module, named)
        except Refused:
            # A name that is changed in place: the reader of grids knows the usual changes.
            return None

    @cached_property
    def _grid(self) -> Any:
        named = next((self.given[name] for name in ("space", *SPACES) if name in self.given), None)
        if named is None:
            return None
        module = self.script.module
        try:
            Grids(module, of_scikit(module, is_grid=True)).put(self.draft, named)
        except Refused:
            return None
        return self.draft.content["space"]
