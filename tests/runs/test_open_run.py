import os
import signal
from pathlib import Path

import pytest

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.study.progress import Progress
from tunesmith.testing.projects import TUNING, make_project
from tunesmith.types import StopReason

SERIAL = f"{TUNING}execution: {{executor: serial}}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_and_the_next_one_completes_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    definition = load_definition(make_project(tmp_path / "own", text=SERIAL))

    def interrupt(progress: Progress) -> None:
        if progress.n_completed == 3:
            os.kill(os.getpid(), number)

    first = tune(definition, observer=interrupt)
    assert first.exit_code == 128 + number
    assert first.record.runs[-1].stopped_by == StopReason.of_signal(number)
    assert 3 <= first.record.history.n_completed < 12
    rest = tune(definition)
    assert (rest.exit_code, rest.record.history.n_completed) == (0, 12)
    # Nothing is evaluated twice; a depth that no tree reached needs no fit.
    n_taken_over = first.n_reused + rest.n_reused
    assert first.n_evaluated + rest.n_evaluated + n_taken_over == 36
    assert n_taken_over <= 1
    assert not list((tmp_path / "own/.tunesmith").glob("*.journal*"))
    whole = tune(load_definition(make_project(tmp_path / "other", text=SERIAL)))
    assert [(t.key, t.folds[0].scores) for t in rest.record.history.completed] == [
        (t.key, t.folds[0].scores) for t in whole.record.history.completed
    ]


def test_a_run_without_a_usable_trial_says_so(tmp_path: Path) -> None:
    text = SERIAL.replace("max_depth: {int: [1, 6]}", "max_depth: [0]")
    result = tune(load_definition(make_project(tmp_path, text=text)))
    assert (result.exit_code, result.best_params) == (1, None)


GATED = f"""{SERIAL}gate: {{}}
confirm: {{fits: 40}}
outputs: {{history: outputs/history.jsonl}}
"""


def gated(folder: Path, text: str = GATED, depth: int = 1) -> Path:
    path = make_project(folder, text=text)
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/best_parameters.yaml").write_text(f"max_depth: {depth}\ncriterion: entropy\n")
    return path


def test_a_gate_is_decided_on_further_splits(tmp_path: Path) -> None:
    said: list[str] = []
    path = gated(tmp_path / "own")
    result = tune(load_definition(path), say=said.append)
    confirmed = result.summary.confirmed
    assert confirmed is not None
    assert (confirmed.verdict, confirmed.n_repeats) == ("adopt", 1)
    # On one fold, no tree reached the largest depth.
    assert result.n_evaluated + 1 == 36 + confirmed.n_scores == 36 + 6
    assert any("scored on further splits, with at most 36 fits" in text for text in said)
    # Nothing is evaluated again, neither here nor in a clone that has the history alone.
    assert tune(load_definition(path)).n_evaluated == 0
    clone = gated(tmp_path / "clone")
    (clone.parent / "outputs").mkdir()
    history = Path("outputs/history.jsonl")
    (clone.parent / history).write_bytes((path.parent / history).read_bytes())
    again = tune(load_definition(clone))
    assert (again.n_evaluated, again.summary.confirmed) == (0, confirmed)


def test_further_splits_are_the_same_after_an_interruption(tmp_path: Path) -> None:
    text = GATED.replace("cv: 3", "cv: {folds: 3, shuffle: true, seed: 5}")
    whole = tune(load_definition(gated(tmp_path / "whole", text)))
    assert whole.summary.confirmed is not None
    definition = load_definition(gated(tmp_path / "own", text))

    def interrupt(said: str) -> None:
        if "further splits" in said:
            os.kill(os.getpid(), signal.SIGTERM)

    first = tune(definition, say=interrupt)
    assert first.exit_code == 128 + signal.SIGTERM
    assert first.summary.confirmed is None
    assert first.summary.gate is not None
    assert not first.summary.gate.is_open
    rest = tune(definition)
    assert rest.summary.confirmed == whole.summary.confirmed
    assert first.n_evaluated + rest.n_evaluated == whole.n_evaluated


@pytest.mark.parametrize("cv", ["{method: time_series, folds: 3}", "{splitter: own.Halves}"])
def test_folds_that_cannot_be_split_anew_decide_alone(tmp_path: Path, cv: str) -> None:
    text = GATED.replace("cv: 3", f"cv: {cv}")
    path = gated(tmp_path, text)
    (tmp_path / "own.py").write_text(
        "class Halves:\n"
        "    def split(self, X, y, groups):\n"
        "        even = [i for i in range(len(X)) if i % 2 == 0]\n"
        "        odd = [i for i in range(len(X)) if i % 2]\n"
        "        return [(even, odd), (odd, even)]\n"
    )
    result = tune(load_definition(path))
    assert (result.summary.confirmed, result.exit_code) == (None, 0)
    assert result.summary.gate is not None
    assert "of the search alone, without further splits" in result.summary.gate.reason


@pytest.mark.parametrize("n_groups", [3, 12])
def test_groups_that_are_the_folds_are_not_confirmed_by_themselves(
    tmp_path: Path, n_groups: int
) -> None:
    text = GATED.replace("cv: 3", "cv: {method: group, folds: 3}")
    path = gated(tmp_path, text.replace("target: kind", "target: kind, groups: field"))
    table = (tmp_path / "data.csv").read_text().splitlines()
    fields = ["field", *(f"f{place % n_groups}" for place in range(len(table) - 1))]
    joined = [f"{line},{field}" for line, field in zip(table, fields, strict=True)]
    (tmp_path / "data.csv").write_text("\n".join(joined) + "\n")
    result = tune(load_definition(path))
    assert (result.summary.confirmed is None) is (n_groups == 3)
    assert result.summary.gate is not None
    why = "without further splits: these groups can be split into 3 folds in too few ways"
    assert (why in result.summary.gate.reason) is (n_groups == 3)
    # Reports and later runs, which read the ledger, say the same.
    again = tune(load_definition(path))
    assert (again.n_evaluated, again.summary.gate) == (0, result.summary.gate)


PROGRAM = """\
study: program
objective:
  command: [sh, train.sh, "x={x}", "{test}"]
  metrics_pattern: 'score: (\\S+)'
  metric: {name: score, direction: maximize}
  data: {path: data.csv, target: kind}
  cv: 3
space: {x: [1, 2, 3]}
search: {method: grid}
stop: {trials: TRIALS}
gate: {}
confirm: {fits: 12}
"""
SCRIPT = """\
awk -v x="${1#x=}" '{ s += $1 * 7919 } END { printf "score: %.4f\\n", x + (s % 97) / 1e5 * x }' "$2"
"""


@pytest.mark.slow
def test_a_program_gets_the_rows_of_further_splits(tmp_path: Path) -> None:
    path = make_project(tmp_path, text=PROGRAM, train_sh=SCRIPT)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/best_parameters.yaml").write_text("x: 1\n")
    result = tune(load_definition(path))
    assert result.summary.confirmed is not None
    assert result.summary.confirmed.verdict == "adopt"
    scores = {r.scores["score"] for results in result.record.further.values() for r in results}
    assert len(scores) == 2 * 3, "each split has rows of its own"
    assert tune(load_definition(path)).n_evaluated == 0
