"""A large history gives the numbers that the same trials give as objects."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tunesmith import registry
from tunesmith.analysis.large import material
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.history import Failure, FoldResult, History, Metric, Trial
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord
from tunesmith.ledger.stored_history import StoredHistory
from tunesmith.reporting.figures.view import view_of
from tunesmith.reporting.markdown import render
from tunesmith.reporting.page.render import render as page
from tunesmith.space.parameter import canonical_json
from tunesmith.testing.records import make_record
from tunesmith.types import OutcomeConstraint, Params, State

N = 150
N_FOLDS = 5
SPACE = {
    "boxes": [
        {"max_depth": {"int": [1, 9]}, "rate": {"float": [0.001, 1.0], "log": True}, "kind": "ab"}
    ],
    "constraints": [],
}
ALONE = (Metric("score"),)
BOTH = (Metric("score"), Metric("cost", "minimize"))
EXACT = (
    *("n_trials", "n_folds", "n_points", "n_spared", "n_pending", "failures", "said", "warnings"),
    *("selection", "choices", "margin", "ties", "optimism", "comparisons", "gate", "noise"),
    *("doubts", "unchanged", "race", "front", "edges", "chosen", "best", "is_refused"),
)


def trials(*, has_races: bool) -> list[Trial]:
    rng = Random(5)
    made: list[Trial] = []
    for number in range(N):
        depth = rng.randint(1, 9)
        params: Params = {
            "max_depth": depth,
            "rate": 10 ** rng.uniform(-3, 0),
            "kind": rng.choice("ab"),
        }
        # The same point twice, and equal scores, as ties.
        params = made[number - 7].params if number % 31 == 30 else params
        origin = {0: "defaults", 1: "current"}.get(number, "random")
        height = 0.7 + 0.02 * depth
        folds = [
            FoldResult(
                fold,
                {"score": round(height + rng.gauss(0, 0.03), 2), "cost": rng.random()},
                fit_time_s=rng.random(),
                n_sharing=rng.choice([1, 3]),
                warning="Slow: it is slow" if number % 13 == 0 else "",
            )
            for fold in range(N_FOLDS)
        ]
        if number % 11 == 10:
            failure = Failure("ValueError", f"no {number}", f"Traceback {number % 2}")
            folds[3] = FoldResult(3, {}, failure=failure)
        if has_races and number > 8 and number % 3 == 0:
            folds = folds[: 1 + number % 4]
        trial = Trial(number, params, key=canonical_json(params), origin=origin)
        made.append(trial.completed(folds, N_FOLDS))
    return made


def record_of(metrics: tuple[Metric, ...], *, has_races: bool) -> StudyRecord:
    made = make_record([{"max_depth": 1}], metrics=metrics, space=SPACE)
    return replace(made, history=History.of(metrics, trials(has_races=has_races)), metrics=metrics)


@pytest.fixture
def _is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material, "LARGE", 100)
    for place in ("large.sample", "large.material", "summary"):
        monkeypatch.setattr(f"tunesmith.analysis.{place}.N_SAMPLE", 60)


@pytest.fixture(params=[ALONE, BOTH], ids=["one", "two"])
def metrics(request: pytest.FixtureRequest) -> tuple[Metric, ...]:
    chosen: tuple[Metric, ...] = request.param
    return chosen


def pair(record: StudyRecord, monkeypatch: pytest.MonkeyPatch) -> tuple[Summary, Summary]:
    large = summarise(record, with_effects=False)
    with monkeypatch.context() as patch:
        patch.setattr(material, "LARGE", N)
        return large, summarise(record, with_effects=False)


@pytest.mark.usefixtures("_is_large")
@pytest.mark.parametrize("has_races", [False, True])
def test_all_that_is_not_sampled_is_exact(
    metrics: tuple[Metric, ...], has_races: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, whole = pair(record_of(metrics, has_races=has_races), monkeypatch)
    assert large.sample is not None
    assert whole.sample is None
    assert list(large.ranking) == list(whole.ranking)
    for name in EXACT:
        assert getattr(large, name) == getattr(whole, name), name
    # NaN is not equal to itself.
    assert repr(large.scores) == repr(whole.scores)
    assert repr(large.best_so_far) == repr(whole.best_so_far)
    assert (large.race is not None) is has_races


@pytest.mark.usefixtures("_is_large")
def test_huge_scores_are_as_large_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [
        replace(
            t, folds=tuple(replace(f, scores={"score": f.scores["score"] * 1e200}) for f in t.folds)
        )
        for t in trials(has_races=True)
        if t.state is not State.FAILED
    ]
    numbered = [replace(trial, number=number) for number, trial in enumerate(made)]
    record = replace(make_record([{"n": 1}]), history=History.of(ALONE, numbered))
    large, whole = pair(record, monkeypatch)
    assert large.race == whole.race is not None


@pytest.fixture
def records(tmp_path: Path) -> Iterator[tuple[StudyRecord, StudyRecord]]:
    """The same record, in the ledger and in memory."""
    path = tmp_path / "ledger.db"
    current = {"max_depth": 99, "rate": 0.1, "kind": "a"}
    definition = {
        "space": SPACE,
        "file": {"study": "s", "objective": {}},
        "incumbent": current,
        "start": [],
        "is_edited": False,
    }
    with Ledger.open(path) as ledger:
        head = ledger.begin_study(
            "s", "i", definition, context={}, metrics=BOTH, objectives=BOTH[:1]
        )
        run = ledger.begin_run(head.id, {"definition": definition})
        for trial in trials(has_races=True):
            keys = [f"{trial.number}-{fold.fold}" for fold in trial.folds]
            results = dict(zip(keys, trial.folds, strict=True))
            ledger.record(head.id, run, results=results, completed=[(trial, keys)])
    with Ledger.open(path, create=False) as ledger:
        yield ledger.load(is_whole=False), ledger.load()


@pytest.mark.usefixtures("_is_large")
def test_a_run_and_a_later_report_say_the_same(records: tuple[StudyRecord, StudyRecord]) -> None:
    stored, held = records
    first, second = summarise(stored), summarise(held)
    assert isinstance(stored.history, StoredHistory)
    # Nothing has read the history as objects.
    assert stored.history._held is None
    assert render(first) == render(second)
    assert page(stored, first, has_times=True) == page(held, second, has_times=True)
    assert stored.history._held is None
    assert first.sample is not None
    told = f"are computed from {len(first.sample)} of 150 trials"
    assert told in render(first)
    assert told in page(stored, first)


@pytest.mark.usefixtures("_is_large")
@pytest.mark.parametrize("form", sorted(registry.names("reports")))
def test_every_form_shows_a_large_history(
    records: tuple[StudyRecord, StudyRecord], form: str
) -> None:
    draw = registry.load("reports", form)
    texts = [draw(summarise(record)) for record in records]
    assert texts[0] == texts[1]
    if form == "json":
        content = json.loads(texts[0])
        assert content["sample"] == len(summarise(records[0]).sample or ())
        assert len(content["ranking"]) == len(summarise(records[0]).ranking)


@pytest.mark.usefixtures("_is_large")
def test_pictures_show_the_course_of_all_trials(
    records: tuple[StudyRecord, StudyRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, held = records
    some = view_of(stored)
    with monkeypatch.context() as patch:
        patch.setattr(material, "LARGE", N)
        every = view_of(held)
        assert len(every.completed) == N
        assert repr(some.running_best) == repr(every.running_best)
        ranks = {t.number: rank for t, rank in zip(every.completed, every.ranks, strict=True)}
    shown = [trial.number for trial in some.completed]
    assert shown == sorted(set(shown))
    assert 60 <= len(shown) < N
    assert some.ranks == [ranks[number] for number in shown]
    assert some.n_left_out == N - len(shown)
    assert some.n_complete == every.n_complete
    assert some.best is not None
    assert every.best is not None
    assert some.completed[some.best].number == every.completed[every.best].number


def test_the_number_of_trials_alone_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_of(ALONE, has_races=False)
    assert material.material_of(record).sample is None
    monkeypatch.setattr(material, "LARGE", N - 1)
    assert material.material_of(record).sample is not None
    # Constraints look at all results; trials with unlike numbers of folds make no table.
    limited = History.of(ALONE, list(record.history), (OutcomeConstraint("score", "<=", 1.0),))
    assert material.material_of(replace(record, history=limited)).sample is None
    last = Trial(N, {"max_depth": 1}, key="k", origin="a").completed([FoldResult(0, {"score": 1})])
    unlike = History.of(ALONE, [*record.history, last])
    assert material.material_of(replace(record, history=unlike)).sample is None


@pytest.mark.usefixtures("_is_large")
def test_that_all_scored_the_same_is_said_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    # Measured times differ whatever the parameters are.
    metrics = (*ALONE, Metric("fit_time", "minimize"), Metric("lacking"))

    def record(odd: int | None) -> StudyRecord:
        made = [
            Trial(n, {"n": n}, key=f"{n}", origin="a").completed(
                [FoldResult(0, {"score": 1.0 if n == odd else 0.5, "fit_time": n / 7})]
            )
            for n in range(N)
        ]
        return replace(make_record([{"n": 1}], metrics=metrics), history=History.of(ALONE, made))

    assert summarise(record(None), with_effects=False).unchanged.n_same == N
    # The worst of the last trials is in no sample of the best, but the claim is about all.
    assert not summarise(record(N - 2), with_effects=False).unchanged.n_same
