"""The contract of ledgers on any database.

Subclass ``LedgerContract`` and override its ``location`` fixture to test a database.
"""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tunesmith.errors import StorageError, UsageError
from tunesmith.history import FURTHER, HOLDOUT, Failure, FoldResult, History, Metric, Trial
from tunesmith.ledger import integrity, standing
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.queries import NOT_RESULTS
from tunesmith.ledger.records import StudyHead, StudyRecord
from tunesmith.ledger.rows import CHECKED, checksum
from tunesmith.ledger.stored_history import StoredHistory
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params, State, StopReason

ACCURACY = Metric("accuracy")
LOSS = Metric("loss", "minimize")
METRICS = (ACCURACY, LOSS)
N_FOLDS = 3
AWKWARD: Params = {
    "text": "naïve ☃ 𝔘 'quoted' \"twice\" \\ \n\t\x00 \u2028",
    "nested": {"list": [1, [2.5, None], {"deep": {"": True}}], "empty": {}},
    "tiny": 5e-324,
    "huge": 1.7976931348623157e308,
    "third": 1 / 3,
    "minus_zero": -0.0,
    # Beyond the whole numbers of any of these databases.
    "integer": 2**70,
    # Equal to Python, and three values in JSON.
    "one": 1,
    "one_as_float": 1.0,
    "yes": True,
    "nothing": None,
}
# PostgreSQL takes no null character in a text.
FAILURE = Failure("ValueError", "no ☃ in\x00 column 'a'", 'File "train.py", line 3\n  boom')

# A process of its own, because SQLite's locks on files are held by processes.
WRITERS = """
import os, sys, traceback
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.ledger import begin, tell
location, n, *names = sys.argv[1:]

def write(name):
    with Ledger.open(location) as ledger:
        head, run = begin(ledger, name)
        for number in range(int(n)):
            tell(ledger, head, run, number)

def forked(name):
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.close(hold)
        os.read(go, 1)
        write(name)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)

# All wait for the end of this pipe, so that they begin at the same moment.
go, hold = os.pipe()
processes = []
for name in names:
    processes.append(forked(name))
os.close(hold)
sys.exit(any(os.waitpid(process, 0)[1] for process in processes))
"""

RIVAL = """
import sys
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.ledger import begin, result
location, name, step = sys.argv[1:]
with Ledger.open(location) as ledger:
    head, run = begin(ledger, name)
    for group in range(20):
        keys = [f"{group}-{n}" for n in range(50)][:: int(step)]
        ledger.record(head.id, run, results={key: result(0) for key in keys})
        assert ledger.known(keys).keys() == set(keys)
"""


