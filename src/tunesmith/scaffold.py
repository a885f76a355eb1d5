"""What ``tunesmith init`` writes: a configuration beside existing code, or a whole demo project.

Existing files are never overwritten unless the user says so, and nothing is written before all of
it has been decided.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from tunesmith.config.schema import json_schema
from tunesmith.errors import DataError, did_you_mean
from tunesmith.files import write_atomic

TEMPLATES = ("basic", "demo")
FOREST = """\
  n_estimators: {int: [50, 400], step: 25}
  max_depth: {int: [3, 20]}
  min_samples_leaf: {int: [1, 20], log: true}
  max_features: [sqrt, log2, 0.5]
"""


@dataclass(frozen=True)
class NewFile:
    """A file to write."""

    path: Path
    content: str

    @property
    def exists(self) -> bool:
        """Whether another file stands there already."""
        return self.path.exists()

    @property
    def is_same(self) -> bool:
        """Whether that file has this very content."""
        return self.path.is_file() and self.path.read_bytes() == self.content.encode()


@dataclass(frozen=True)
class Guess:
    """What the scaffold assumes about the user's data; every value can be edited later."""

    study: str = "my-study"
    data: str = "data.csv"
    target: str = "target"
    estimator: str = "sklearn.ensemble.RandomForestClassifier"
    metric: str = "balanced_accuracy"


def plan_files(folder: Path, template: str, guess: Guess) -> list[NewFile]:
    """The files of a template, filled in, in alphabetical order."""
    source = files("tunesmith.templates") / template
    values = {key: _yaml_text(value) for key, value in vars(guess).items()}
    found = [
        NewFile(folder / name, _filled(name, text, values | {"space": FOREST}))
        for name, text in _texts(source)
    ]
    found.append(NewFile(folder / "tuning.schema.json", json.dumps(json_schema(), indent=2) + "\n"))
    if template == "demo":
        found.append(NewFile(folder / "processed_data/dataset.csv", demo_table()))
    return sorted(found, key=lambda file: file.path)


def write_files(planned: list[NewFile]) -> None:
    """Write them all, each in one step."""
    for file in planned:
        write_atomic(file.path, file.content)


def guess_from(folder: Path, data: str | None, target: str | None) -> Guess:
    """Read a table's header and target, and choose an estimator and a metric that fit.

    Raises:
        DataError: the table or the column does not exist.
    """
    study = folder.resolve().name.replace(" ", "-") or "my-study"
    data = data or _only_table(folder)
    if data is None:
        return Guess(study=study)
    path = folder / data
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    columns, is_number = _columns(path, target)
    target = target or columns[-1]
    if target not in columns:
        raise DataError(f"{path}: no column `{target}`. {did_you_mean(target, columns)}")
    if is_number:
        return Guess(study, data, target, "sklearn.ensemble.RandomForestRegressor", "r2")
    return Guess(study, data, target)


def demo_table() -> str:
    """The breast cancer data that scikit-learn ships, as CSV."""
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).frame
    text: str = table.rename(columns={"target": "benign"}).to_csv(index=False)
    return text


def _texts(source: Traversable, prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for item in source.iterdir():
        name = f"{prefix}{item.name}"
        if item.is_dir():
            if item.name != "__pycache__":
                found += _texts(item, f"{name}/")
        else:
            found.append((name, item.read_text(encoding="utf-8")))
    return found


def _filled(name: str, text: str, values: Mapping[str, str]) -> str:
    return Template(text).substitute(values) if name.endswith(".yaml") else text


def _yaml_text(value: str) -> str:
    # A JSON string is a YAML string; plain words stay plain because people edit this file.
    is_plain = value.replace("/", "").replace(".", "").replace("-", "").replace("_", "").isalnum()
    return value if is_plain and not value[0].isdigit() else json.dumps(value, ensure_ascii=False)


def _only_table(folder: Path) -> str | None:
    found = [p for pattern in ("*.csv", "*/*.csv") for p in sorted(folder.glob(pattern))]
    return str(found[0].relative_to(folder)) if len(found) == 1 else None


def _columns(path: Path, target: str | None) -> tuple[list[str], bool]:
    """Column names, and whether the target is a quantity rather than a class."""
    import pandas as pd
    from pandas.api.types import is_float_dtype, is_integer_dtype

    head = pd.read_csv(path, nrows=1000)
    columns = [str(column) for column in head.columns]
    name = target or columns[-1]
    if name not in head:
        return columns, False
    values = head[name].dropna()
    if is_float_dtype(values) and not (values == values.round()).all():
        return columns, True
    return columns, bool(is_integer_dtype(values) and values.nunique() > 20)
