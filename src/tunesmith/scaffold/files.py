"""Files of ``tunesmith init``: a configuration beside existing code, or a whole demo project.

Existing files are never overwritten unless the user says so, and nothing is written before all
contents are decided.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from tunesmith.config.schema import json_schema
from tunesmith.config.source import parse_document
from tunesmith.config.yaml12 import core_scalar
from tunesmith.data.read import read_files
from tunesmith.errors import DataError, did_you_mean
from tunesmith.formats.yaml_text import yaml_text
from tunesmith.scaffold.existing import Existing, existing_in
from tunesmith.scaffold.groups import Identifiers, identifiers
from tunesmith.scaffold.installed import known_parameters, scorers
from tunesmith.sharing.prototype import is_json
from tunesmith.system.files import NewFile

if TYPE_CHECKING:
    import pandas as pd

TEMPLATES = ("basic", "demo", "mlops")
CLASSIFIER = "sklearn.ensemble.RandomForestClassifier"
REGRESSOR = "sklearn.ensemble.RandomForestRegressor"
MAX_FEATURES = {CLASSIFIER: "[sqrt, log2, 0.5]", REGRESSOR: "[sqrt, 0.5, 1.0]"}
# The estimators' own defaults lie inside, so that the first trial shows the gain of tuning.
FOREST = """\
  n_estimators: {int: [50, 400], step: 25}
  max_depth: [4, 8, 16, null]             # null: no limit
  min_samples_leaf: {int: [1, 20], log: true}
  max_features: MAX_FEATURES
"""
MAX_CLASSES = 20
HIDDEN = "dot."
"""Prefix of hidden files' names in this package: a real `.gitignore` would affect this
repository."""
LOOSE = {
    "tuned": "  tuned: outputs/tuned_parameters.yaml      # what the study found: its own file\n",
    "found": "outputs/tuned_parameters.yaml",
    "owner": "what training reads: yours to edit",
    "why": "yours to edit: that trains again, and tunes nothing",
    "whose": """\
Yours. A run of the study writes what it found to `outputs/tuned_parameters.yaml`, and takes it over
into `config/best_parameters.yaml` while nobody has edited that. An edit by hand trains again and
tunes nothing; a later run leaves it alone and says so, and `tunesmith adopt` takes the winner over.
`tunesmith init --template mlops --tight` makes the other choice: an edit by hand is undone.""",
}
TIGHT = {
    "tuned": "",
    "found": "config/best_parameters.yaml",
    "owner": "what the study found, and training reads",
    "why": "an out of tuning: an edit by hand is undone",
    "whose": """\
The study's. It is an out of the tuning stage: `dvc status` shows an edit by hand, and `dvc repro`
puts back what was found, evaluating nothing. To have other values, change `tuning.yaml`
(`selection: one_se` chooses the simplest of the best). `tunesmith init --template mlops` makes the
other choice: the file is yours to edit, and an edit tunes nothing.""",
}
"""Values of the templates that depend on who owns the best parameters."""


AUTO = "auto            # impute, scale and encode by column type, inside every fold"


@dataclass(frozen=True, kw_only=True)
class Guess:
    """Assumptions about the user's data; every value can be edited later."""

    study: str = "my-study"
    data: str = "data.csv"
    target: str = "target"
    estimator: str = CLASSIFIER
    metric: str = "balanced_accuracy"
    existing: Existing = field(default_factory=Existing)
    """An earlier search in the folder, as far as it is used."""
    groups: str | None = None
    """The column whose values stay together in one fold."""
    identifiers: Identifiers = field(default_factory=Identifiers)
    notes: tuple[str, ...] = ()
    """Remarks on findings that are not used, with the reason."""

    def texts(self) -> dict[str, str]:
        """Texts for the template, by placeholder."""
        named = ("study", "data", "target", "estimator", "metric")
        existing = self.existing
        params = "".join(f"    {line}\n" for line in _lines(existing.params))
        return {name: _yaml_text(getattr(self, name)) for name in named} | {
            "params": f"  params:\n{params}" if existing.params else "",
            "preprocess": AUTO,
            "columns": self._columns(),
            "cv": "{folds: 5, shuffle: true}" if existing.folds is None else str(existing.folds),
            "space": self._space(),
            "method": f"{existing.method or 'bayesian':18}  # grid | random | bayesian",
            "stop": self._stop(),
        }

    def _columns(self) -> str:
        keys = ", ".join(_yaml_text(name) for name in self.identifiers.keys)
        drop = f"    drop: [{keys}]  # another value in every row\n" if keys else ""
        if self.groups is not None:
            return f"    groups: {_yaml_text(self.groups)}\n{drop}"
        asked = map(_yaml_text, self.identifiers.groups)
        hints = [f"    # groups: {name}  # if its rows belong together\n" for name in asked]
        return "".join(hints) + drop

    def _space(self) -> str:
        existing = self.existing
        if existing.grid_file is not None:
            return f" {_yaml_text(existing.grid_file)}\n"
        if existing.grid is not None:
            return "\n" + "".join(f"  {line}\n" for line in _lines(existing.grid))
        return "\n" + FOREST.replace("MAX_FEATURES", MAX_FEATURES[self.estimator])

    def _stop(self) -> str:
        if self.existing.method == "grid":
            return "{}                      # every combination once"
        if self.existing.n_trials is not None:
            return f"{{trials: {self.existing.n_trials}}}"
        return "{trials: 40, patience: 20}"


