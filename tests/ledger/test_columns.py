"""Trials as columns say what trials as objects say, to the last bit."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tunesmith.errors import StorageError
from tunesmith.history import Failure, FoldResult, Metric, Trial
from tunesmith.ledger.columns import TrialColumns, columns_of
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.stored_history import StoredHistory
from tunesmith.space.parameter import canonical_json

METRICS = (Metric("score"), Metric("cost", "minimize"))
NAMES = [metric.name for metric in METRICS]


def trials(n: int, n_folds: int = 5) -> list[Trial]:
    """Complete, failed, raced and shared ones."""
    rng, made = Random(3), []
    for number in range(n):
        params = {"x": rng.choice([0.1, 2, None, "é"]), "n": number // 3}
        trial = Trial(number, params, key=canonical_json(params), origin=rng.choice("ab"))
        folds = [
            FoldResult(
                fold,
                {"score": rng.gauss(0.7, 0.1), "cost": rng.expovariate(1)},
                fit_time_s=rng.random(),
                score_time_s=rng.random(),
                n_sharing=rng.choice([1, 1, 3]),
                warning="W: w" if rng.random() < 0.1 else "",
            )
            for fold in range(n_folds)
        ]
        if number % 7 == 6:
            folds[-1] = FoldResult(n_folds - 1, {}, failure=Failure("ValueError", f"no {number}"))
        if number % 5 == 4:
            folds = folds[: 1 + number % 3]
        made.append(trial.completed(folds, n_folds))
    return made


def stored(path: Path, made: Sequence[Trial], most_bytes: int = 1 << 26) -> StoredHistory:
    with Ledger.open(path) as ledger:
        head = ledger.begin_study("s", "i", {}, context={}, metrics=METRICS, objectives=METRICS)
        run = ledger.begin_run(head.id, {})
        for trial in made:
            keys = [f"{trial.number}-{fold.fold}" for fold in trial.folds]
            results = dict(zip(keys, trial.folds, strict=True))
            ledger.record(head.id, run, results=results, completed=[(trial, keys)])
    with Ledger.open(path, create=False, most_bytes=most_bytes) as ledger:
        history = ledger.load(is_whole=False).history
    assert isinstance(history, StoredHistory)
    return history


def check_alike(own: TrialColumns, other: TrialColumns) -> None:
    assert (list(own.params), list(own.origins)) == (list(other.params), list(other.origins))
    for name in ("states", "n_points", "n_folds", "fit_s", "score_s", "n_sharing", "told"):
        np.testing.assert_array_equal(getattr(own, name), getattr(other, name), err_msg=name)
    for metric in NAMES:
        np.testing.assert_array_equal(own.scores[metric], other.scores[metric])
    assert own.names == other.names == {"x", "n"}


@pytest.mark.parametrize("n_folds", [1, 5, 11])
def test_a_ledger_and_memory_give_the_same_columns(tmp_path: Path, n_folds: int) -> None:
    made = trials(60, n_folds)
    history = stored(tmp_path / "ledger.db", made)
    check_alike(history.columns, columns_of(made, NAMES))
    assert history.columns is history.columns
    assert history.tried_names == {"x", "n"}
    assert history.n_evaluations == sum(len(trial.folds) for trial in made)
    assert history.whole_folds == n_folds


@pytest.mark.parametrize("n_folds", [1, 5, 11])
def test_means_have_the_bits_of_trials(n_folds: int) -> None:
    made = trials(60, n_folds)
    columns = columns_of(made, NAMES)
    for metric in NAMES:
        assert repr(columns.means(metric).tolist()) == repr([t.mean(metric) for t in made])
    assert columns.n_left_out.tolist() == [trial.n_left_out for trial in made]
    assert columns.told.tolist() == [
        t.number for t in made if any(fold.failure or fold.warning for fold in t.folds)
    ]
    assert list(columns.some_params([5, 3])) == [made[5].params, made[3].params]


def test_rows_of_a_file_that_is_in_use_are_checked(tmp_path: Path) -> None:
    path, made = tmp_path / "ledger.db", trials(20)
    history = stored(path, made, most_bytes=1)
    with Ledger.open(path):
        check_alike(history.columns, columns_of(made, NAMES))
    content = bytearray(path.read_bytes())
    score = canonical_json(dict(made[3].folds[1].scores)).encode()
    place = content.index(score)
    content[place : place + len(score)] = score.replace(b"0", b"1")
    path.write_bytes(content)
    damaged = StoredHistory(history._trials, history._counts, [])
    with pytest.raises(StorageError, match=r"checksum differs|not as it was written"):
        _ = damaged.columns


def test_trials_that_were_dropped_meanwhile_are_an_error(tmp_path: Path) -> None:
    history = stored(tmp_path / "ledger.db", trials(9))
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.forget_from(ledger.load().head.id, 3)
    with pytest.raises(StorageError, match="Try again"):
        _ = history.columns


def test_unlike_numbers_of_folds_are_told() -> None:
    made = columns_of(trials(4), NAMES)
    assert len(made) == 4
    assert columns_of([], NAMES).is_even
    assert not columns_of([*trials(1, 5), *trials_from(1, 3)], NAMES).is_even


def trials_from(first: int, n_folds: int) -> list[Trial]:
    (trial,) = trials(1, n_folds)
    return [Trial(first, trial.params, key="k", origin="a").completed(trial.folds)]
