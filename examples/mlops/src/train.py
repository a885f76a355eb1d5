"""Train with the best parameters, on all rows but those of the test."""

import json
from pathlib import Path

import joblib
import pandas as pd
from model import build
from ruamel.yaml import YAML
from sklearn.model_selection import StratifiedKFold, cross_validate

TARGET = "malignant"
METRICS = ("roc_auc", "recall", "balanced_accuracy")


def main() -> None:
    """Write the model, and how it scores on folds of its own rows."""
    params = YAML(typ="safe").load(Path("config/best_parameters.yaml"))["params"]
    table = pd.read_csv("processed_data/dataset.csv")
    X, y = table.drop(columns=TARGET), table[TARGET]
    model = build().set_params(**params)

    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    scores = cross_validate(model, X, y, cv=folds, scoring=METRICS)
    metrics = {name: float(scores[f"test_{name}"].mean()) for name in METRICS}
    Path("outputs").mkdir(exist_ok=True)
    Path("outputs/training_metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")

    Path("models").mkdir(exist_ok=True)
    joblib.dump(model.fit(X, y), "models/model.joblib")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
