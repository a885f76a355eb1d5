"""A small real project for tests: a table and a study of it."""

from pathlib import Path
from typing import Any

TUNING = """\
study: small
objective:
  estimator: sklearn.tree.DecisionTreeClassifier
  data: {path: data.csv, target: kind}
  cv: 3
  metric: accuracy
space:
  max_depth: {int: [1, 6]}
  criterion: [gini, entropy]
search: {method: METHOD, seed: 3}
stop: {trials: TRIALS}
"""


def make_project(
    folder: Path, *, method: str = "grid", trials: int = 12, text: str = TUNING, **extra: Any
) -> Path:
    """Write ``data.csv`` (the iris data) and ``tuning.yaml`` into a folder.

    Args:
        folder: their target; made if missing.
        method: the search.
        trials: their number.
        text: the configuration, with the words ``METHOD`` and ``TRIALS`` in it.
        extra: further files, name -> content; ``_`` in a name stands for a dot.

    Returns:
        The configuration's path.
    """
    from sklearn.datasets import load_iris

    folder.mkdir(parents=True, exist_ok=True)
    table = load_iris(as_frame=True).frame.rename(columns={"target": "kind"})
    table.to_csv(folder / "data.csv", index=False)
    for name, content in extra.items():
        (folder / name.replace("_", ".")).write_text(content)
    config = folder / "tuning.yaml"
    config.write_text(text.replace("METHOD", method).replace("TRIALS", str(trials)))
    return config
