"""The ledger in a file."""

import json
import math
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.errors import StorageError, UsageError
from tunesmith.history import Failure, FoldResult, Trial
from tunesmith.ledger import dialect
from tunesmith.ledger.ledger import Ledger
from tunesmith.space.parameter import canonical_json
from tunesmith.testing.ledger import (
    METRICS,
    LedgerContract,
    begin,
    made,
    result,
    tell,
    types_of,
)
from tunesmith.types import StopReason


class TestSQLite(LedgerContract):
    @pytest.fixture
    def location(self, tmp_path: Path) -> Path:
        return tmp_path / "ledger.db"


@pytest.mark.slow
class TestPostgreSQL(LedgerContract):
    @pytest.fixture
    def location(self, database: str) -> str:
        return database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger.open(path) as opened:
        yield opened


# -- properties -------------------------------------------------------------------------------

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"])).map(lambda text: f"x {text}")
SECONDS = st.floats(0, 1e9)
FOLDS = st.lists(
    st.builds(
        FoldResult,
        st.just(0),
        st.dictionaries(st.text(min_size=1), FINITE, min_size=1, max_size=3),
        fit_time_s=SECONDS,
        score_time_s=SECONDS,
    )
    | st.builds(
        FoldResult,
        st.just(0),
        st.just({}),
        fit_time_s=SECONDS,
        score_time_s=SECONDS,
        failure=st.builds(Failure, WORDS, WORDS, WORDS),
    ),
    min_size=1,
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(st.tuples(st.dictionaries(st.text(), JSON, max_size=3), FOLDS), min_size=1, max_size=4)
)
def test_whatever_is_recorded_is_loaded_but_for_the_order_of_names(
    ledger: Ledger, drawn: list[Any]
) -> None:
    head = ledger.begin_study(
        "s", "i", {}, context={}, metrics=METRICS, objectives=METRICS, restart=True
    )
    run = ledger.begin_run(head.id, {})
    completed = []
    for number, (params, drawn_folds) in enumerate(drawn):
        folds = [
            FoldResult(
                i, f.scores, fit_time_s=f.fit_time_s, score_time_s=f.score_time_s, failure=f.failure
            )
            for i, f in enumerate(drawn_folds)
        ]
        keys = [f"{number}-{fold.fold}" for fold in folds]
        trial = Trial(number, params, key=canonical_json(params), origin="tpe").completed(folds)
        ledger.record(
            head.id, run, results=dict(zip(keys, folds, strict=True)), completed=[(trial, keys)]
        )
        completed.append(trial)
    found = ledger.log(head.id).completed
    assert found == completed
    assert [types_of(t.params) for t in found] == [types_of(t.params) for t in completed]
    assert [written(t) for t in found] == [written(t) for t in completed]  # -0.0 is not 0.0


def written(trial: Trial) -> list[str]:
    return [repr(sorted(fold.scores.items())) for fold in trial.folds]


def test_half_characters_come_back(ledger: Ledger) -> None:
    # Python reads file names that are no UTF-8 into such texts.
    head, run = begin(ledger)
    params = {"file": "caf\udce9"}
    ledger.record(
        head.id, run, pending=[Trial(0, params, key=canonical_json(params), origin="grid")]
    )
    fold = FoldResult(0, {}, failure=Failure("OSError", "caf\udce9"))
    ledger.record(head.id, run, results={"k": fold})
    assert ledger.load().history[0].params == params
    failure = ledger.known(["k"])["k"].failure
    assert failure is not None
    assert failure.message == r"caf\udce9"


