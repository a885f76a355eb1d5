"""Optuna's own studies, read into a ledger, and ours, there and back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from tunesmith.errors import StorageError, UsageError
from tunesmith.history import Metric
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord
from tunesmith.runs.exchange.from_optuna import ORIGIN, import_study
from tunesmith.runs.exchange.storage import opened
from tunesmith.runs.exchange.to_optuna import export_study
from tunesmith.testing.records import make_record
from tunesmith.types import State


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/study.db"


@pytest.fixture
def storage(url: str) -> Iterator[BaseStorage]:
    """Open Optuna's storage, which is closed behind the test."""
    with opened(url) as storage:
        yield storage


def loaded(path: Path) -> StudyRecord:
    with Ledger.open(path, create=False) as ledger:
        return ledger.load()


def some_trial(**options: Any) -> FrozenTrial:
    x = FloatDistribution(0, 1)
    return create_trial(params={"x": 0.5}, distributions={"x": x}, **options)


def objective(trial: Trial) -> float:
    kind = trial.suggest_categorical("kind", ["a", "b"])
    x: float = trial.suggest_float("x", 0.001, 1, log=True)
    if kind == "b":
        x += trial.suggest_int("n", 1, 9, step=2)
    if trial.number == 3:
        raise ValueError("no")
    for step in range(3):
        trial.report(x + step, step)
        if trial.number == 4 and step == 1:
            raise optuna.TrialPruned
    return x


def test_a_real_study_is_read_once(tmp_path: Path, url: str, storage: BaseStorage) -> None:
    sampler = optuna.samplers.RandomSampler(seed=1)
    study = optuna.create_study(study_name="my study", storage=storage, sampler=sampler)
    study.optimize(objective, n_trials=8, catch=ValueError)
    study.ask()
    done = import_study(url, None, tmp_path / "l.db")
    assert (done.study, done.n_trials, done.n_left_out) == ("my-study.optuna", 8, 1)
    assert done.is_new
    record = loaded(tmp_path / "l.db")
    trials = list(record.history.completed)
    assert [trial.params for trial in trials] == [
        dict(sorted(t.params.items())) for t in study.trials[:8]
    ]
    assert record.objectives == (Metric("value", "minimize"),)
    states = {State.COMPLETE: "COMPLETE", State.FAILED: "FAIL", State.PRUNED: "PRUNED"}
    assert [states[trial.state] for trial in trials] == [t.state.name for t in study.trials[:8]]
    best = record.history.best()
    assert best is not None
    assert best.number == study.best_trial.number
    assert trials[4].folds[0].progress == tuple(study.trials[4].intermediate_values.items())
    assert trials[4].folds[0].stopped_at == 1
    assert trials[3].failure is not None
    assert {trial.origin for trial in trials} == {ORIGIN}
    assert "study.db" in record.recorded.taken_from
    names = {name for box in record.recorded.space.boxes for name in box}
    assert names == {"kind", "x", "n"}
    assert record.recorded.space.is_log("x")
    assert not import_study(url, None, tmp_path / "l.db").is_new
    # More trials are another state of the study.
    study.add_trial(create_trial(value=0.5))
    assert import_study(url, None, tmp_path / "l.db").is_new
    assert loaded(tmp_path / "l.db").head.generation == 2


def test_what_was_exported_comes_back(tmp_path: Path, url: str) -> None:
    points: list[dict[str, Any]] = [{"x": 0.1 * n, "k": "a"} for n in range(1, 5)]
    scores: list[list[float] | str] = [[0.1, 0.7], [0.3, 1 / 3], "boom", [0.5, 0.25]]
    metrics = [Metric("loss", "minimize")]
    record = make_record(points, scores, metrics=metrics)
    export_study(record, url)
    import_study(url, None, tmp_path / "l.db")
    back = loaded(tmp_path / "l.db")
    assert back.metrics == record.metrics
    for ours, theirs in zip(record.history.completed, back.history.completed, strict=True):
        assert (theirs.params, theirs.state) == (ours.params, ours.state)
        if ours.state is State.COMPLETE:
            assert [fold.scores for fold in theirs.folds] == [fold.scores for fold in ours.folds]


