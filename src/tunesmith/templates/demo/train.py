"""Train the final model. The parameters live outside, in config/best_parameters.yaml."""

import json
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.model_selection import train_test_split


def main() -> None:
    """Fit on three quarters of the rows, score on the rest."""
    params = YAML(typ="safe").load(Path("config/best_parameters.yaml"))["params"]
    table = pd.read_csv("processed_data/dataset.csv")
    X, y = table.drop(columns="benign"), table["benign"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

    model = RandomForestClassifier(random_state=0, **params).fit(X_train, y_train)
    metrics = {
        "roc_auc": roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]),
        "recall": recall_score(y_test, model.predict(X_test)),
    }
    Path("outputs/training_metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