class LedgerContract:
    """Tests of a ledger on one kind of database: override ``location``."""

    @pytest.fixture
    def location(self, tmp_path: Path) -> str | Path:
        """Return the location of a new ledger for one test."""
        raise NotImplementedError

    @pytest.fixture
    def ledger(self, location: str | Path) -> Iterator[Ledger]:
        """Yield a new open ledger."""
        with Ledger.open(location) as opened:
            yield opened

    # -- studies and runs --------------------------------------------------------------------

    def test_a_study_comes_back_as_it_was_given(self, ledger: Ledger, location: str | Path) -> None:
        context = {"data": "d1", "ünï": "☃"}
        made = ledger.begin_study(
            "s", "i1", AWKWARD, context=context, metrics=METRICS, objectives=METRICS[:1]
        )
        assert (made.name, made.generation, made.identity, made.is_new) == ("s", 1, "i1", True)
        run = ledger.begin_run(made.id, {"seed": 1, "definition": dict(AWKWARD)})
        reason = StopReason.of_criterion("3 trials ☃")
        ledger.end_run(run, reason, 8, 1, 4)
        with Ledger.open(location, create=False) as again:
            record = again.load("s")
        assert record.head.definition == record.definition == AWKWARD
        assert record.head.context == context
        assert record.metrics == METRICS
        assert record.objectives == METRICS[:1]
        (only,) = record.runs
        counts = (only.n_evaluated, only.n_reused, only.n_fits)
        assert (only.stopped_by, counts) == (reason, (8, 1, 4))
        assert only.started <= str(only.ended)

    def test_an_identity_is_taken_up_again(self, ledger: Ledger) -> None:
        first, _ = begin(ledger, "s", "i1")
        again = ledger.begin_study(
            "s", "i1", {"x": 2}, context={}, metrics=METRICS, objectives=METRICS
        )
        assert (again.id, again.is_new) == (first.id, False)
        second, _ = begin(ledger, "s", "i2")
        assert (second.generation, second.is_new) == (2, True)
        assert begin(ledger, "s", "i1")[0].id == first.id
        assert begin(ledger, "other", "i1")[0].generation == 1

    def test_restart_begins_anew_and_goes_on_there(self, ledger: Ledger) -> None:
        first, run = begin(ledger, "s", "i1")
        anew = ledger.begin_study(
            "s", "i1", {}, context={}, metrics=METRICS, objectives=METRICS, restart=True
        )
        assert (anew.generation, anew.is_new, anew.since_run) == (2, True, run + 1)
        again = ledger.begin_study("s", "i1", {}, context={}, metrics=METRICS, objectives=METRICS)
        assert (again.id, again.since_run) == (anew.id, run + 1)
        assert first.since_run is None

    def test_the_series_that_ran_last_is_the_present_one(self, ledger: Ledger) -> None:
        assert ledger.previous("s") is None
        first, _ = begin(ledger, "s", "i1")
        begin(ledger, "s", "i2")
        begin(ledger, "s", "i1")
        begin(ledger, "a", "i3")
        previous = ledger.previous("s")
        assert previous is not None
        assert previous.id == ledger.load("s").head.id == first.id
        assert [head.name for head in ledger.studies()] == ["a", "s"]
        assert ledger.load().head.name == "a"

    def test_the_series_of_a_definition_goes_before_the_last_one(self, ledger: Ledger) -> None:
        """Two branches of a repository share the ledger of its folder."""
        narrow, wide = ({"file": {"search": {}}, "space": {"boxes": [n]}} for n in (1, 2))
        for identity, definition in (("i1", narrow), ("i2", wide)):
            head = ledger.begin_study(
                "s", identity, definition, context={}, metrics=METRICS, objectives=METRICS
            )
            ledger.begin_run(head.id, {})
        assert ledger.load("s").head.identity == "i2"
        assert ledger.load("s", like=narrow | {"start": []}).head.identity == "i1"
        assert ledger.load("s", like={**narrow, "space": {}}).head.identity == "i2"

    def test_a_search_of_nested_cross_validation_is_found_by_its_name_alone(
        self, ledger: Ledger
    ) -> None:
        begin(ledger, "s")
        outer = ledger.begin_study(
            "s.outer0", "i", {"outer": {}}, context={}, metrics=METRICS, objectives=METRICS
        )
        ledger.begin_run(outer.id, {})
        assert ledger.load().head.name == "s"
        assert ledger.load("s.outer0").head.id == outer.id

    def test_a_missing_study_is_named_with_those_that_exist(self, ledger: Ledger) -> None:
        with pytest.raises(UsageError, match="tunesmith run"):
            ledger.load()
        begin(ledger, "churn")
        with pytest.raises(UsageError, match=r"no study `chrun`.*Did you mean `churn`"):
            ledger.load("chrun")

    # -- trials and evaluations --------------------------------------------------------------

    def test_the_holdout_stands_apart_from_the_folds(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        tell(ledger, head, run, 0)
        for score in (0.25, 0.75):
            unseen = result(HOLDOUT, score)
            ledger.record_holdout(head.id, run, number=0, key=f"unseen {score}", result=unseen)
            record = ledger.load(head.name)
            assert record.holdout == {0: unseen}
        assert [fold.fold for fold in record.history[0].folds] == list(range(N_FOLDS))
        assert ledger.known(["unseen 0.25"])["unseen 0.25"].scores["accuracy"] == 0.25

    def test_further_splits_stand_apart_from_the_folds(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        for number in (0, 1):
            tell(ledger, head, run, number)
        further = {f"further {place}": result(FURTHER - place, place / 4) for place in range(3)}
        links = [(1, fold.fold, key) for key, fold in further.items()]
        # Evaluations may have been recorded before anybody knew whose they are.
        ledger.record_apart(head.id, run, [], dict(list(further.items())[:1]))
        for _ in range(2):
            ledger.record_apart(head.id, run, links, further)
            record = ledger.load(head.name)
            assert record.further == {1: tuple(further.values())}
        assert [fold.fold for fold in record.history[1].folds] == list(range(N_FOLDS))

    def test_trials_come_back_as_they_were_completed(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        folds = [
            FoldResult(
                f,
                {"accuracy": 1 / (f + 3), "loss": -5e-324},
                fit_time_s=0.1,
                score_time_s=1e-9,
                failure=None,
                n_sharing=f + 1,
                warning="UserWarning: ☃" * f,
            )
            for f in (0, 1)
        ]
        good = Trial(0, AWKWARD, key=canonical_json(AWKWARD), origin="start_with").completed(folds)
        failed = [folds[0], FoldResult(1, {}, failure=FAILURE)]
        bad = Trial(1, {}, key="{}", origin="tpe").completed(failed)
        results = {"k0": folds[0], "k1": folds[1], "k2": failed[1]}
        completed = [(good, ["k0", "k1"]), (bad, ["k0", "k2"])]
        ledger.record(head.id, run, pending=[], results=results, completed=completed)
        trials = list(ledger.load(head.name).history)
        assert trials[0] == good
        assert types_of(trials[0].params) == types_of(good.params)
        assert [t.state for t in trials] == [State.COMPLETE, State.FAILED]
        reason = trials[1].failure
        assert reason is not None
        assert reason == Failure(FAILURE.kind, "no ☃ in column 'a'", FAILURE.traceback)
        assert list(ledger.log(head.id).completed) == trials

    @pytest.mark.parametrize("n_objectives", [1, 2])
    @pytest.mark.parametrize("seed", range(4))
    def test_the_database_tells_what_the_whole_history_tells(
        self, ledger: Ledger, seed: int, n_objectives: int
    ) -> None:
        draw = Random(seed)  # noqa: S311 - for a test
        head = begin_with(ledger, n_objectives)
        run = ledger.begin_run(head.id, {})
        for number in range(12):
            tell_some(ledger, head, run, number, draw)
        ledger.record(head.id, run, pending=[made(12), made(13)])
        whole, stored = ledger.load(), ledger.load(is_whole=False)
        ledger.close()
        check_same(whole, stored)

    def test_a_history_with_a_gap_or_lost_standing_is_read_whole(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        for number in (0, 1, 3):
            tell(ledger, head, run, number)
        assert list(ledger.load(is_whole=False).history) == list(ledger.load().history)
        tell(ledger, head, run, 2)
        assert type(ledger.load(is_whole=False).history) is StoredHistory
        with ledger._writing() as connection:
            connection.exec_driver_sql("DELETE FROM standing WHERE number = 1")
        assert type(ledger.load(is_whole=False).history) is History
        with ledger._writing() as connection:
            standing.rebuild(connection)
        check_same(ledger.load(), ledger.load(is_whole=False))

    def test_a_view_stays_as_it_was_while_a_run_goes_on(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        tell(ledger, head, run, 0)
        ledger.record(head.id, run, pending=[made(1)])
        whole, stored = ledger.load(), ledger.load(is_whole=False)
        tell(ledger, head, run, 1)
        tell(ledger, head, run, 2)
        check_same(whole, stored)

    def test_folds_come_back_in_fold_order(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        results = {f"k{f}": result(f, score=f / 10) for f in (2, 0, 1)}
        trial = made(0).completed(list(results.values()))
        ledger.record(head.id, run, results=results, completed=[(trial, ["k0", "k1", "k2"])])
        (loaded,) = ledger.load(head.name).history
        assert [fold.fold for fold in loaded.folds] == [0, 1, 2]
        assert loaded.scores("accuracy").tolist() == [0.0, 0.1, 0.2]

    def test_recording_twice_is_recording_once(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        for _ in range(2):
            tell(ledger, head, run, 0)
        before = ledger.load(head.name)
        tell(ledger, head, run, 0)
        assert list(ledger.load(head.name).history) == list(before.history)

    def test_what_comes_together_is_kept_together_or_not_at_all(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        trial = made(0).completed([result(0)])
        with pytest.raises(StorageError):
            ledger.record(
                head.id,
                run,
                results={"k0": result(0)},
                completed=[(trial, ["k0", "never recorded"])],
            )
        with pytest.raises(ValueError, match="JSON"):
            ledger.record(
                head.id, run, results={"k0": result(0), "k1": result(1, score=float("nan"))}
            )
        assert ledger.known(["k0", "k1"]) == {}
        assert len(ledger.load(head.name).history) == 0

    def test_resuming_goes_on_after_the_completed_prefix(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        for number in (0, 1, 3):
            tell(ledger, head, run, number)
        ledger.record(head.id, run, pending=[made(2), made(4), made(6)])
        log = ledger.log(head.id)
        assert [trial.number for trial in log.completed] == [0, 1]
        assert len(log.trials) == 2
        history = ledger.load(head.name).history
        assert history.n_completed == 2
        assert [trial.number for trial in history.pending] == [2, 3, 4]
        assert all(trial.state is State.RUNNING for trial in history.pending)

    def test_a_pending_trial_may_be_proposed_again(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        ledger.record(head.id, run, pending=[made(0)])
        ledger.record(head.id, run, pending=[Trial(0, {"n": 9}, key='{"n":9}', origin="grid")])
        (loaded,) = ledger.load(head.name).history
        assert (loaded.params, loaded.key, loaded.origin) == ({"n": 9}, '{"n":9}', "grid")

    def test_what_a_trial_proposed_is_kept_beside_what_it_found(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        ledger.record(head.id, run, pending=[made(0)])
        better = Trial(
            0, {"n": 9}, key='{"n":9}', origin="grid", proposed=made(0).params, n_points=7
        )
        completed = better.completed([result(0)])
        ledger.record(head.id, run, results={"k": result(0)}, completed=[(completed, ["k"])])
        log = ledger.log(head.id)
        assert log.completed == [completed]
        assert (log.trials[0].params, log.trials[0].key) == (made(0).params, made(0).key)
        assert log.view().has(made(0).key)
        assert log.view().has('{"n":9}')

    def test_forgetting_drops_pending_trials_alone(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        other, _ = begin(ledger, "other")
        tell(ledger, head, run, 0)
        for study in (head, other):
            ledger.record(study.id, run, pending=[made(1), made(2)], results={"ahead": result(0)})
        ledger.forget_pending(head.id, 1)
        assert len(ledger.load(head.name).history) == 1
        assert "ahead" in ledger.known(["ahead"])
        ledger.forget_pending(head.id, 0)
        assert len(ledger.load(head.name).history) == 1
        ledger.record(other.id, run, pending=[made(0)])
        assert len(ledger.load("other").history) == 3

    # -- known results -----------------------------------------------------------------------

    def test_any_number_of_keys_can_be_asked_for(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        # More keys than older versions of SQLite take as parameters of a statement (999).
        results = {f"{k:032x}": result(k % 5, score=k / 7) for k in range(1200)}
        ledger.record(head.id, run, results=results)
        keys = [*results, *(f"unknown{k}" for k in range(1200))]
        assert ledger.known(iter(keys)) == results
        assert ledger.known([]) == {}

    def test_failures_count_as_known_unless_they_say_nothing(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        results = {
            kind: FoldResult(0, {}, failure=Failure(kind, "…"))
            for kind in ("ValueError", "nan", *NOT_RESULTS)
        }
        ledger.record(head.id, run, results=results)
        assert ledger.known(results).keys() == {"ValueError", "nan"}

    @pytest.mark.parametrize("kind", NOT_RESULTS)
    def test_a_time_out_never_takes_a_result_away(self, ledger: Ledger, kind: str) -> None:
        head, run = begin(ledger)
        timeout = FoldResult(0, {}, failure=Failure(kind, "…"))
        ledger.record(head.id, run, results={"k": timeout})
        ledger.record(head.id, run, results={"k": result(0)})
        ledger.record(head.id, run, results={"k": timeout})
        ledger.record(head.id, ledger.begin_run(head.id, {}), results={"k": timeout})
        assert ledger.known(["k"]) == {"k": result(0)}

    def test_what_a_run_recorded_first_stays(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        ledger.record(head.id, run, results={"k": result(0, score=0.25)})
        ledger.record(head.id, run, results={"k": result(0, score=0.75)})
        assert ledger.known(["k"]) == {"k": result(0, score=0.25)}

    def test_later_runs_never_change_a_completed_trial(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        timeout = FoldResult(1, {}, failure=Failure("timeout", "…"))
        first = {"k0": result(0, score=0.25), "k1": timeout}
        trial = made(0).completed(list(first.values()))
        ledger.record(head.id, run, results=first, completed=[(trial, ["k0", "k1"])])

        anew, later = begin(ledger, head.name, "another")
        second = {"k0": result(0, score=0.75), "k1": result(1, score=0.5)}
        completed = made(0).completed(list(second.values()))
        ledger.record(anew.id, later, results=second, completed=[(completed, ["k0", "k1"])])

        assert list(ledger.log(head.id).completed) == [trial]
        assert list(ledger.log(anew.id).completed) == [completed]
        assert ledger.known(["k0", "k1"]) == second
        assert ledger.known(["k0"], since_run=later) == {"k0": second["k0"]}
        assert ledger.known(["k0"], since_run=later + 1) == {}

    def test_reused_evaluations_are_those_that_were_known(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        ledger.record(head.id, run, results={"k": result(0, score=0.25)})
        other, later = begin(ledger, "other")
        known = ledger.known(["k"])
        # Another run's time-out comes in between: it is newer, but holds no score.
        timeout = FoldResult(0, {}, failure=Failure("timeout", "…"))
        ledger.record(head.id, ledger.begin_run(head.id, {}), results={"k": timeout})
        ledger.record(other.id, later, completed=[(made(0).completed([known["k"]]), ["k"])])
        (trial,) = ledger.load("other").history
        assert trial.folds == (result(0, score=0.25),)

    # -- copies, readers, other processes ----------------------------------------------------

    def test_what_is_given_back_is_the_callers_own(self, ledger: Ledger) -> None:
        head, run = begin(ledger)
        scores: dict[str, float] = {"accuracy": 0.5}
        params: dict[str, Any] = {"list": [1, 2]}
        fold = FoldResult(0, scores)
        trial = Trial(0, params, key=canonical_json(params), origin="tpe").completed([fold])
        ledger.record(head.id, run, results={"k": fold}, completed=[(trial, ["k"])])
        scores["accuracy"] = 0.0
        params["list"].append(3)
        for _ in range(2):
            (loaded,) = ledger.load(head.name).history
            assert loaded.params == {"list": [1, 2]}
            assert loaded.folds[0].scores == {"accuracy": 0.5}
            dict.clear(loaded.params)  # type: ignore[arg-type]
            dict.clear(loaded.folds[0].scores)  # type: ignore[arg-type]

    def test_a_reader_sees_whole_trials_while_another_writes(
        self, ledger: Ledger, location: str | Path
    ) -> None:
        head, run = begin(ledger)
        done, seen, errors = threading.Event(), [0], list[BaseException]()

        def read() -> None:
            try:
                while not done.is_set():
                    with Ledger.open(location, create=False) as reading:
                        history = reading.load(head.name).history
                    assert all(len(trial.folds) == N_FOLDS for trial in history.completed)
                    assert history.n_completed >= seen[-1]
                    seen.append(history.n_completed)
            except BaseException as error:  # noqa: BLE001 - shown by the test
                errors.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        for number in range(60):
            tell(ledger, head, run, number)
        done.set()
        thread.join()
        assert errors == []
        assert ledger.load(head.name).history.n_completed == 60

    @pytest.mark.slow
    def test_processes_that_open_a_new_ledger_at_once_all_get_on(
        self, location: str | Path
    ) -> None:
        names = [f"s{i}" for i in range(8)]
        done = subprocess.run(  # noqa: S603 - our own interpreter and text
            [sys.executable, "-c", WRITERS, str(location), "3", *names],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        with Ledger.open(location, create=False) as ledger:
            assert [head.name for head in ledger.studies()] == names
            assert all(ledger.load(name).history.n_completed == 3 for name in names)

    @pytest.mark.slow
    def test_processes_that_record_the_same_are_in_nobodys_way(
        self, ledger: Ledger, location: str | Path
    ) -> None:
        # In opposite orders: a database that locks row by row must not come to a standstill.
        processes = [
            subprocess.Popen(  # noqa: S603 - our own interpreter and text
                [sys.executable, "-c", RIVAL, str(location), name, step], stderr=subprocess.PIPE
            )
            for name, step in (("forwards", "1"), ("backwards", "-1"))
        ]
        errors = [process.communicate(timeout=120)[1].decode() for process in processes]
        assert [process.returncode for process in processes] == [0, 0], errors
        assert len(ledger.known(f"{g}-{n}" for g in range(20) for n in range(50))) == 1000


# -- making trials ----------------------------------------------------------------------------


def begin(ledger: Ledger, name: str = "study", identity: str = "i") -> tuple[StudyHead, int]:
    """A study and a run of it."""
    head = ledger.begin_study(
        name, identity, {}, context={}, metrics=METRICS, objectives=METRICS[:1]
    )
    return head, ledger.begin_run(head.id, {"definition": {}})


def made(number: int) -> Trial:
    """A running trial."""
    params = {"n": number}
    return Trial(number, params, key=canonical_json(params), origin="tpe")


def result(fold: int, score: float = 0.5) -> FoldResult:
    """A good result."""
    return FoldResult(
        fold, {"accuracy": score, "loss": 1 - score}, fit_time_s=0.1, score_time_s=0.01
    )


def keys_of(name: str, number: int) -> list[str]:
    """Evaluation keys of a trial's folds."""
    return [f"{name}-{number}-{fold}" for fold in range(N_FOLDS)]


def tell(ledger: Ledger, head: StudyHead, run: int, number: int) -> Sequence[str]:
    """Ask, evaluate and tell one trial, in one transaction; returns its keys."""
    keys, trial = keys_of(head.name, number), made(number)
    results: Mapping[str, FoldResult] = {
        key: result(fold, score=1 / (number + fold + 1)) for fold, key in enumerate(keys)
    }
    completed = [(trial.completed(list(results.values())), keys)]
    ledger.record(head.id, run, pending=[trial], results=results, completed=completed)
    return keys


def forge_ledger(path: Path, statement: str, values: Sequence[Any] = ()) -> None:
    """Change a closed ledger and its checksums, as a forger would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)
        for table in CHECKED:
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            query = f"SELECT rowid, * FROM {table}"  # noqa: S608 - our own names
            for rowid, *row in connection.execute(query).fetchall():
                right = checksum(table, dict(zip(names, row, strict=True)))
                text = f"UPDATE {table} SET checksum = ? WHERE rowid = ?"  # noqa: S608
                connection.execute(text, (right, rowid))
    # The file as a whole has a checksum, too, which is written anew.
    content = path.read_bytes()
    path.unlink()
    integrity.write_new(path, content)


def types_of(value: Any) -> Any:
    """Return the types in a JSON value, by which 1, 1.0 and true differ."""
    if isinstance(value, Mapping):
        return {name: types_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return [types_of(item) for item in value]
    return type(value)


def begin_with(ledger: Ledger, n_objectives: int) -> StudyHead:
    """Begin a study in which the first metrics decide."""
    return ledger.begin_study(
        "s", "i", {}, context={}, metrics=METRICS, objectives=METRICS[:n_objectives]
    )


def tell_some(ledger: Ledger, head: StudyHead, run: int, number: int, draw: Random) -> None:
    """Record a trial that may fail, be pruned, or score as others did."""
    state = draw.choice(["complete", "complete", "complete", "failed", "raced"])
    # Few different scores, so that there are ties; sums of thirds differ in their last bits.
    folds = [
        FoldResult(
            fold,
            {"accuracy": draw.randrange(3) / 3, "loss": draw.choice([-0.0, 0.0, 1 / 3])},
            fit_time_s=draw.random(),
            parts=draw.choice(["", "0abc{|}~"]),
        )
        for fold in range(N_FOLDS if state != "raced" or number == 0 else 2)
    ]
    if state == "failed":
        folds[1] = FoldResult(1, {}, failure=FAILURE)
    keys = [f"{number}-{fold.fold}" for fold in folds]
    trial = made(number).completed(folds, N_FOLDS)
    results = dict(zip(keys, folds, strict=True))
    ledger.record(head.id, run, results=results, completed=[(trial, keys)])


def check_same(whole: StudyRecord, stored: StudyRecord) -> None:
    """Check that a stored history answers as the whole one, without being read whole."""
    one, other = whole.history, stored.history
    assert isinstance(other, StoredHistory)
    for name in ("n_completed", "n_failed", "n_pruned", "most_folds", "all_count", "objectives"):
        assert getattr(one, name) == getattr(other, name), name
    assert (len(one), one.pending, one.best()) == (len(other), other.pending, other.best())
    assert one.front() == other.front()
    assert list(one.up_to(5)) == list(other.up_to(5))
    assert [one[n] for n in (0, -1)] == [other[n] for n in (0, -1)]
    assert whole.outdated == stored.outdated
    assert other._held is None
    # Everything else is read whole, once.
    assert list(one) == list(other)
    assert one.n_evaluations == other.n_evaluations
