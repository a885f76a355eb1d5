"""Constraints on outcomes, from the configuration to the best-parameters file."""

import json
from pathlib import Path

from tests.cli.conftest import Run

CONFIG = """\
study: bound
objective:
  estimator: sklearn.tree.DecisionTreeClassifier
  data: {path: data.csv, target: kind}
  metric: accuracy
  also: [recall_macro, precision_macro]
  subject_to: ["SUBJECT"]
  cv: 3
space: {max_depth: [1, 2, 4], min_samples_leaf: [1, 30, 60]}
search: {method: METHOD}
stop: {trials: 9}
execution: {workers: 1}
outputs: {best: config/bound.yaml, trials: outputs/trials.jsonl, html: outputs/report.html}
ledger: bound.db
"""


def configure(project: Path, subject: str, method: str = "grid") -> None:
    text = CONFIG.replace("SUBJECT", subject).replace("METHOD", method)
    (project / "tuning.yaml").write_text(text)


def test_the_best_trial_that_meets_them_is_written(tunesmith: Run, project: Path) -> None:
    configure(project, "recall_macro >= 0")
    assert tunesmith("run").returncode == 0
    free = json.loads(tunesmith("best", "--json").stdout)
    # A bound just above the recall of that winner: another trial has to win.
    recall = free["scores"]["recall_macro"]["mean"]
    rows = json.loads(tunesmith("trials", "--json").stdout)["trials"]
    others = [
        row["mean_test_recall_macro"] for row in rows if row["mean_test_recall_macro"] > recall
    ]
    bound = (min(others) + recall) / 2 if others else None
    configure(project, f"recall_macro >= {bound}" if bound else f"recall_macro < {recall}")
    done = tunesmith("run")
    assert done.returncode == 0, done.stderr
    # The evaluations of the first series count: only the choice is another one.
    assert "0 fits made" in done.stdout
    best = json.loads(tunesmith("best", "--json").stdout)
    assert best["trial"] != free["trial"]
    shown = tunesmith("best").stdout
    assert "meets: recall" in shown
    status = json.loads(tunesmith("status", "--json").stdout)
    assert free["trial"] in status["violating"]["trials"]
    assert "violate recall" in tunesmith("status").stdout
    listed = tunesmith("trials").stdout
    assert "violates recall" in listed
    report = (project / "outputs/tuning_results.md").read_text()
    assert "It meets `recall" in report
    written = (project / "config/bound.yaml").read_text()
    assert f"trial: {best['trial']}" in written
    assert "subject to recall" in tunesmith("check").stdout


def test_nothing_is_written_if_no_trial_meets_them(tunesmith: Run, project: Path) -> None:
    configure(project, "precision_macro > 1")
    done = tunesmith("run")
    assert done.returncode == 1
    assert "No trial meets precision_macro > 1. The closest is trial" in done.stdout
    assert not (project / "config/bound.yaml").exists()
    assert (
        "No trial meets `precision_macro > 1`."
        in (project / "outputs/tuning_results.md").read_text()
    )
    best = tunesmith("best")
    assert best.returncode == 1
    assert "No trial meets precision_macro > 1" in best.stderr
    assert "No trial meets precision_macro > 1" in tunesmith("status").stdout


def test_bayesian_search_honours_them_and_resumes(tunesmith: Run, project: Path) -> None:
    configure(project, "fit_time <= 60", "bayesian")
    assert tunesmith("run").returncode == 0
    assert "depends on the machine" in tunesmith("check").stdout
    again = tunesmith("run")
    assert again.returncode == 0
