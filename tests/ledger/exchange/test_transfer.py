"""Evaluations travel between ledgers, servers and folders: sets, joined in any order."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import StorageError, UsageError
from tunesmith.history import Failure, FoldResult
from tunesmith.ledger.exchange.shared import Place, SharedEvaluation, SharedRun
from tunesmith.ledger.exchange.tables import LedgerPlace
from tunesmith.ledger.exchange.transfer import check_differs, folder_of, opened, transfer
from tunesmith.ledger.ledger import Ledger
from tunesmith.system import faults
from tunesmith.testing.ledger import begin, result, tell
from tunesmith.types import StopKind, StopReason

PLACES = ("one.db", "two.db", "three.db", "folder")
NAMES = ("study", "other")
END = StopReason(StopKind.CRITERION, "2 trials")


def contents(location: str | Path) -> dict[tuple[str, str], dict[str, Any]]:
    """All evaluations of a place by what identifies them."""
    with opened(location, create=False) as place:
        return {one.address: dict(one.row) for batch in place.batches() for one in batch}


def move(source: str | Path, target: str | Path) -> int:
    with opened(source, create=False) as one, opened(target, create=True) as other:
        return transfer(one, other).n_new


def fill(location: str | Path, numbers: Sequence[int], name: str = "study") -> None:
    """One run of a study with some trials."""
    with Ledger.open(location) as ledger:
        head, run = begin(ledger, name)
        for number in numbers:
            results = {f"{name}-{number}": result(number, score=1 / (number + 1))}
            ledger.record(head.id, run, results=results)
        ledger.end_run(run, END, len(numbers), 0, len(numbers))


RUNS = st.lists(
    st.tuples(
        st.sampled_from(PLACES[:3]),
        st.sampled_from(NAMES),
        st.lists(st.integers(0, 4), max_size=4, unique=True),
    ),
    max_size=5,
)
MOVES = st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES)), max_size=7)


@settings(max_examples=25, deadline=None)
@given(RUNS, MOVES)
def test_any_order_of_moves_gives_the_union(
    runs: Sequence[tuple[str, str, Sequence[int]]], moves: Sequence[tuple[str, str]]
) -> None:
    with tempfile.TemporaryDirectory() as root:
        paths = {name: Path(root, name) for name in PLACES}
        for name in PLACES[:3]:
            Ledger.open(paths[name]).close()
        paths["folder"].mkdir()
        for place, study, numbers in runs:
            fill(paths[place], numbers, study)
        model = {name: contents(path) for name, path in paths.items()}
        for source, target in moves:
            if source == target:
                continue
            n_lacking = len(model[source].keys() - model[target].keys())
            assert move(paths[source], paths[target]) == n_lacking
            model[target] = {**model[source], **model[target]}
            assert contents(paths[target]) == model[target]
            # A second time, nothing is left to do.
            assert move(paths[source], paths[target]) == 0
        assert {name: contents(path) for name, path in paths.items()} == model


@pytest.mark.parametrize("hub", ["folder", "hub.db"])
def test_what_comes_back_is_known_as_ones_own(tmp_path: Path, hub: str) -> None:
    one, two, middle = tmp_path / "one.db", tmp_path / "two.db", tmp_path / hub
    fill(one, [0, 1])
    fill(two, [1, 2])
    assert [move(one, middle), move(two, middle)] == [2, 2]
    assert [move(middle, one), move(middle, two)] == [2, 2]
    assert contents(one) == contents(two) == contents(middle)
    with Ledger.open(one, create=False) as ledger:
        # Its own run outranks the one that came, and no study appears by an exchange.
        assert ledger.known(["study-0", "study-1", "study-2"]).keys() == {
            *("study-0", "study-1", "study-2")
        }
        assert [head.generation for head in ledger.studies()] == [1]
        assert [run.id for run in ledger.load("study").runs] == [1]


def test_provenance_stays_that_of_the_run(tmp_path: Path) -> None:
    one, two, three = (tmp_path / f"{n}.db" for n in (1, 2, 3))
    fill(one, [0])
    move(one, two)
    move(two, tmp_path / "folder")
    move(tmp_path / "folder", three)
    with opened(one, create=False) as first, opened(three, create=False) as last:
        assert first.runs() == last.runs()


def test_the_end_of_a_run_follows_later(tmp_path: Path) -> None:
    one, two, folder = tmp_path / "one.db", tmp_path / "two.db", tmp_path / "folder"
    with Ledger.open(one) as ledger:
        head, run = begin(ledger)
        tell(ledger, head, run, 0)
        for target in (two, folder):
            move(one, target)
        ledger.end_run(run, END, 3, 0, 3)
    for target in (two, folder):
        assert move(one, target) == 0
        with opened(target, create=False) as place:
            (seen,) = place.runs().values()
            assert (seen.has_ended, seen.run["n_evaluated"]) == (True, 3)


def test_only_results_travel(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "one.db") as ledger:
        head, run = begin(ledger)
        results = {
            "good": result(0),
            "timeout": FoldResult(0, {}, failure=Failure("timeout", "too slow")),
            "failed": FoldResult(0, {}, failure=Failure("ValueError", "no")),
            "outdated": FoldResult(0, {"accuracy": 1.0, "loss": 0.0}, n_sharing=3, law=1),
            "shared": FoldResult(0, {"accuracy": 1.0, "loss": 0.0}, n_sharing=3, ways=("x",)),
            "read": FoldResult(0, {"accuracy": 1.0, "loss": 0.0}, reading={"a.csv": "file 1"}),
        }
        ledger.record(head.id, run, results=results)
    move(tmp_path / "one.db", tmp_path / "folder")
    move(tmp_path / "folder", tmp_path / "two.db")
    with Ledger.open(tmp_path / "two.db", create=False) as ledger:
        assert ledger.known(results).keys() == {"good", "failed", "shared", "read"}
        held = ledger.known(results, holds=lambda reading: reading == {"a.csv": "file 1"})
        assert held.keys() == {"read"}


def test_results_of_others_do_not_count_after_a_restart(tmp_path: Path) -> None:
    fill(tmp_path / "one.db", [0])
    with Ledger.open(tmp_path / "two.db") as ledger:
        move(tmp_path / "one.db", tmp_path / "two.db")
        assert ledger.known(["study-0"])
        assert ledger.known(["study-0"], since_run=1) == {}
        # The numbers of own runs begin at 1, whatever has come from elsewhere.
        assert begin(ledger)[1] == 1
        assert ledger.previous("study").generation == 1  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_server_takes_and_gives_the_same(tmp_path: Path, database: str) -> None:
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    fill(one, [0, 1])
    fill(two, [1, 2])
    fill(database, [3])
    assert [move(one, database), move(two, database), move(one, database)] == [2, 2, 0]
    assert [move(database, one), move(database, two)] == [3, 3]
    assert contents(one) == contents(two) == contents(database)
    # Its own numbers are not disturbed by the negative ones.
    with Ledger.open(database) as ledger:
        assert begin(ledger)[1] == 2


@pytest.mark.slow
def test_processes_that_push_to_one_server_at_once_double_nothing(
    tmp_path: Path, database: str
) -> None:
    sources = [tmp_path / f"{n}.db" for n in range(4)]
    fill(tmp_path / "common.db", range(5))
    for n, source in enumerate(sources):
        fill(source, range(n, n + 5))
        move(tmp_path / "common.db", source)
    Ledger.open(database).close()
    processes = [_moving(source, database) for source in sources]
    assert [process.wait(300) for process in processes] == [0] * len(sources)
    expected = {address: row for source in sources for address, row in contents(source).items()}
    assert contents(database) == expected
    with opened(database, create=False) as place:
        assert len(place.runs()) == 5


def _moving(
    source: str | Path, target: str | Path, **environment: str
) -> "subprocess.Popen[bytes]":
    code = (
        "import sys; from tunesmith.ledger.exchange.transfer import opened, transfer\n"
        "with opened(sys.argv[1], create=False) as a, opened(sys.argv[2], create=True) as b:\n"
        "    transfer(a, b)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(source), str(target)], env={**os.environ, **environment}
    )


@pytest.mark.slow
@pytest.mark.parametrize("target", ["two.db", "folder"])
@pytest.mark.parametrize(
    "point", ["exchange.add:2", "ledger.commit:1", "ledger.committed:1", "exchange.pack:2"]
)
def test_a_kill_on_the_way_loses_and_doubles_nothing(
    tmp_path: Path, target: str, point: str
) -> None:
    source, place = tmp_path / "one.db", tmp_path / target
    for _ in range(3):
        fill(source, range(300))
    done = _moving(source, place, **{faults.VARIABLE: f"kill:{point}"}).wait(300)
    is_reached = point.startswith("exchange.pack") == (target == "folder")
    assert done == (-9 if is_reached else 0)
    before = contents(place) if place.exists() else {}
    assert before.items() <= contents(source).items()
    move(source, place)
    assert contents(place) == contents(source)
    assert move(source, place) == 0


def test_a_target_that_fails_on_the_way_has_whole_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "one.db", range(5))
    with monkeypatch.context() as patch:
        patch.setattr(faults, "reach", _refuse)
        with pytest.raises(StorageError, match="no space"):
            move(tmp_path / "one.db", tmp_path / "two.db")
    assert contents(tmp_path / "two.db") == {}
    with opened(tmp_path / "two.db", create=False) as place:
        assert place.runs() == {}
    assert move(tmp_path / "one.db", tmp_path / "two.db") == 5


def _refuse(point: str) -> None:
    if point == "exchange.add":
        raise OSError(28, "no space")


@pytest.mark.parametrize("name", ["one.db", "folder"])
def test_a_run_that_begins_during_a_transfer_is_carried(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    fill(tmp_path / "one.db", [0])
    move(tmp_path / "one.db", tmp_path / "folder")
    fill(tmp_path / "new.db", [1])

    with opened(source, create=False) as one, Ledger.open(tmp_path / "two.db") as ledger:
        before = one.runs

        def late() -> Mapping[str, SharedRun]:
            runs = before()
            if len(runs) == 1:
                move(tmp_path / "new.db", source)
            return runs

        one.runs = late  # type: ignore[method-assign]
        assert transfer(one, LedgerPlace(ledger)).n_new == 2


def test_a_name_is_a_folder_or_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(b"")
    (tmp_path / "is.db").mkdir()
    names: Mapping[str, bool] = {"new": True, "new.db": False, "odd": False, "is.db": True}
    for name, is_folder in names.items():
        assert (folder_of(tmp_path / name) is not None) == is_folder
    assert folder_of("postgresql://me@host/db") is None
    with pytest.raises(UsageError, match="the same ledger"):
        check_differs(tmp_path / "new.db", f"sqlite:///{tmp_path}/new.db")
    check_differs(tmp_path / "new.db", tmp_path / "other.db")
    with pytest.raises(StorageError, match="no such folder"), ExitStack() as stack:
        stack.enter_context(opened(tmp_path / "new", create=False))


def test_batches_are_bounded(tmp_path: Path) -> None:
    fill(tmp_path / "one.db", range(1200))
    move(tmp_path / "one.db", tmp_path / "folder")
    for location in ("one.db", "folder"):
        with opened(tmp_path / location, create=False) as place:
            assert _sizes(place) == [500, 500, 200]


def _sizes(place: Place) -> list[int]:
    batches: list[Sequence[SharedEvaluation]] = list(place.batches())
    return [len(batch) for batch in batches]
