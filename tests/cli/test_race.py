"""A race over the folds, from the command line: reports, tables, histories, and the plan."""

import json
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.cli.conftest import Run

from tunesmith.analysis.summary import summarise
from tunesmith.ledger.histories.portable import read_history, write_history
from tunesmith.ledger.ledger import Ledger
from tunesmith.reporting.statements import race
from tunesmith.reporting.wording.terms import unlinked
from tunesmith.testing.projects import TUNING, make_project

RACING = TUNING.replace("cv: 3", "cv: 5").replace("seed: 3", "seed: 3, race: auto") + (
    "execution: {executor: serial}\noutputs: {history: history.jsonl, html: report.html}\n"
)


@pytest.fixture
def raced(project: Path) -> Path:
    """A project with a random search whose race stops trials."""
    make_project(project, method="random", trials=12, text=RACING)
    return project


def test_every_report_says_what_was_saved_and_how_sure_it_is(
    tunesmith: Run, raced: Path, snapshot: SnapshotAssertion
) -> None:
    done = tunesmith("run")
    with Ledger.open(raced / ".tunesmith/ledger.db", create=False) as ledger:
        text = race(summarise(ledger.load("small")))
    assert text == snapshot
    assert text in done.stdout + done.stderr
    assert text in unlinked((raced / "outputs/tuning_results.md").read_text())
    assert text.split(":")[0] in (raced / "report.html").read_text()
    said = json.loads(tunesmith("run", "--json").stdout)
    assert said["race"]["n_stopped"] == said["n_pruned"] > 0
    _stopped_trials_rank_last(tunesmith)
    _a_history_leads_to_the_same_study(tunesmith, raced)


def _stopped_trials_rank_last(tunesmith: Run) -> None:
    text = tunesmith("trials").stdout
    assert "stopped after" in text
    assert "of 5 folds" in text
    states = [row["state"] for row in json.loads(tunesmith("trials", "--json").stdout)["trials"]]
    assert states == sorted(states)  # complete before pruned


def _a_history_leads_to_the_same_study(tunesmith: Run, raced: Path) -> None:
    text = (raced / "history.jsonl").read_text()
    record = read_history(text)["small"]
    assert any(trial.is_raced for trial in record.history)
    assert write_history([record]) == text
    clone = raced.parent / "clone"
    make_project(clone, method="random", trials=12, text=RACING)
    (clone / "history.jsonl").write_text(text)
    assert json.loads(tunesmith("run", "--json", cwd=clone).stdout)["n_evaluated"] == 0
    assert (clone / "history.jsonl").read_text() == text


def test_check_tells_of_the_race(tunesmith: Run, raced: Path) -> None:
    assert "a trial stops before its last fold" in tunesmith("check").stdout
    config = raced / "tuning.yaml"
    text = config.read_text()
    config.write_text(text.replace("metric: accuracy", "metric: [accuracy, f1_macro]"))
    assert "none: several metrics decide" in tunesmith("check").stdout
    config.write_text(text + "budget: {parameter: min_samples_leaf, max: 9}\n")
    refused = tunesmith("check")
    assert refused.returncode
    assert "there is no race with `budget`" in refused.stderr


PROGRAM = """\
study: program
objective:
  command: [sh, train.sh, "a={a}"]
  metrics_pattern: 'score (\\S+)'
  metric: {name: score, direction: maximize}
  WHICH
space: {a: {int: [1, 9]}}
search: {method: grid, race: auto, window: 1}
execution: {workers: WORKERS}
ledger: program.db
"""
TRAIN = """\
echo "$1" >> "$TRUTH"
awk -v a="${1#a=}" -v f="${TUNESMITH_FOLD:-0}" -v s="${TUNESMITH_SEED:-0}" 'BEGIN {
  own = ((a * (f + s + 2)) % 7) / 500
  print "score", 1 - (a - 3) * (a - 3) / 50 + ((7 * f + 3 * s) % 5) / 20 + own
}'
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "which", ["data: {path: data.csv, target: kind}\n  cv: 4", "seeds: 4"], ids=["folds", "seeds"]
)
def test_folds_and_seeds_of_a_program_are_raced(
    tunesmith: Run, project: Path, which: str, tmp_path: Path
) -> None:
    (project / "train.sh").write_text(TRAIN)
    trials = []
    for workers in ("1", "3"):
        text = PROGRAM.replace("WHICH", which).replace("WORKERS", workers)
        (project / "tuning.yaml").write_text(text)
        log = tmp_path / f"{workers}.log"
        done = tunesmith("run", "--restart", TRUTH=str(log))
        assert done.returncode == 0, done.stderr
        rows = json.loads(tunesmith("trials", "--json", "--sort", "trial").stdout)["trials"]
        trials.append([{k: v for k, v in row.items() if "time" not in k} for row in rows])
        assert json.loads(tunesmith("best", "--json").stdout)["params"] == {"a": 3}
        # Runs of the program are spared, not only left out of the tables. Three workers begin most
        # folds of a trial before its first one has a result.
        assert len(log.read_text().splitlines()) < (9 * 4 if workers == "1" else 9 * 4 + 1)
    assert trials[0] == trials[1]
    assert any(row["state"] == "pruned" for row in trials[0])
