"""What ``tunesmith init`` writes: a configuration beside existing code, or a whole demo project.

Existing files are never overwritten unless the user says so, and nothing is written before all of
it has been decided.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from unicodedata import normalize

from tunesmith.config.schema import json_schema
from tunesmith.config.yaml12 import core_scalar
from tunesmith.errors import DataError, did_you_mean
from tunesmith.files import NewFile
from tunesmith.objective.read import read_files

if TYPE_CHECKING:
    import pandas as pd

TEMPLATES = ("basic", "demo", "mlops")
CLASSIFIER = "sklearn.ensemble.RandomForestClassifier"
REGRESSOR = "sklearn.ensemble.RandomForestRegressor"
MAX_FEATURES = {CLASSIFIER: "[sqrt, log2, 0.5]", REGRESSOR: "[sqrt, 0.5, 1.0]"}
# The estimators' own defaults lie inside, so that the first trial says what tuning has gained.
FOREST = """\
  n_estimators: {int: [50, 400], step: 25}
  max_depth: [4, 8, 16, null]             # null: no limit
  min_samples_leaf: {int: [1, 20], log: true}
  max_features: MAX_FEATURES
"""
MAX_CLASSES = 20
HIDDEN = "dot."
"""How the names of hidden files begin here, where they would rule over this very repository."""
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
"""What differs in the files of a project by whose the best parameters are."""


@dataclass(frozen=True)
class Guess:
    """What the scaffold assumes about the user's data; every value can be edited later."""

    study: str = "my-study"
    data: str = "data.csv"
    target: str = "target"
    estimator: str = CLASSIFIER
    metric: str = "balanced_accuracy"

    @property
    def space(self) -> str:
        """The section of the configuration."""
        return FOREST.replace("MAX_FEATURES", MAX_FEATURES[self.estimator])


def plan_files(
    folder: Path, template: str, guess: Guess, *, is_tight: bool = False
) -> list[NewFile]:
    """The files of a template, filled in, in alphabetical order.

    Args:
        folder: where they go.
        template: ``basic``, ``demo`` or ``mlops``.
        guess: what is assumed about the user's data.
        is_tight: of ``mlops``: best parameters are an out of DVC's tuning stage.
    """
    source = files("tunesmith.templates") / template
    values = {key: _yaml_text(value) for key, value in vars(guess).items()}
    values |= {"space": guess.space, **(TIGHT if is_tight else LOOSE)}
    found = [NewFile(folder / name, _filled(name, text, values)) for name, text in _texts(source)]
    found.append(NewFile(folder / "tuning.schema.json", json.dumps(json_schema(), indent=2) + "\n"))
    if template == "demo":
        found.append(NewFile(folder / "processed_data/dataset.csv", demo_table()))
    if template == "mlops":
        found.append(NewFile(folder / "data/raw.csv", raw_table()))
    return sorted(found, key=lambda file: file.path)


def guess_from(folder: Path, data: str | None, target: str | None) -> Guess:
    """Read a table, and choose an estimator and a metric that fit its target.

    Raises:
        DataError: the table cannot be read, or lacks the column.
    """
    study = study_name(folder)
    data = data or _only_table(folder)
    if data is None:
        return Guess(study=study, target=target or Guess.target)
    if not (folder / data).exists() and Path(data).exists():
        near = os.path.relpath(data, folder)
        raise DataError(f"{data} is not in {folder}.\n  Paths begin there: `--data {near}`.")
    frame, _ = read_files([data], folder, ",")
    columns = [str(column) for column in frame.columns]
    _refuse_other_separators(data, columns)
    target = target or columns[-1]
    if target not in columns:
        raise DataError(f"{data}: no column `{target}`. {did_you_mean(target, columns)}")
    if is_quantity(frame[target]):
        return Guess(study, data, target, REGRESSOR, "r2")
    return Guess(study, data, target)


def study_name(folder: Path) -> str:
    """A study's name out of a folder's: letters, digits, ``.``, ``_`` and ``-``.

    >>> study_name(Path("/tmp/Tüv Prüfung #3"))
    'Tuv-Prufung-3'
    """
    plain = normalize("NFKD", folder.resolve().name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip(".-_")[:80] or Guess.study


def _refuse_other_separators(data: str, columns: Sequence[str]) -> None:
    """One column that looks like several was read with the wrong separator."""
    mark = next((mark for mark in (";", "\t", "|") if mark in columns[0]), None)
    if len(columns) == 1 and mark is not None:
        raise DataError(
            f"{data}: its fields seem to be separated by {mark!r}, not by commas.\n"
            f"  Save it with commas, or write a tuning.yaml with `separator: {json.dumps(mark)}`"
            " under `data`."
        )


def demo_table() -> str:
    """The breast cancer data that scikit-learn ships, as CSV."""
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).frame
    text: str = table.rename(columns={"target": "benign"}).to_csv(index=False)
    return text


def raw_table() -> str:
    """The same data as it may come from elsewhere, the target in words."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True)
    names = data.frame.pop("target").map(dict(enumerate(data.target_names)))
    text: str = data.frame.assign(diagnosis=names).to_csv(index=False)
    return text


def _texts(source: Traversable, prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for item in source.iterdir():
        name = f"{prefix}{item.name}"
        if item.is_dir():
            if item.name != "__pycache__":
                found += _texts(item, f"{name}/")
        else:
            found.append((name.replace(HIDDEN, "."), item.read_text(encoding="utf-8")))
    return found


def _filled(name: str, text: str, values: Mapping[str, str]) -> str:
    return Template(text).substitute(values) if name.endswith((".yaml", ".md")) else text


def _yaml_text(value: str) -> str:
    # A JSON string is a YAML string; plain words stay plain because people edit this file.
    is_word = re.fullmatch(r"\w[\w./-]*", value) is not None
    is_plain = is_word and isinstance(core_scalar(value), str)
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def _only_table(folder: Path) -> str | None:
    found = [p for pattern in ("*.csv", "*/*.csv") for p in sorted(folder.glob(pattern))]
    return str(found[0].relative_to(folder)) if len(found) == 1 else None


def is_quantity(column: "pd.Series") -> bool:
    """Whether a target is a quantity rather than a class."""
    from pandas.api.types import is_float_dtype, is_integer_dtype

    values = column.dropna()
    if is_float_dtype(values) and not (values == values.round()).all():
        return True
    is_number = is_integer_dtype(values) or is_float_dtype(values)
    return bool(is_number and values.nunique() > MAX_CLASSES)
