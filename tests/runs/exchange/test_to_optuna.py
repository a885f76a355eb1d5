"""Our studies, opened by Optuna itself."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from tunesmith.errors import StorageError, UsageError
from tunesmith.history import Failure, FoldResult, Metric, TrialLog
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord
from tunesmith.runs.exchange import to_optuna
from tunesmith.runs.exchange.storage import opened
from tunesmith.runs.exchange.to_optuna import export_study
from tunesmith.space.parameter import canonical_json
from tunesmith.testing.records import make_record

LOSS = Metric("loss", "minimize")
SPACE = {
    "boxes": [{"x": {"float": [0.1, 1.0], "log": True}, "k": ["a", None]}, {"n": {"int": [1, 9]}}],
    "constraints": [],
}
POINTS: list[dict[str, Any]] = [{"x": 0.5, "k": "a"}, {"x": 0.1, "k": None}, {"n": 4}]
SCORES: list[list[float] | str] = [[0.25, 0.75], "boom", [0.5, 1.0]]


Load = Callable[..., optuna.Study]


@pytest.fixture
def load() -> Iterator[Load]:
    """Give a function that loads a study, whose storage is closed behind the test."""
    with ExitStack() as storages:

        def load(path: Path, name: str = "example") -> optuna.Study:
            storage = storages.enter_context(opened(f"sqlite:///{path}"))
            return optuna.load_study(study_name=name, storage=storage)

        yield load


@pytest.fixture
def record() -> StudyRecord:
    return make_record(POINTS, SCORES, space=SPACE, metrics=[Metric("score"), LOSS])


def test_optuna_opens_the_study(record: StudyRecord, tmp_path: Path, load: Load) -> None:
    path = tmp_path / "study.db"
    assert export_study(record, f"sqlite:///{path}") == 3
    study = load(path)
    assert (study.direction, study.metric_names) == (
        optuna.study.StudyDirection.MAXIMIZE,
        ["score"],
    )
    assert study.user_attrs["tunesmith"]["identity"] == record.head.identity
    trials = study.trials
    assert [trial.params for trial in trials] == POINTS
    assert [trial.number for trial in trials] == [0, 1, 2]
    states = [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE]
    assert [trial.state for trial in trials] == states
    assert [trial.values for trial in trials] == [[0.5], None, [0.75]]
    x = optuna.distributions.FloatDistribution(0.1, 1.0, log=True)
    assert trials[0].distributions["x"] == x
    assert trials[2].distributions == {"n": optuna.distributions.IntDistribution(1, 9)}
    assert trials[0].user_attrs["fold_scores"] == {"score": [0.25, 0.75], "loss": [1.25, 1.75]}
    assert trials[0].user_attrs["origin"] == "grid"
    assert trials[1].user_attrs["failure"] == "ValueError: boom"
    assert trials[0].intermediate_values == {0: 0.25, 1: 0.5}
    assert study.best_trial.number == 2


def test_times_are_those_of_the_run_and_its_fits(
    record: StudyRecord, tmp_path: Path, load: Load
) -> None:
    assert record.origin is not None
    export_study(record, f"sqlite:///{tmp_path / 'study.db'}")
    trials = load(tmp_path / "study.db").trials
    started = datetime.fromisoformat(record.origin.started).timestamp()
    for ours, theirs in zip(record.history.completed, trials, strict=True):
        assert theirs.datetime_start is not None
        assert theirs.duration is not None
        assert theirs.datetime_start.timestamp() == pytest.approx(started, abs=1e-3)
        spent_s = sum(fold.fit_time_s + fold.score_time_s for fold in ours.folds)
        assert theirs.duration.total_seconds() == pytest.approx(spent_s, abs=1e-3)
    assert [path.name for path in tmp_path.iterdir()] == ["study.db"]


def test_it_goes_on_from_there(record: StudyRecord, tmp_path: Path, load: Load) -> None:
    export_study(record, f"sqlite:///{tmp_path}/study.db")
    study = load(tmp_path / "study.db")
    study.optimize(lambda trial: trial.suggest_int("n", 1, 9) / 10, n_trials=2)
    assert len(study.trials) == 5


def test_several_objectives(tmp_path: Path, load: Load) -> None:
    metrics = [Metric("score"), LOSS]
    record = make_record([{"x": 0.5}], [[0.25, 0.75]], metrics=metrics, n_objectives=2)
    export_study(record, f"sqlite:///{tmp_path}/study.db")
    study = load(tmp_path / "study.db")
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.trials[0].values == [0.5, 1.5]
    assert study.metric_names == ["score", "loss"]


def test_pruned_trials_show_what_they_showed(tmp_path: Path, load: Load) -> None:
    log = TrialLog((Metric("score"),))
    params = {"x": 1}
    trial = log.ask(params, canonical_json(params), "tpe")
    steps = [((1, 0.25), (2, 0.5)), ((1, 0.5), (2, 0.75), (3, 0.75))]
    folds = [
        FoldResult(n, {"score": own[-1][1]}, progress=own, stopped_at=2)
        for n, own in enumerate(steps)
    ]
    log.tell(trial.completed(folds))
    half = log.ask({"x": 2}, "k", "tpe")
    log.tell(half.completed([FoldResult(0, {"score": 0.5})], n_folds=2))
    empty = log.ask({"x": 3}, "l", "tpe")
    log.tell(empty.completed([FoldResult(0, {}, failure=Failure("timeout", "slow"))]))
    record = make_record([])
    record = StudyRecord(record.head, record.metrics, log.view(), ())
    export_study(record, f"sqlite:///{tmp_path}/study.db")
    one, two, three = load(tmp_path / "study.db").trials
    assert [t.state.name for t in (one, two, three)] == ["PRUNED", "PRUNED", "FAIL"]
    assert one.intermediate_values == {1: 0.375, 2: 0.625}
    assert two.intermediate_values == {0: 0.5}
    assert three.intermediate_values == {}


def test_a_study_that_is_there_is_left_alone(
    record: StudyRecord, tmp_path: Path, load: Load
) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    export_study(record, url)
    with pytest.raises(UsageError, match="there is a study `example`"):
        export_study(record, url)
    assert len(load(tmp_path / "study.db").trials) == 3
    assert export_study(record, url, "other") == 3
    assert len(load(tmp_path / "study.db", "other").trials) == 3


def test_half_a_study_is_never_left(
    record: StudyRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise KeyboardInterrupt

    url = f"sqlite:///{tmp_path}/study.db"
    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "add_trials", fail)
        with pytest.raises(KeyboardInterrupt):
            export_study(record, url)
        assert list(tmp_path.iterdir()) == []
        optuna.create_study(study_name="mine", storage=url)
        with pytest.raises(KeyboardInterrupt):
            export_study(record, url)
    assert optuna.study.get_all_study_names(url) == ["mine"]


def test_a_storage_that_cannot_be_used_is_named_without_its_password(record: StudyRecord) -> None:
    for url, error in (
        ("postgresql+psycopg://me:hunter2@127.0.0.1:1/db", StorageError),
        ("sqlite:////nowhere/study.db", StorageError),
        ("hunter2", UsageError),
        ("mysql+nodriver://me:hunter2@host/db", (StorageError, UsageError)),
    ):
        with pytest.raises(error) as caught:
            export_study(record, url)
        assert "hunter2" not in str(caught.value)


def test_an_empty_study_is_a_study(tmp_path: Path, load: Load) -> None:
    record = make_record([])
    assert export_study(record, f"sqlite:///{tmp_path}/study.db") == 0
    assert load(tmp_path / "study.db").trials == []


def test_scores_are_the_same_numbers(tmp_path: Path, load: Load) -> None:
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(20, 3)).tolist()
    record = make_record([{"x": n} for n in range(20)], scores)
    export_study(record, f"sqlite:///{tmp_path}/study.db")
    trials = load(tmp_path / "study.db").trials
    assert [t.user_attrs["fold_scores"]["score"] for t in trials] == scores
    assert [t.value for t in trials] == [t.mean("score") for t in record.history.completed]


def test_it_is_the_same_from_a_ledger(tmp_path: Path) -> None:
    from tunesmith.testing.ledger import begin, tell

    with Ledger.open(tmp_path / "l.db") as ledger:
        head, run = begin(ledger)
        for number in range(3):
            tell(ledger, head, run, number)
        record = ledger.load(is_whole=False)
    assert len(to_optuna.frozen(record, list(record.history.completed))) == 3


def test_optuna_knows_which_trials_violate_a_constraint(tmp_path: Path, load: Load) -> None:
    points: list[dict[str, Any]] = [{"x": 0.1}, {"x": 0.2}, {"x": 0.3}, {"x": 0.4}]
    scores: list[list[float] | str] = [[0.9], [0.8], [0.5], "boom"]
    bounds = ["score < 0.9", "score >= 0.5"]
    record = make_record(points, scores, metrics=[Metric("score")], subject_to=bounds)
    export_study(record, f"sqlite:///{tmp_path}/study.db")
    study = load(tmp_path / "study.db")
    best = record.history.best()
    assert best is not None
    assert study.best_trial.number == best.number == 1
    assert study.user_attrs["tunesmith"]["subject_to"] == bounds
    # 0 is allowed in Optuna, so that a bound that excludes its own value needs another number.
    violations = [trial.system_attrs.get("constraints") for trial in study.trials]
    assert violations[0][0] > 0
    assert violations[2] == [pytest.approx(-0.4), 0.0]
    assert violations[3] is None