def _lines(content: Any) -> list[str]:
    return yaml_text(content).splitlines()


def plan_files(
    folder: Path, template: str, guess: Guess, *, is_tight: bool = False
) -> list[NewFile]:
    """Return the files of a template, filled in, in alphabetical order.

    Args:
        folder: their target.
        template: ``basic``, ``demo`` or ``mlops``.
        guess: assumptions about the user's data.
        is_tight: of ``mlops``: best parameters are an out of DVC's tuning stage.
    """
    source = files("tunesmith.templates") / template
    values = guess.texts() | (TIGHT if is_tight else LOOSE)
    planned = [NewFile(folder / name, _filled(name, text, values)) for name, text in _texts(source)]
    planned.append(
        NewFile(folder / "tuning.schema.json", json.dumps(json_schema(), indent=2) + "\n")
    )
    if template == "demo":
        planned.append(NewFile(folder / "processed_data/dataset.csv", demo_table()))
    if template == "mlops":
        planned.append(NewFile(folder / "data/raw.csv", raw_table()))
    return sorted(planned, key=lambda file: file.path)


def guess_from(
    folder: Path, data: str | None, target: str | None, groups: str | None = None
) -> Guess:
    """Read a table, and choose an estimator and a metric that fit its target.

    Settings of an earlier search in the folder take precedence.

    Raises:
        DataError: the table cannot be read, or lacks the column.
    """
    study = study_name(folder)
    data = data or _only_table(folder)
    if data is None:
        return Guess(study=study, target=target or Guess.target, groups=groups)
    if not (folder / data).exists() and Path(data).exists():
        near = os.path.relpath(data, folder)
        raise DataError(f"{data} is not in {folder}.\n  Paths begin there: `--data {near}`.")
    frame, _ = read_files([data], folder, ",")
    columns = [str(column) for column in frame.columns]
    _refuse_other_separators(data, columns)
    target = target or columns[-1]
    if target not in columns:
        raise DataError(f"{data}: no column `{target}`. {did_you_mean(target, columns)}")
    if groups is not None and groups not in columns:
        raise DataError(f"{data}: no column `{groups}`. {did_you_mean(groups, columns)}")
    is_number = is_quantity(frame[target])
    plain = Guess(
        study=study,
        data=data,
        target=target,
        estimator=REGRESSOR if is_number else CLASSIFIER,
        metric="r2" if is_number else "balanced_accuracy",
        groups=groups,
        identifiers=identifiers(frame, target),
        notes=_single(frame[target]),
    )
    return with_existing(plain, existing_in(folder), folder)


def _single(column: "pd.Series") -> tuple[str, ...]:
    """Remark on a target with one value, from which nothing can be learned."""
    values = column.dropna().unique()
    if len(values) != 1:
        return ()
    return (f"all rows of `{column.name}` have one value, {values[0]}: nothing can be learned.",)