def test_folds_that_are_not_those_of_the_value_do_not_count(
    tmp_path: Path, url: str, storage: BaseStorage
) -> None:
    study = optuna.create_study(study_name="s", storage=storage)
    odd: list[Any] = [
        {"value": [0.5, 0.75]},
        {"value": ["x"]},
        {"value": []},
        {"v": [0.5]},
        "text",
        None,
    ]
    for content in odd:
        study.add_trial(some_trial(value=0.5, user_attrs={"fold_scores": content}))
    import_study(url, None, tmp_path / "l.db")
    trials = loaded(tmp_path / "l.db").history.completed
    assert [[dict(f.scores) for f in t.folds] for t in trials] == [[{"value": 0.5}]] * len(odd)


def test_several_objectives_and_odd_values(tmp_path: Path, url: str, storage: BaseStorage) -> None:
    study = optuna.create_study(
        study_name="s", storage=storage, directions=["minimize", "maximize"]
    )
    study.add_trial(some_trial(values=[1.0, 2.0]))
    study.add_trial(create_trial(values=[1.0, float("inf")]))
    study.add_trial(create_trial(state=TrialState.PRUNED))
    import_study(url, "s", tmp_path / "l.db")
    record = loaded(tmp_path / "l.db")
    assert [m.name for m in record.objectives] == ["value_0", "value_1"]
    assert [t.state.name for t in record.history.completed] == ["COMPLETE", "FAILED", "FAILED"]


def test_no_other_study_takes_them_for_evaluations(
    tmp_path: Path, url: str, storage: BaseStorage
) -> None:
    optuna.create_study(study_name="s", storage=storage).add_trial(some_trial(value=0.5))
    import_study(url, None, tmp_path / "l.db")
    with Ledger.open(tmp_path / "l.db") as ledger:
        keys = [key for key, _ in ledger.addresses()]
        import_study(url, None, tmp_path / "other.db")
    with Ledger.open(tmp_path / "other.db") as ledger:
        # The same study gives the same keys, so that a merge does not double it.
        assert [key for key, _ in ledger.addresses()] == keys
        assert ledger.previous("s") is None


def test_what_is_not_there_is_told_and_not_made(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="no such file"):
        import_study(url, None, tmp_path / "l.db")
    assert list(tmp_path.iterdir()) == []
    with opened(url) as storage:
        for name in ("one", "two"):
            optuna.create_study(study_name=name, storage=storage)
    with pytest.raises(UsageError, match="--name; there is `one`, `two`"):
        import_study(url, None, tmp_path / "l.db")
    with pytest.raises(UsageError, match="Did you mean `two`"):
        import_study(url, "twoo", tmp_path / "l.db")
    with pytest.raises(StorageError) as caught:
        import_study("postgresql+psycopg://me:hunter2@127.0.0.1:1/x", None, tmp_path / "l.db")
    assert "hunter2" not in str(caught.value)


