"""Trains LightGBM with early stopping. It knows nothing of tuning: it reads its parameters from
config/params.json and writes metrics.json, also when it is run by hand.

    python train.py                       # trains on 80 % of the table
    python train.py train.csv test.csv    # trains and scores on these rows
"""

import json
import sys
from pathlib import Path

import lightgbm as lgb
import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

TARGET = "target"
params = json.loads(Path("config/params.json").read_text())
seed = params.pop("seed")

if len(sys.argv) == 3:
    train, test = (pd.read_csv(path) for path in sys.argv[1:])
else:
    table = pd.read_csv("data/cells.csv")
    train, test = train_test_split(table, test_size=0.2, random_state=seed, stratify=table[TARGET])

# Early stopping looks at rows of the training part: the test part is for the score alone.
fitted, watched = train_test_split(train, test_size=0.2, random_state=seed, stratify=train[TARGET])
model = lgb.LGBMClassifier(n_estimators=500, random_state=seed, n_jobs=1, verbose=-1, **params)
model.fit(
    fitted.drop(columns=TARGET),
    fitted[TARGET],
    eval_set=[(watched.drop(columns=TARGET), watched[TARGET])],
    callbacks=[lgb.early_stopping(20, verbose=False)],
)
guess = model.predict_proba(test.drop(columns=TARGET))[:, 1]
metrics = {
    "roc_auc": roc_auc_score(test[TARGET], guess),
    "log_loss": log_loss(test[TARGET], guess),
    "rounds": model.best_iteration_,
}
Path("metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
print(metrics)
