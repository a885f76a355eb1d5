"""Folds that are evaluated again; whole verifications are in ``test_verify``."""

from pathlib import Path

import pytest
from tests.forest import STUDY, TUNING, make_forest

import tunesmith
from tunesmith.config.load import load_definition
from tunesmith.ledger.ledger import Ledger
from tunesmith.pipeline.verify.refit import draw, refit


@pytest.mark.slow
def test_what_pull_workers_have_made_is_evaluated_on_this_machine(tmp_path: Path) -> None:
    project = make_forest(tmp_path / "project")
    (project / "tuning.yaml").write_text(TUNING + "execution: {executor: serial}\n")
    tunesmith.tune(project / "tuning.yaml", progress=False)
    with Ledger.open(project / ".tunesmith/ledger.db", create=False) as ledger:
        record = ledger.load(STUDY)
    options = "options: {patience_s: 5}, workers: 64"
    (project / "tuning.yaml").write_text(TUNING + f"execution: {{executor: pull, {options}}}\n")
    study = load_definition(project / "tuning.yaml")
    assert refit(study, draw(record, 4, seed=1)) == (4, [])