def test_trials_that_optuna_rules_out_never_win(
    tmp_path: Path, url: str, storage: BaseStorage
) -> None:
    """Trials of an older Optuna have a list of constraints, others have names for them."""
    study = optuna.create_study(study_name="s", storage=storage)
    x = {"x": FloatDistribution(0, 1)}
    for value, violation in [(0.1, [0.5, -1.0]), (0.2, [-0.25, 0.0]), (0.3, [-1.0, -1.0])]:
        attributes: dict[str, Any] = {"constraints": violation}
        if value == 0.3:
            attributes = {f"constraints:{n}": number for n, number in enumerate(violation)}
        study.add_trial(
            create_trial(value=value, params={"x": value}, distributions=x, system_attrs=attributes)
        )
    study.add_trial(create_trial(value=0.0, params={"x": 0.0}, distributions=x))
    import_study(url, None, tmp_path / "l.db")
    record = loaded(tmp_path / "l.db")
    best = record.history.best()
    assert best is not None
    assert best.params == {"x": 0.2}
    assert [metric.name for metric in record.objectives] == ["value"]
    texts = [str(constraint) for constraint in record.recorded.subject_to]
    assert texts == ["constraint_0 <= 0", "constraint_1 <= 0"]
    # What is not known of a trial is not taken for granted.
    failure = list(record.history.completed)[3].failure
    assert failure is not None
    assert "not known" in failure.message


def test_choices_and_failures_come_back_as_they_were(tmp_path: Path, url: str) -> None:
    choices = [True, 1, 1.0, None, "svm"]
    points: list[dict[str, Any]] = [{"k": choice} for choice in choices]
    scores: list[list[float] | str] = [[0.1], [0.2], [0.3], [0.4], "ValueError: no: way"]
    record = make_record(points, scores, metrics=[Metric("loss", "minimize")])
    export_study(record, url)
    import_study(url, None, tmp_path / "l.db")
    back = loaded(tmp_path / "l.db")
    both = list(zip(record.history.completed, back.history.completed, strict=True))
    assert [repr(b.params) for _, b in both] == [repr(a.params) for a, _ in both]
    assert back.recorded.space.boxes[0]["k"].may_be(None)
    ours, theirs = (trial.failure for trial in both[-1])
    assert ours is not None
    assert theirs is not None
    assert (theirs.kind, theirs.message) == (ours.kind, ours.message)


@pytest.mark.parametrize("n_trials", [0, 2])
def test_a_study_without_parameters_is_refused(
    tmp_path: Path, url: str, storage: BaseStorage, n_trials: int
) -> None:
    study = optuna.create_study(study_name="s", storage=storage)
    for _ in range(n_trials):
        study.add_trial(create_trial(state=TrialState.FAIL))
    with pytest.raises(UsageError, match="has parameters; nothing was written"):
        import_study(url, None, tmp_path / "l.db")
    assert not (tmp_path / "l.db").exists()


def branching(trial: Trial) -> Any:
    kind = trial.suggest_categorical("kind", ["a", "b", "c"])
    trial.suggest_categorical("idle", [1, 2])
    if kind == "b":
        return trial.suggest_int("n", 1, 3)
    if kind == "c":
        return 0.5
    kernel = trial.suggest_categorical("kernel", ["linear", "rbf"])
    return trial.suggest_float("gamma", 0, 1) if kernel == "rbf" else 0.2


@pytest.mark.parametrize(("n_trials", "is_told"), [(80, True), (6, False)])
def test_choices_that_decide_have_their_own_values_in_each_box(
    tmp_path: Path, url: str, storage: BaseStorage, n_trials: int, is_told: bool
) -> None:
    sampler = optuna.samplers.RandomSampler(seed=3)
    study = optuna.create_study(study_name="s", storage=storage, sampler=sampler)
    study.optimize(branching, n_trials=n_trials)
    import_study(url, None, tmp_path / "l.db")
    record = loaded(tmp_path / "l.db")
    found = {tuple(box): box for box in record.recorded.space.boxes}
    kinds = {names: box["kind"].content for names, box in found.items()}
    if not is_told:
        assert all(content == ["a", "b", "c"] for content in kinds.values())
        return
    assert kinds == {
        ("gamma", "idle", "kernel", "kind"): ["a"],
        ("idle", "kernel", "kind"): ["a"],
        ("idle", "kind", "n"): ["b"],
        ("idle", "kind"): ["c"],
    }
    assert found["idle", "kernel", "kind"]["kernel"].content == ["linear"]
    assert all(box["idle"].content == [1, 2] for box in found.values())
