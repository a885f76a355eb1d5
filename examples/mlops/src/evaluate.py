"""Score the trained model on rows that neither tuning nor training has seen."""

import json
from pathlib import Path

import joblib
import pandas as pd
from sklearn.metrics import accuracy_score, precision_score, recall_score, roc_auc_score, roc_curve

TARGET = "malignant"


def main() -> None:
    """Write the metrics of the test rows, and their ROC curve for `dvc plots`."""
    model = joblib.load("models/model.joblib")
    table = pd.read_csv("processed_data/test.csv")
    X, y = table.drop(columns=TARGET), table[TARGET]
    labels, margins = model.predict(X), model.decision_function(X)

    metrics = {
        "roc_auc": roc_auc_score(y, margins),
        "recall": recall_score(y, labels),
        "precision": precision_score(y, labels),
        "accuracy": accuracy_score(y, labels),
    }
    Path("outputs").mkdir(exist_ok=True)
    Path("outputs/evaluation_metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    false_positive, true_positive, _ = roc_curve(y, margins)
    curve = {"false_positive_rate": false_positive, "true_positive_rate": true_positive}
    pd.DataFrame(curve).to_csv("outputs/roc_curve.csv", index=False)
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
