"""Train the model that goes into use: with the best parameters, on all rows."""

import json
from pathlib import Path

import joblib
import pandas as pd
import yaml
from model import build
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

params = yaml.safe_load(Path("config/best_parameters.yaml").read_text())["params"]
table = pd.read_csv("data/customers.csv")
X, y = table.drop(columns=["churn", "customer_id"]), table["churn"]

model = build().set_params(**params).fit(X, y)
Path("models").mkdir(exist_ok=True)
joblib.dump(model, "models/churn.joblib")

folds = StratifiedGroupKFold(5, shuffle=True, random_state=1)
scores = cross_val_score(model, X, y, groups=table["customer_id"], cv=folds, scoring="roc_auc")
Path("outputs").mkdir(exist_ok=True)
metrics = json.dumps({"roc_auc": scores.mean()}, indent=2)
Path("outputs/training_metrics.json").write_text(metrics + "\n")

new = X.head(3)
for row, chance in zip(new["plan"], model.predict_proba(new)[:, 1], strict=True):
    print(f"{row}: churns with a chance of {chance:.0%}")
