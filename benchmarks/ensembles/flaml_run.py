"""FLAML on the rows of one study, for so many CPU seconds; run by the Python that has FLAML.

``python flaml_run.py ROWS.npz SECONDS SEED LEARNERS`` prints the AUC on the test rows, the CPU
seconds of the search and the chosen learner as JSON.
"""

import json
import sys
import time
import warnings

import numpy as np


def main(file: str, seconds: float, seed: int, learners: str) -> None:
    warnings.filterwarnings("ignore")
    from flaml import AutoML
    from sklearn.metrics import roc_auc_score

    rows = np.load(file)
    # FLAML's budget is one of the clock; on a machine that does other work, too, only the time of
    # this process is a fair one.
    clock = time.time
    began, worked = clock(), time.process_time()
    time.time = lambda: began + time.process_time() - worked
    search = AutoML()
    search.fit(
        rows["X_train"],
        rows["y_train"],
        task="classification",
        metric="roc_auc",
        eval_method="cv",
        n_splits=5,
        time_budget=seconds,
        estimator_list=learners.split(",") if learners != "auto" else "auto",
        seed=seed,
        n_jobs=1,
        verbose=0,
    )
    took = time.process_time() - worked
    time.time = clock
    values = search.predict_proba(rows["X_test"])[:, 1]
    score = float(roc_auc_score(rows["y_test"], values))
    print(json.dumps({"auc": score, "cpu": took, "learner": search.best_estimator}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
