"""Points of earlier studies, from a real ledger, in ``check`` and ``run``."""

import json
from pathlib import Path

from tests.cli.conftest import Run

CONFIG = """\
study: NAME
objective:
  estimator: ESTIMATOR
  data: {path: DATA, target: kind}
  metric: accuracy
  cv: 3
space: {max_depth: DEPTH, min_samples_leaf: {int: [1, 20]}}
search: {method: bayesian, START}
stop: {trials: TRIALS}
execution: {workers: 1}
ledger: shared.db
"""


def configure(
    project: Path,
    name: str,
    *,
    start: str = "seed: 1",
    trials: int = 6,
    depth: str = "{int: [1, 9]}",
    data: str = "data.csv",
    estimator: str = "sklearn.tree.DecisionTreeClassifier",
) -> None:
    changes = {
        "NAME": name,
        "START": start,
        "TRIALS": str(trials),
        "DEPTH": depth,
        "DATA": data,
        "ESTIMATOR": estimator,
    }
    text = CONFIG
    for word, value in changes.items():
        text = text.replace(word, value)
    (project / "tuning.yaml").write_text(text)


def origins(tunesmith: Run) -> list[str]:
    rows = json.loads(tunesmith("trials", "--json", "--sort", "trial").stdout)["trials"]
    return [row["origin"] for row in sorted(rows, key=lambda row: row["trial"])]


def test_the_best_points_of_an_earlier_study_are_tried_first(tunesmith: Run, project: Path) -> None:
    configure(project, "first")
    assert tunesmith("run").returncode == 0
    best = json.loads(tunesmith("best", "--json").stdout)["params"]
    # Another seed would be another random state of the estimator, and so other scores.
    start = "seed: 1, start_with: [earlier]"
    configure(project, "second", start=start, depth="{int: [1, 8]}", trials=3)
    plan = json.loads(tunesmith("check", "--json").stdout)
    assert [one["origin"] for one in plan["start"]] == ["earlier"] * 3
    assert plan["start"][0]["params"] == best
    assert "earlier" in tunesmith("check").stdout
    assert "9 scores of the points that are tried first known" in tunesmith("check").stdout
    # The data are the same: these points cost no fit.
    assert "0 fits made, 9 scores of earlier fits" in tunesmith("run").stdout
    # They are fixed with the study: a longer run continues the same trials.
    configure(project, "second", start=start, depth="{int: [1, 8]}", trials=5)
    assert tunesmith("run").returncode == 0
    assert origins(tunesmith) == ["earlier"] * 3 + ["bayesian"] * 2


def test_other_spaces_and_other_data_are_mapped(tunesmith: Run, project: Path) -> None:
    configure(project, "first")
    assert tunesmith("run").returncode == 0
    table = (project / "data.csv").read_text().splitlines()
    (project / "other.csv").write_text("\n".join([*table[:40], *table[60:]]) + "\n")
    start = "start_with: [defaults, earlier]"
    configure(project, "second", start=start, depth="[1, 2]", data="other.csv", trials=5)
    plan = json.loads(tunesmith("check", "--json").stdout)
    found = [one for one in plan["start"] if one["origin"] == "earlier"]
    assert 1 <= len(found) <= 3
    assert all(one["params"]["max_depth"] in (1, 2) for one in found)
    assert tunesmith("run").returncode == 0


def test_studies_of_other_estimators_tell_nothing(tunesmith: Run, project: Path) -> None:
    configure(project, "first")
    assert tunesmith("run").returncode == 0
    other = "sklearn.tree.ExtraTreeClassifier"
    configure(project, "second", start="start_with: [earlier]", estimator=other)
    plan = json.loads(tunesmith("check", "--json").stdout)
    assert plan["start"] == []
    assert "nothing is known for this estimator and space" in tunesmith("check").stdout


def test_a_portfolio_is_shown_and_tried(tunesmith: Run, project: Path) -> None:
    forest = "sklearn.ensemble.RandomForestClassifier"
    configure(project, "p", start="start_with: [portfolio]", estimator=forest, trials=1)
    shown = tunesmith("check").stdout
    assert "portfolio" in shown
    assert "min_samples_leaf" in shown.split("\n  first ")[1]
