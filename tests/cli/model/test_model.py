"""``tunesmith model``: one file, one estimator, and what there is to know of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cli.conftest import Run

from tunesmith.models.files import load_model


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def add(project: Path, text: str) -> None:
    config = project / "tuning.yaml"
    config.write_text(f"{config.read_text()}{text}\n")


def test_kept_models_become_a_file_without_a_fit(tunesmith: Run, project: Path) -> None:
    add(project, "models: {}\nexecution: {executor: serial}")
    assert tunesmith("run").returncode == 0
    done = tunesmith("model", "-o", "model.joblib", "--card", "model.md")
    assert done.returncode == 0, done.stderr
    assert "0 fits were made" in done.stdout
    digest = done.stderr.rpartition(" ")[2].strip()
    model = load_model(project / "model.joblib", digest)
    assert len(model.models_) == model.n_models_ > 1
    assert (project / "model.md").read_text().startswith("# Average of the winner's fold models")


def test_ensembles_tell_what_they_are_worth(tunesmith: Run, finished: Path) -> None:
    pytest.importorskip("skops")
    done = tunesmith("model", "-o", "m.skops", "--kind", "ensemble", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["worth"]["corrected"] <= 1
    assert sum(one["weight"] for one in told["members"]) == pytest.approx(1)
    assert told["n_fits"] > 0
    model = load_model(finished / "m.skops", told["sha256"])
    assert np.isfinite(model.weights_).all()


def test_nothing_is_replaced_unless_it_is_asked_for(tunesmith: Run, finished: Path) -> None:
    (finished / "m.joblib").write_text("mine")
    refused = tunesmith("model", "-o", "m.joblib")
    assert refused.returncode == 2
    assert "is there already" in refused.stderr
    assert (finished / "m.joblib").read_text() == "mine"
    assert tunesmith("model", "-o", "m.joblib", "--kind", "best", "--force").returncode == 0
    for_both = tunesmith("model", "-o", "n.joblib", "--card", "./n.joblib")
    assert (for_both.returncode, "one of its own" in for_both.stderr) == (2, True)
    assert not (finished / "n.joblib").exists()


def test_a_study_that_is_another_one_now_is_refused(tunesmith: Run, finished: Path) -> None:
    data = next(finished.rglob("*.csv"))
    lines = data.read_text().splitlines()
    data.write_text("\n".join(lines[:-1]) + "\n")
    refused = tunesmith("model", "-o", "m.joblib")
    assert refused.returncode == 2
    assert "brings it up to date" in refused.stderr


def test_other_endings_are_refused(tunesmith: Run, finished: Path) -> None:
    assert "ends in .skops" in tunesmith("model", "-o", "m.pkl").stderr
