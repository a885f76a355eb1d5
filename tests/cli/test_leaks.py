"""A leak is named before the first fit and in the report, and costs finished studies nothing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.cli.conftest import Run

CONFIG = """\
study: rain
objective:
  estimator: sklearn.tree.DecisionTreeClassifier
  data: {path: rain.csv, target: tomorrow, drop: [station_id]}
  metric: accuracy
  cv: {folds: 3, shuffle: true}
space:
  max_depth: [1, 2]
search: {method: grid}
execution: {workers: 1}
"""


@pytest.fixture
def rain(project: Path) -> Path:
    rng = np.random.default_rng(0)
    station = rng.integers(0, 20, size=300)
    amount = np.maximum(rng.normal(size=300) + (rng.random(20) * 4 - 2)[station], 0).round(1)
    table = pd.DataFrame({"humidity": rng.normal(size=300), "risk|mm": amount})
    table["station_id"], table["tomorrow"] = station, np.where(amount > 0, "Yes", "No")
    table.to_csv(project / "rain.csv", index=False)
    (project / "tuning.yaml").write_text(CONFIG)
    return project


def test_a_leak_is_named_before_the_first_fit_and_in_the_report(tunesmith: Run, rain: Path) -> None:
    checked = tunesmith("check")
    assert checked.returncode == 0, checked.stderr
    assert "leak?      `risk|mm` alone tells the target without a mistake" in checked.stdout
    # A column that is dropped still says which rows belong together.
    assert "rows with the same `station_id` stand on both sides of the folds" in checked.stdout
    signs = json.loads(tunesmith("check", "--json").stdout)["leaks"]
    assert [(sign["kind"], sign["name"]) for sign in signs] == [
        ("disguise", "risk|mm"),
        ("groups", "station_id"),
    ]
    assert tunesmith("run", "-q").returncode == 0
    report = (rain / "outputs/tuning_results.md").read_text()
    assert "- Sign of a [leak](#terms): `risk\\|mm` alone tells the target without" in report
    assert "- **leak**: " in report
    # From the ledger alone, byte for byte.
    (rain / "rain.csv").unlink()
    assert tunesmith("report").returncode == 0
    assert (rain / "outputs/tuning_results.md").read_text() == report


def test_a_clean_table_has_no_sign(tunesmith: Run, rain: Path) -> None:
    text = CONFIG.replace("drop: [station_id]", "drop: ['risk|mm'], groups: station_id")
    (rain / "tuning.yaml").write_text(text)
    checked = tunesmith("check")
    assert checked.returncode == 0, checked.stderr
    assert "leak?" not in checked.stdout