# -- the file ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["plain.db", "with space.db", "ünïcode ☃.db", "a#b?c%20d.db", "deep/er/l.db", "-.db"]
)
def test_any_path_works_and_resumes(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for location in (Path(name), name, tmp_path / name):
        with Ledger.open(location) as ledger:
            head, run = begin(ledger)
            tell(ledger, head, run, 0)
    assert (tmp_path / name).is_file()
    with Ledger.open(name, create=False) as ledger:
        assert len(ledger.load().runs) == 3


def test_a_sqlite_url_names_the_same_file(path: Path) -> None:
    with Ledger.open(f"sqlite:///{path}") as ledger:
        begin(ledger, "s")
    with Ledger.open(path, create=False) as ledger:
        assert ledger.load("s").runs


def test_the_state_folder_keeps_itself_out_of_git(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / ".tunesmith" / "ledger.db"), Ledger.open(tmp_path / "l.db"):
        pass
    assert (tmp_path / ".tunesmith" / ".gitignore").read_text() == "*\n"
    assert not (tmp_path / ".gitignore").exists()


def test_commits_do_not_wait_for_the_disk_and_readers_do_not_wait(ledger: Ledger) -> None:
    with ledger._reader.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_opening_to_read_makes_nothing(tmp_path: Path, path: Path) -> None:
    with pytest.raises(StorageError, match=str(path)):
        Ledger.open(path, create=False)
    with pytest.raises(StorageError, match="there is no ledger"):
        Ledger.open(f"sqlite:///{path}", create=False)
    assert list(tmp_path.iterdir()) == []
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")
    with pytest.raises(StorageError, match=r"nothing in it|it is empty"):
        Ledger.open(path, create=False)


def test_reading_does_not_wait_for_a_writer(path: Path, ledger: Ledger) -> None:
    head, run = begin(ledger)
    tell(ledger, head, run, 0)
    with ledger._writing(), Ledger.open(path, create=False) as other:
        began = time.monotonic()
        assert other.load().history.n_completed == 1
        assert time.monotonic() - began < 5


def test_a_deleted_file_is_noticed(path: Path, ledger: Ledger) -> None:
    head, run = begin(ledger)
    tell(ledger, head, run, 0)
    for file in path.parent.iterdir():
        file.unlink()
    with pytest.raises(StorageError, match=f"{path}.*deleted or replaced"):
        tell(ledger, head, run, 1)


def test_a_replaced_file_is_noticed(tmp_path: Path, path: Path, ledger: Ledger) -> None:
    head, run = begin(ledger)
    with Ledger.open(tmp_path / "other.db"):
        pass
    (tmp_path / "other.db").replace(path)
    with pytest.raises(StorageError, match="deleted or replaced"):
        tell(ledger, head, run, 0)


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_text("trial,score\n" * 500)
    with pytest.raises(StorageError, match=f"{path}.*not a database") as caught:
        Ledger.open(path)
    assert "If not, name another `ledger`" in str(caught.value)
    assert path.read_text() == "trial,score\n" * 500


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=str(tmp_path)):
        Ledger.open(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=str(tmp_path / "file")):
        Ledger.open(tmp_path / "file" / "ledger.db")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Makes the test's folder one that nobody can write, root included."""
    if os.geteuid() != 0:
        yield lambda: tmp_path.chmod(0o555)
        return tmp_path.chmod(0o755)

    def mount() -> None:
        for options in (["--bind"], ["-o", "remount,ro,bind"]):
            command = ["mount", *options, str(tmp_path), str(tmp_path)]
            if subprocess.run(command, capture_output=True).returncode != 0:
                pytest.skip("needs the right to mount")

    yield mount
    subprocess.run(["umount", str(tmp_path)], capture_output=True)
    return None


def test_a_ledger_that_nobody_can_write_is_read(path: Path, read_only: Callable[[], None]) -> None:
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        tell(ledger, head, run, 0)
    read_only()
    with Ledger.open(path, create=False) as ledger:
        assert ledger.load().history.n_completed == 1
        with pytest.raises(StorageError, match=rf"{path}.*readonly[\s\S]*name another `ledger`"):
            tell(ledger, head, run, 1)
    with pytest.raises(StorageError, match=r"name another `ledger`"):
        Ledger.open(path)
    with pytest.raises(StorageError, match=r"name another `ledger`"):
        Ledger.open(path.with_name("new.db"))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_locked_file_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "BUSY_TIMEOUT_MS", 50)
    with Ledger.open(path) as first, Ledger.open(path) as second:
        head, run = begin(first)
        with first._writing(), pytest.raises(StorageError, match=r"locked[\s\S]*Another program"):
            tell(second, head, run, 0)
        tell(second, head, run, 0)


def test_a_damaged_file_says_so(path: Path) -> None:
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        for number in range(50):
            tell(ledger, head, run, number)
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StorageError, match=str(path)), Ledger.open(path) as ledger:
        ledger.load()


def test_nothing_in_it_is_pickled(path: Path) -> None:
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        tell(ledger, head, run, 0)
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        cells = [
            cell
            for (table,) in tables.fetchall()
            for row in connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - our own names
            for cell in row
        ]
    assert {type(cell) for cell in cells} <= {str, int, float, type(None)}


# -- secrets ----------------------------------------------------------------------------------


