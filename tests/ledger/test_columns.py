"""Trials as columns say what trials as objects say, to the last bit."""

from collections.abc import Sequence
from math import nan
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from tunesmith.errors import StorageError
from tunesmith.history import Failure, FoldResult, Metric, Trial
from tunesmith.ledger.columns import MISSING, TrialColumns, _by_metric, columns_of
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


def record(ledger: Ledger, made: Sequence[Trial]) -> None:
    head = ledger.begin_study("s", "i", {}, context={}, metrics=METRICS, objectives=METRICS)
    run = ledger.begin_run(head.id, {})
    for trial in made:
        keys = [f"{trial.number}-{fold.fold}" for fold in trial.folds]
        results = dict(zip(keys, trial.folds, strict=True))
        ledger.record(head.id, run, results=results, completed=[(trial, keys)])


def stored(path: Path, made: Sequence[Trial], most_bytes: int = 1 << 26) -> StoredHistory:
    with Ledger.open(path) as ledger:
        record(ledger, made)
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


def test_a_change_after_the_check_of_the_whole_file_is_noticed(tmp_path: Path) -> None:
    """The sample of a report is read after the columns, for which the file was checked."""
    path, made = tmp_path / "ledger.db", trials(20)
    history = stored(path, made, most_bytes=1)
    assert len(history.columns) == len(made)
    assert next(history.passing([3])) == made[3]
    content = path.read_bytes()
    score = canonical_json(dict(made[3].folds[1].scores)).encode()
    path.write_bytes(content.replace(score, score.replace(b"0", b"1")))
    with pytest.raises(StorageError, match="not as it was written"):
        list(history.passing([3]))


@pytest.mark.parametrize(
    "scores",
    [
        [{}, {}],
        [{"a": 1.5, "b": -2e-300}, {"a": 3, "b": 1e300}],
        [{"a": 0.1}, {"a": 0.2, "b": 0.3}, {}],
        [{"b": 0.1}, {"a": 0.2}],
        [{"a": 1.0, "b": 2.0, "another": 3.0}],
        [{'a"b': 1.0, "},{": 2.0}, {"x:": 1.0}],
    ],
)
def test_scores_are_those_of_their_texts(scores: Sequence[dict[str, float]]) -> None:
    texts = [canonical_json(own) for own in scores]
    for names in (["a", "b"], ["b", "a"], ["a"], ['a"b', "},{"], []):
        columns = _by_metric(texts, names)
        wanted = {name: [own.get(name, nan) for own in scores] for name in names}
        assert repr({k: [*map(float, v)] for k, v in columns.items()}) == repr(
            {k: [*map(float, wanted[k])] for k in columns}
        )
        assert columns.keys() == wanted.keys()


@pytest.mark.parametrize("n", [1, 3, 100])
def test_values_of_parameters_that_some_trials_lack(
    n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.ledger.columns.CHUNK", n)
    params: list[dict[str, Any]] = [{"a": 1}, {}, {"b": None, "a": "x"}, {"b": 2.5}, {"c": [1]}]
    made = [
        Trial(number, own, key=canonical_json(own), origin="a").completed([FoldResult(0, {})])
        for number, own in enumerate(params)
    ]
    columns = columns_of(made, [])
    assert dict(columns.values) == {
        name: [own.get(name, MISSING) for own in params] for name in ("a", "b", "c")
    }


def test_a_server_gives_the_same_columns(database: str) -> None:
    made = trials(60)
    with Ledger.open(database) as ledger:
        record(ledger, made)
        history = ledger.load(is_whole=False).history
        assert isinstance(history, StoredHistory)
        check_alike(history.columns, columns_of(made, NAMES))


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
