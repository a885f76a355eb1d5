"""Out-of-fold predictions of a study by pull workers: those of one process, bit for bit."""

import shutil
from pathlib import Path

import pytest
from tests.forest import TUNING
from tests.runs.pull.conftest import Start, trials

import tunesmith

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
STUDY = TUNING.replace("{best: best.yaml}", "{best: best.yaml, predictions: oof.csv}")


def test_predictions_are_those_of_one_process(
    project: Path, database: str, start: Start, tmp_path: Path
) -> None:
    (project / "tuning.yaml").write_text(STUDY + "execution: {executor: serial}\n")
    tunesmith.tune(project / "tuning.yaml", progress=False)
    expected, answers = trials(project / ".tunesmith/ledger.db"), (project / "oof.csv").read_text()
    shutil.rmtree(project / ".tunesmith")
    for name in ("best.yaml", "oof.csv"):
        (project / name).unlink()
    (project / "tuning.yaml").write_text(
        STUDY + f"ledger: '{database}'\nexecution: {{executor: pull}}\n"
    )
    log = tmp_path / "fits"
    run = start("run", "-q", FITS_LOG=str(log))
    start("worker", "--workers", "1", FITS_LOG=str(log))
    assert run.ends() == 0, run.said
    assert trials(database) == expected
    assert (project / "oof.csv").read_text() == answers
    # The answers came with the scores: no fit was made for them.
    assert log.read_text().count("\n") == 15
