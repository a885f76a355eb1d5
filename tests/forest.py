"""A small project with an estimator of its own, for studies whose fits run on other machines."""

from pathlib import Path

from sklearn.datasets import load_breast_cancer

STUDY = "forest"
TUNING = f"""
study: {STUDY}
objective:
  estimator: model.Forest
  params: {{random_state: 0}}
  data: {{path: data.csv, target: target}}
  cv: {{folds: 3, stratify: true}}
  metric: roc_auc
space:
  n_estimators: {{int: [5, 20]}}
  max_depth: {{int: [2, 6]}}
search: {{method: bayesian, seed: 3, window: 2}}
stop: {{trials: 5}}
outputs: {{best: best.yaml}}
"""
MODEL = """
import os, pathlib, time
from sklearn.ensemble import RandomForestClassifier

class Forest(RandomForestClassifier):
    def fit(self, X, y, **more):
        if len(X) <= 50:  # the dry run
            return super().fit(X, y, **more)
        log = os.environ.get("FITS_LOG")
        if log:
            with open(log, "a") as file:
                file.write(f"{os.getppid()}\\n")
        gate = os.environ.get("FITS_GATE")
        while gate and pathlib.Path(gate).exists():
            time.sleep(0.02)
        return super().fit(X, y, **more)
"""
"""Each fit adds a line to the file ``FITS_LOG``, and waits while there is a file ``FITS_GATE``."""


def make_forest(folder: Path) -> Path:
    """Make a folder with data and code; the configuration is left to the test."""
    folder.mkdir()
    load_breast_cancer(as_frame=True).frame.head(150).to_csv(folder / "data.csv", index=False)
    (folder / "model.py").write_text(MODEL)
    return folder