def with_existing(guess: Guess, existing: Existing, folder: Path) -> Guess:
    """Return the guess with the settings of an earlier search, as far as they fit together.

    Args:
        guess: from the table alone.
        existing: in the folder.
        folder: of the project.
    """
    if not existing.source:
        return guess
    grid = existing.grid
    if existing.grid_file is not None:
        path = folder / existing.grid_file
        grid = parse_document(path.read_text(encoding="utf-8"), path).data
    estimator = existing.estimator or guess.estimator
    if existing.is_unknown:
        # Names like `clf__C` are those of a pipeline, and of nothing else.
        problem = "its estimator is not made by one call with known arguments (a pipeline?)."
        script = existing.source.partition(",")[0].partition(":")[0]
        advice = f"`tunesmith import {script} -o imported.yaml` reads pipelines, too."
        return replace(
            guess, notes=(*guess.notes, f"{existing.source} is not used: {problem} {advice}")
        )
    problem = _unfit(estimator, existing.params, grid)
    if problem:
        return replace(guess, notes=(*guess.notes, f"{existing.source} is not used: {problem}"))
    metric = existing.metric if existing.metric in scorers() else guess.metric
    return replace(guess, estimator=estimator, metric=str(metric), existing=existing)


def _unfit(estimator: str, params: Mapping[str, Any], grid: Any) -> str:
    """Reason for which an estimator and a grid do not fit together; empty if they do."""
    if grid is None:
        if estimator in MAX_FEATURES:
            return ""
        return f"no grid of {estimator.rpartition('.')[2]} was found as a literal or a file."
    boxes = grid if isinstance(grid, list) else [grid]
    known = known_parameters(estimator)
    unknown = sorted({name for box in boxes for name in box if known and name not in known})
    if unknown:
        listed = ", ".join(f"`{name}`" for name in unknown)
        return f"{listed} is no parameter of {estimator.rpartition('.')[2]}."
    return "" if not params or is_json(dict(params)) else "a fixed parameter is no JSON value."


def study_name(folder: Path) -> str:
    """Return a study's name made from a folder's: letters, digits, ``.``, ``_`` and ``-``.

    >>> study_name(Path("/tmp/Tüv Prüfung #3"))
    'Tuv-Prufung-3'
    """
    plain = normalize("NFKD", folder.resolve().name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip(".-_")[:80] or Guess.study


def _refuse_other_separators(data: str, columns: Sequence[str]) -> None:
    """Refuse a single column that looks like several: it was read with the wrong separator."""
    mark = next((mark for mark in (";", "\t", "|") if mark in columns[0]), None)
    if len(columns) == 1 and mark is not None:
        raise DataError(
            f"{data}: its fields seem to be separated by {mark!r}, not by commas.\n"
            f"  Save it with commas, or write a tuning.yaml with `separator: {json.dumps(mark)}`"
            " under `data`."
        )


def demo_table() -> str:
    """Return the breast cancer data that scikit-learn ships, as CSV."""
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).frame
    text: str = table.rename(columns={"target": "benign"}).to_csv(index=False)
    return text


def raw_table() -> str:
    """Return the same data in a raw form, with the target in words."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True)
    names = data.frame.pop("target").map(dict(enumerate(data.target_names)))
    text: str = data.frame.assign(diagnosis=names).to_csv(index=False)
    return text


def _texts(source: Traversable, prefix: str = "") -> list[tuple[str, str]]:
    texts = []
    for item in source.iterdir():
        name = f"{prefix}{item.name}"
        if item.is_dir():
            # pip compiles the programs among the templates when it installs the package.
            if item.name != "__pycache__":
                texts += _texts(item, f"{name}/")
        else:
            texts.append((name.replace(HIDDEN, "."), item.read_text(encoding="utf-8")))
    return texts


def _filled(name: str, text: str, values: Mapping[str, str]) -> str:
    # Dollars in the other files belong to shells and programs.
    return Template(text).substitute(values) if name.endswith((".yaml", ".md")) else text


def _yaml_text(value: str) -> str:
    # A JSON string is a YAML string; plain words stay plain because people edit this file.
    is_word = re.fullmatch(r"\w[\w./-]*", value) is not None
    is_plain = is_word and isinstance(core_scalar(value), str)
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def _only_table(folder: Path) -> str | None:
    tables = [p for pattern in ("*.csv", "*/*.csv") for p in sorted(folder.glob(pattern))]
    return str(tables[0].relative_to(folder)) if len(tables) == 1 else None


def is_quantity(column: "pd.Series") -> bool:
    """Tell whether a target is a quantity rather than a class."""
    from pandas.api.types import is_float_dtype, is_integer_dtype

    values = column.dropna()
    # A column of whole numbers with gaps is one of floats to pandas.
    if is_float_dtype(values) and not (values == values.round()).all():
        return True
    is_number = is_integer_dtype(values) or is_float_dtype(values)
    return bool(is_number and values.nunique() > MAX_CLASSES)
