"""Histories as text: nothing is lost on the way, and nothing else is taken for one."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tunesmith.config.model import BestSection, OutputsSection
from tunesmith.history import FURTHER, Failure, FoldResult, Metric, Trial
from tunesmith.ledger.histories.import_trials import take_over
from tunesmith.ledger.histories.portable import HistoryError, read_history, write_history
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord
from tunesmith.runs.outputs import write_outputs
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest
from tunesmith.testing.ledger import AWKWARD
from tunesmith.testing.records import make_record
from tunesmith.types import Params, State, StopReason

METRICS = (Metric("a"), Metric("b", "minimize"))
DEFINITION: dict[str, Any] = {
    "file": {"search": {"method": "grid", "seed": 0}},
    "space": {"boxes": []},
}


def key(params: Params, fold: int) -> str:
    return digest([canonical_json(dict(params)), fold])


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "other.db") as opened:
        yield opened


# -- there and back ------------------------------------------------------------------------------

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"])).map(lambda text: f"x {text}")
SCORES = st.fixed_dictionaries({"a": FINITE | st.integers(0, 9), "b": FINITE})
STEPS = st.lists(st.tuples(st.integers(0, 99), FINITE), max_size=2).map(tuple)
COMPLETE = st.builds(
    FoldResult,
    st.just(0),
    SCORES,
    n_sharing=st.integers(1, 5),
    warning=st.just("") | WORDS,
    progress=STEPS,
    stopped_at=st.none() | st.integers(0, 9),
    parts=st.sampled_from(["", "0abc{|}~"]),
)
FAILED = st.builds(FoldResult, st.just(0), st.just({}), failure=st.builds(Failure, WORDS, WORDS))
POINTS = st.dictionaries(st.text(max_size=3), JSON, max_size=2)
TRIALS = st.lists(
    st.tuples(
        POINTS,
        st.none() | POINTS,
        st.lists(COMPLETE | FAILED, min_size=1, max_size=3),
        st.booleans(),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=4,
)


def completed(number: int, drawn: Any) -> tuple[Trial, list[str]]:
    params, proposed, folds, is_pruned, n_points = drawn
    folds = [FoldResult(i, **_rest(fold)) for i, fold in enumerate(folds)]
    trial = Trial(
        number, params, key=canonical_json(params), origin="x", proposed=proposed, n_points=n_points
    )
    trial = trial.completed(folds)
    if is_pruned and trial.state is State.COMPLETE:
        trial = Trial(**{**_fields(trial), "state": State.PRUNED})
    return trial, [f"{number}-{fold}" for fold in range(len(folds))]


def _rest(fold: FoldResult) -> dict[str, Any]:
    return {name: getattr(fold, name) for name in FoldResult.__slots__[1:]}


def _fields(trial: Trial) -> dict[str, Any]:
    return {name: getattr(trial, name) for name in Trial.__slots__}


SAME: Any = ({}, None, [FoldResult(0, {"a": 0.0, "b": 0.0})], False, 1)
EQUAL: Any = ({}, None, [FoldResult(0, {"a": 0, "b": -0.0})], False, 1)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(drawn=TRIALS, holdout=st.none() | COMPLETE, further=st.lists(COMPLETE | FAILED, max_size=3))
@example(drawn=[SAME, EQUAL], holdout=None, further=[])
def test_what_is_taken_over_is_exported_as_it_was(
    ledger: Ledger,
    other: Ledger,
    drawn: list[Any],
    holdout: FoldResult | None,
    further: list[FoldResult],
) -> None:
    head = ledger.begin_study(
        "s",
        "i",
        DEFINITION,
        context={"data": "☃"},
        metrics=METRICS,
        objectives=METRICS[:1],
        restart=True,
    )
    run = ledger.begin_run(head.id, {"definition": DEFINITION, "seed": 1})
    parts = [completed(number, one) for number, one in enumerate(drawn)]
    results = {k: fold for trial, keys in parts for k, fold in zip(keys, trial.folds, strict=True)}
    ledger.record(
        head.id,
        run,
        results={f"{run}-{k}": r for k, r in results.items()},
        completed=[(trial, [f"{run}-{k}" for k in keys]) for trial, keys in parts],
    )
    if holdout is not None:
        ledger.record_holdout(head.id, run, number=0, key=f"{run}-holdout", result=holdout)
    keyed = {f"{run}-{place}-f": one for place, one in enumerate(further)}
    links = [(len(parts) - 1, FURTHER - place, k) for place, k in enumerate(keyed)]
    ledger.record_apart(head.id, run, links, keyed)
    ledger.end_run(run, StopReason.of_criterion("4 trials"), len(results), 0, 3)
    record = ledger.load("s")
    text = write_history([record])
    assert text == write_history(read_history(text).values())
    # A study of its own for every example.
    renamed = text.replace('"study": "s"', f'"study": "s{run}"', 1)
    (read,) = read_history(renamed).values()
    assert take_over(other, read, key, "history.jsonl") == len(parts)
    assert write_history([other.load(f"s{run}")]) == renamed
    assert take_over(other, read, key, "history.jsonl") == 0


# -- the same outputs ----------------------------------------------------------------------------

RECORD = make_record(
    [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}],
    [[0.9, 0.8], [0.7, 1 / 3], "bad | value", [0.1, 0.2]],
    space={"boxes": [{"n": {"int": [1, 9]}}], "constraints": []},
)
OUTPUTS = OutputsSection(
    best=BestSection(path="best.json"),
    tuned="tuned.toml",
    report="report.md",
    html="report.html",
    trials="trials.csv",
    history="history.jsonl",
    metrics="metrics.json",
)


def test_the_outputs_of_what_is_taken_over_are_the_same(ledger: Ledger, tmp_path: Path) -> None:
    write_outputs(RECORD, tmp_path / "one", OUTPUTS)
    (read,) = read_history((tmp_path / "one/history.jsonl").read_text()).values()
    take_over(ledger, read, key, "history.jsonl")
    loaded = ledger.load()
    assert loaded.runs[0].provenance["taken_from"] == "history.jsonl"
    for name, record in {"two": read, "three": loaded}.items():
        write_outputs(record, tmp_path / name, OUTPUTS)
        for path in (tmp_path / "one").iterdir():
            assert (tmp_path / name / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_told_trial_is_a_line(tmp_path: Path) -> None:
    assert write_history([RECORD]).count("\n") == 2 + len(RECORD.history)
    more = make_record([{"n": 1}, {"n": 2}], [[0.9, 0.8], [0.7, 1 / 3]])
    lines = write_history([more]).splitlines()
    assert lines[2:] == write_history([RECORD]).splitlines()[2:4]


def test_odd_params_come_back(ledger: Ledger) -> None:
    odd = {**AWKWARD, "half": "\ud800", "lines": "\u2028\u0085\r"}
    text = write_history([make_record([odd], [[0.5, -0.0]])])
    (read,) = read_history(text).values()
    assert take_over(ledger, read, key, "h") == 1
    assert write_history([ledger.load()]) == text
    assert dict(read.history[0].params) == json.loads(json.dumps(odd))


def with_selection(selection: str) -> StudyRecord:
    (run,) = RECORD.runs
    definition = {**DEFINITION, "file": {**DEFINITION["file"], "selection": selection}}
    return replace(
        RECORD, runs=(replace(run, provenance={**run.provenance, "definition": definition}),)
    )


def test_times_are_kept_only_where_they_decide() -> None:
    for selection, fit_time_s in (("best", 0.0), ("fastest", 0.1)):
        text = write_history([with_selection(selection)])
        (read,) = read_history(text).values()
        assert read.history[0].folds[0].fit_time_s == fit_time_s
        assert ("times" in text) == bool(fit_time_s)


# -- taking over ---------------------------------------------------------------------------------


def grown(n: int) -> StudyRecord:
    points, scores = [{"n": i} for i in range(n)], [[i / 7, i / 9] for i in range(n)]
    (read,) = read_history(write_history([make_record(points, scores)])).values()
    return read


def test_only_what_goes_beyond_the_ledger_is_taken(ledger: Ledger) -> None:
    assert take_over(ledger, grown(2), key, "h") == 2
    assert take_over(ledger, grown(5), key, "h") == 3
    assert take_over(ledger, grown(3), key, "h") == 0
    assert write_history([ledger.load()]) == write_history([grown(5)])


def test_other_trials_than_those_of_the_ledger_are_not_mixed_in(ledger: Ledger) -> None:
    take_over(ledger, grown(2), key, "h")
    (other,) = read_history(
        write_history([make_record([{"n": i} for i in range(4)], [[0.0, 0.0]] * 4)])
    ).values()
    assert take_over(ledger, other, key, "h") == 0
    assert ledger.load().history.n_completed == 2


def test_a_series_begun_anew_takes_nothing(ledger: Ledger) -> None:
    head = grown(1).head
    metrics = grown(1).metrics
    ledger.begin_study(
        head.name,
        head.identity,
        head.definition,
        context=head.context,
        metrics=metrics,
        objectives=metrics,
        restart=True,
    )
    assert take_over(ledger, grown(4), key, "h") == 0


# -- what is none --------------------------------------------------------------------------------

LINES = write_history([RECORD]).splitlines()


def broken(line: int, old: str, new: str) -> str:
    assert old in LINES[line]
    return "\n".join([*LINES[:line], LINES[line].replace(old, new), *LINES[line + 1 :]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1: Expecting property name"),
        ("[]", "line 1: expected a JSON object"),
        ('{"kind": "trials"}', "line 1: kind: Input should be 'tunesmith-history'"),
        (LINES[2], "line 1: expected a line with `kind: tunesmith-history` first"),
        (broken(0, '"schema_version": 1', '"schema_version": 6'), "needs a newer Tunesmith"),
        (broken(0, '"identity": "', '"identity": 3, "x": "'), "line 1: identity: Input should be"),
        (broken(1, '"definition"', '"defined"'), "line 2: its provenance lacks the definition"),
        (broken(2, "0.9", "NaN"), "line 3: NaN is no number of JSON"),
        (broken(2, "0.9", "1e999"), "line 3: Out of range float values"),
        (broken(2, "0.9", '"0.9"'), "line 3: folds.0.scores.score"),
        (broken(3, '"trial": 1', '"trial": 2'), "line 4: expected trial 1, not trial 2"),
        (broken(4, "failed", "complete"), "line 5: trial 2 is said to be complete"),
        (broken(5, '"origin"', '"extra": 1, "origin"'), "line 6: extra: Extra inputs"),
        (LINES[0] + "\n" + "[" * 100_000, "line 2: "),
        ("<<<<<<< HEAD\n" + LINES[0], "line 1: Expecting value"),
    ],
)
def test_what_is_no_history_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(HistoryError) as caught:
        read_history(text)
    assert message in str(caught.value)


@given(st.binary(max_size=40), st.integers(0, 5), st.integers(0, 400))
def test_damage_is_told_or_harmless(damage: bytes, line: int, place: int) -> None:
    text = LINES[line]
    damaged = text[:place] + damage.decode(errors="replace") + text[place + len(damage) :]
    try:
        found = read_history("\n".join([*LINES[:line], damaged, *LINES[line + 1 :]]))
    except HistoryError:
        return
    written = write_history(found.values())
    assert write_history(read_history(written).values()) == written