def test_no_secret_reaches_the_file(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    awkward, token = 'qu"ote\\canary-1', "ghp_" + "canary" * 6
    monkeypatch.setenv("DB_PASSWORD", awkward)
    texts = [awkward, token, "postgresql://ann:canary-2@db/x?password=canary-3"]
    with Ledger.open(path) as ledger:
        definition = {"ledger": texts[-1], "list": [{"deep": token}]}
        head = ledger.begin_study(
            "s", "i", definition, context={}, metrics=METRICS, objectives=METRICS
        )
        run = ledger.begin_run(head.id, {"texts": texts, "deep": {"er": [texts]}})
        for number, text in enumerate(texts):
            failure = Failure("ValueError", f"cannot log in: {text}", f"line 1\n{text}")
            ledger.record(
                head.id,
                run,
                results={
                    f"k{number}": FoldResult(0, {}, fit_time_s=0, score_time_s=0, failure=failure)
                },
            )
        assert ledger.load("s").runs[0].provenance["texts"][0] == "[redacted]"
        content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"cannot log in" in content
    assert b"canary" not in content
    assert b"ann:" not in content


def test_no_secret_of_a_program_reaches_the_file(tmp_path: Path, path: Path) -> None:
    # A variable that the study sets, and the value of an option, whose form says nothing.
    objective = {
        "command": ["train.py", "--api-key", "canary-of-7", "--layers", "canary-free"],
        "environment": {"set": {"DB_PASS": "canary four", "MODE": "fast"}},
    }
    definition = {"file": {"objective": objective, "note": "by canary four"}}
    with Ledger.open(path) as ledger:
        head = ledger.begin_study(
            "s", "i", definition, context={}, metrics=METRICS, objectives=METRICS
        )
        ledger.begin_run(head.id, {"definition": definition})
        ledger.end_run(1, StopReason.of_criterion("done"), 0, 0, 0)
        kept = ledger.load("s", like=definition).head.definition["file"]["objective"]
        content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert kept["command"][2:] == ["[redacted]", "--layers", "canary-free"]
    assert kept["environment"]["set"] == {"DB_PASS": "[redacted]", "MODE": "fast"}
    assert b"canary four" not in content
    assert b"canary-of" not in content


def test_redaction_leaves_the_structure_alone(ledger: Ledger) -> None:
    # Taken as one text, the two values look like one URL with a login.
    provenance = {"a": "see https://x", "b": "mail c@d.example", "definition": {}}
    head, _ = begin(ledger)
    ledger.begin_run(head.id, provenance)
    assert ledger.load().runs[-1].provenance == provenance


def test_variables_of_the_environment_do_not_change_a_definition(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENIZER", "bert-base-uncased")
    definition = {"start": [["start_with", {"model": "bert-base-uncased"}]]}
    head = ledger.begin_study("s", "i", definition, context={}, metrics=METRICS, objectives=METRICS)
    assert head.definition == definition


@pytest.mark.parametrize(
    "location",
    [
        "postgresql://ann:canary@localhost:1/x",
        "postgresql://ann:canary@/x?host=/nowhere",
        "postgresql+psycopg://ann@localhost:1/x?password=canary",
        "mysql://ann:canary@localhost/x",
        "nonsense://ann:canary@localhost/x",
        "://canary",
    ],
)
def test_messages_never_show_a_password(location: str) -> None:
    with pytest.raises((StorageError, UsageError)) as caught:
        Ledger.open(location)
    assert "canary" not in str(caught.value)
    assert "ledger" in str(caught.value)


# -- faults -----------------------------------------------------------------------------------

KILLS = """
import json, os, random, signal, sqlite3, sys, time
from contextlib import closing
from pathlib import Path
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.ledger import begin, made, result, keys_of

path, truth = Path(sys.argv[1]), Path(sys.argv[2])

def work():
    out = os.open(truth, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    def acknowledge(line):
        os.write(out, (line + "\\n").encode())
        os.fsync(out)
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        number = len(ledger.log(head.id).completed)
        acknowledge("ready")
        while True:
            trial, keys = made(number), keys_of(head.name, number)
            ledger.record(head.id, run, pending=[trial])
            known = ledger.known(keys)
            for fold, key in enumerate(keys):
                if key not in known:
                    known[key] = result(fold, score=1 / (number + fold + 1))
                    ledger.record(head.id, run, results={key: known[key]})
                    acknowledge("key " + key)
            ledger.record(head.id, run, completed=[(trial.completed(list(known.values())), keys)])
            acknowledge(f"told {number}")
            number += 1

def lines():
    return truth.read_text().split("\\n")[:-1] if truth.exists() else []

def n_keys():
    return sum(line.startswith("key ") for line in lines())

chance, lost, slowest = random.Random(int(sys.argv[3])), [], 0.0
for _ in range(15):
    before, began = lines().count("ready"), time.monotonic()
    child = os.fork()
    if child == 0:
        work()
    while lines().count("ready") == before:
        assert os.waitpid(child, os.WNOHANG) == (0, 0), "the writer ended by itself"
        time.sleep(0.001)
    slowest = max(slowest, time.monotonic() - began)
    # Counted in keys: on a busy machine, a moment holds none.
    enough = n_keys() + chance.randint(0, 6)
    while n_keys() < enough:
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 0.01))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    # Read only: another connection would empty the log and remove it when it closes.
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with Ledger.open(path, create=False) as ledger:
        keys = [line[4:] for line in lines() if line.startswith("key ")]
        told = [int(line[5:]) for line in lines() if line.startswith("told ")]
        lost += set(keys) - ledger.known(keys).keys()
        history = ledger.load("study").history
        lost += set(told) - {trial.number for trial in history.completed}
        assert all(len(t.folds) == 3 for t in history.completed)
print(json.dumps({"keys": len(keys), "twice": len(keys) - len(set(keys)),
                  "told": len(told), "lost": lost, "slowest_s": slowest}))
"""


@pytest.mark.slow
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(tmp_path / "l.db"), str(tmp_path / "truth"), "3"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["lost"] == []
    assert found["twice"] == 0
    assert found["keys"] > 10
    assert found["slowest_s"] < 20  # waiting for a dead process's lock takes 30


LIMITED = """
import json, resource, signal, sys
from tunesmith.errors import StorageError
from tunesmith.ledger.ledger import Ledger
from tunesmith.testing.ledger import begin, tell

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[2])
with Ledger.open(sys.argv[1]) as ledger:
    head, run = begin(ledger)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    number, message = 0, ""
    while not message:
        try:
            tell(ledger, head, run, number)
            number += 1
        except StorageError as error:
            message = str(error)
    seen = ledger.load("study").history.n_completed
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    for later in range(number, number + 5):
        tell(ledger, head, run, later)
    print(json.dumps([message, number, seen, ledger.load("study").history.n_completed]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("limit_kib", [100, 301])
def test_a_file_size_limit_stops_with_the_path_and_damages_nothing(
    path: Path, limit_kib: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), str(limit_kib * 1024)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    message, n_acknowledged, n_seen, n_after = json.loads(done.stdout)
    assert str(path) in message
    assert "what was recorded is intact" in message
    assert n_acknowledged > 0
    assert (n_seen, n_after) == (n_acknowledged, n_acknowledged + 5)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_stops_with_the_path_and_resumes(tiny_disk: Path) -> None:
    ballast, path = tiny_disk / "ballast", tiny_disk / "ledger.db"
    ballast.write_bytes(bytes(200 * 1024))
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        with pytest.raises(StorageError) as caught:  # noqa: PT012 - which one is the last, is open
            for number in range(10_000):
                tell(ledger, head, run, number)
        assert str(path) in str(caught.value)
        assert "Free some space and run again" in str(caught.value)
        assert number > 0
        assert ledger.load().history.n_completed == number
        ballast.unlink()
        tell(ledger, head, run, number)
    with Ledger.open(path, create=False) as ledger:
        assert ledger.load().history.n_completed == number + 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# -- cost -------------------------------------------------------------------------------------


def statements(ledger: Ledger, action: Any) -> int:
    from sqlalchemy import event

    found: list[str] = []
    listener = lambda _c, _k, text, *_rest: found.append(text)  # noqa: E731
    event.listen(ledger._engine, "before_cursor_execute", listener)
    action()
    event.remove(ledger._engine, "before_cursor_execute", listener)
    return len(found)


def test_the_cost_of_a_trial_does_not_grow(ledger: Ledger) -> None:
    head, run = begin(ledger)
    counts, steps = [], []
    for n in (100, 2000):
        results = {f"{k:032x}": result(k % 3) for k in range(3 * n)}
        keys = list(results)
        completed = [
            (made(k).completed([result(f) for f in range(3)]), keys[3 * k : 3 * k + 3])
            for k in range(n)
        ]
        ledger.record(head.id, run, results=results, completed=completed)
        counts.append(statements(ledger, lambda n=n: tell(ledger, head, run, n)))
        steps.append(virtual_steps(ledger, lambda n=n: tell(ledger, head, run, n + 1)))
    assert counts[0] == counts[1] <= 6
    # Steps of SQLite's virtual machine: a tree of a few more levels, not a scan.
    assert steps[1] <= steps[0] * 1.5


def virtual_steps(ledger: Ledger, action: Any) -> int:
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    with ledger._reader.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(count, 1)
    action()
    driver.set_progress_handler(None, 0)
    assert steps[0] > 0
    return steps[0]


def test_scores_are_exact(ledger: Ledger) -> None:
    head, run = begin(ledger)
    scores = {str(k): math.nextafter(0.1 * k, 1) for k in range(200)}
    ledger.record(head.id, run, results={"k": FoldResult(0, scores)})
    assert ledger.known(["k"])["k"].scores == scores
