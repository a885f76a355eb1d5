import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tunesmith.errors import UsageError
from tunesmith.ledger.dialect import address, engine_of, file_of, readable, reader, sealed


@pytest.mark.parametrize("location", ["postgresql://a@b/c", "postgres://a@b/c"])
def test_the_driver_is_filled_in(location: str) -> None:
    assert address(location).drivername == "postgresql+psycopg"


def test_a_driver_that_is_named_stays() -> None:
    assert address("postgresql+pg8000://a@b/c").drivername == "postgresql+pg8000"


@pytest.mark.parametrize("location", ["mysql://a:b@c/d", "oracle://x", "redis://x"])
def test_other_databases_are_refused_with_the_way_out(location: str) -> None:
    with pytest.raises(UsageError, match=r"cannot live in (mysql|oracle|redis)[\s\S]*sqlite://"):
        address(location)


def test_a_path_is_a_file_and_a_server_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert file_of(address("l.db")) == file_of(address(Path("l.db"))) == tmp_path / "l.db"
    assert file_of(address("sqlite:////x/l.db")) == Path("/x/l.db")
    assert file_of(address("sqlite://")) is None
    assert file_of(address("postgresql://a/b")) is None


def test_addresses_are_shown_without_login() -> None:
    shown = readable(address("postgresql://ann:canary@db:5432/x?password=canary&sslmode=require"))
    assert "canary" not in shown
    assert "ann" not in shown
    assert "db:5432/x" in shown
    assert "sslmode=require" in shown


@pytest.mark.parametrize("name", ["plain.db", "a#b?c%20d.db", "ünï ☃.db"])
def test_a_sealed_file_is_read_and_nothing_else(tmp_path: Path, name: str) -> None:
    url = address(tmp_path / name)
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER)")
    engine.dispose()
    engine = engine_of(sealed(url))
    with reader(engine).connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM t").fetchall() == []
    engine.dispose()
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_readers_view_does_not_change(tmp_path: Path) -> None:
    check_view(str(tmp_path / "l.db"))


@pytest.mark.slow
def test_a_readers_view_does_not_change_on_a_server(database: str) -> None:
    check_view(database)


def check_view(location: str) -> None:
    engine = engine_of(address(location))
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as raw:
            raw.cursor().execute("PRAGMA journal_mode = WAL")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER)")
    with reader(engine).connect() as reading:
        assert reading.execute(text("SELECT count(*) FROM t")).scalar() == 0
        with engine.begin() as writing:
            writing.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert reading.execute(text("SELECT count(*) FROM t")).scalar() == 0
    engine.dispose()


WITHOUT_DRIVER = """
import sys
sys.modules["psycopg"] = None
from tunesmith.ledger.ledger import Ledger
try:
    Ledger.open("postgresql://ann:canary@localhost/x")
except Exception as error:
    print(error)
"""


def test_a_missing_driver_is_named_with_the_way_to_get_it() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_DRIVER], capture_output=True, text=True)
    assert done.stderr == ""
    assert "the driver psycopg is not installed" in done.stdout
    assert "pip install 'tunesmith[postgres]'" in done.stdout
    assert "canary" not in done.stdout


def test_the_driver_is_imported_for_a_server_alone(tmp_path: Path) -> None:
    script = (
        "import sys; from tunesmith.ledger.ledger import Ledger; Ledger.open(sys.argv[1]).close();"
        " print('psycopg' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "l.db")], capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr
