import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, inspect, select

from tunesmith.errors import StorageError
from tunesmith.ledger import integrity, schema
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.rows import CHECKED, LATER_TABLES, checksum
from tunesmith.testing.ledger import begin, tell


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with a trial in it."""
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        head, run = begin(ledger)
        tell(ledger, head, run, 0)
    return path


def execute(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement).fetchall()


def without_later(version: int) -> list[str]:
    """Statements that remove the tables of later versions."""
    drops = ["DROP TABLE run_uid"] if version < 10 else []
    if version < 9:
        drops += [f"DROP INDEX IF EXISTS {index.name}" for index in schema.INDEXES]
        drops += ["DROP TABLE standing"]
    return [*drops, *(["DROP TABLE note"] if version < 8 else [])]


def age(path: Path, version: int, *statements: str) -> None:
    """Make it a ledger of an older or newer version."""
    for statement in without_later(version):
        execute(path, statement)
    execute(path, f"UPDATE tunesmith SET schema_version={version}, written_by='7.1.0'")  # noqa: S608
    if version < 4:
        for table in CHECKED.keys() - LATER_TABLES:
            execute(path, f"ALTER TABLE {table} DROP COLUMN checksum")
        execute(path, "ALTER TABLE trial DROP COLUMN n_folds")
    for statement in statements:
        execute(path, statement)
    content = path.read_bytes()
    path.unlink()
    integrity.write_new(path, content)
    if version < 4:
        execute(path, "PRAGMA application_id = 0")


def add_a_note(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE trial ADD COLUMN note TEXT")
    connection.exec_driver_sql("UPDATE trial SET note = 'old'")


def fail(connection: Connection) -> None:
    add_a_note(connection)
    connection.exec_driver_sql("SELECT * FROM nowhere")


def test_an_older_ledger_is_migrated_step_by_step(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(connection: Connection) -> None:
        connection.exec_driver_sql("UPDATE trial SET note = note || 'er'")

    now = schema.SCHEMA_VERSION
    monkeypatch.setattr(schema, "SCHEMA_VERSION", now + 2)
    monkeypatch.setattr(schema, "MIGRATIONS", {now: add_a_note, now + 1: rename})
    for _ in range(2):
        with Ledger.open(path) as ledger:
            assert ledger.load().history.n_completed == 1
        assert execute(path, "SELECT note FROM trial") == [("older",)]
        assert execute(path, "SELECT schema_version FROM tunesmith") == [(now + 2,)]


def test_a_ledger_without_curves_is_brought_up_to_date(path: Path) -> None:
    later = {"trial": ("proposed", "n_points"), "evaluation": ("progress", "stopped_at")}
    drops = [f"ALTER TABLE {t} DROP COLUMN {name}" for t, names in later.items() for name in names]
    age(path, 1, *drops)
    with Ledger.open(path) as ledger:
        (trial,) = ledger.load().history
    assert (trial.proposed, trial.n_points) == (None, 1)
    (created,) = execute(path, "SELECT sql FROM sqlite_master WHERE name = 'trial'")
    assert "n_points INTEGER DEFAULT 1 NOT NULL" in str(created[0])


def test_a_ledger_without_progress_is_brought_up_to_date(path: Path) -> None:
    age(path, 2, *(f"ALTER TABLE evaluation DROP COLUMN {n}" for n in ("progress", "stopped_at")))
    with Ledger.open(path) as ledger:
        (trial,) = ledger.load().history
    assert {(fold.progress, fold.stopped_at) for fold in trial.folds} == {((), None)}


def test_a_migration_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = execute(path, "SELECT sql FROM sqlite_master")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", {schema.SCHEMA_VERSION: fail})
        patch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
        with pytest.raises(StorageError, match="nowhere"):
            Ledger.open(path)
    assert execute(path, "SELECT sql FROM sqlite_master") == before
    with Ledger.open(path, create=False) as ledger:
        assert ledger.load().history.n_completed == 1


def test_a_newer_ledger_is_refused_and_left_as_it_is(path: Path) -> None:
    age(path, 99)
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(StorageError, match=rf"{path}: it needs Tunesmith 7\.1\.0 or newer"):
            Ledger.open(path, create=create)
    assert path.read_bytes() == before


def test_a_ledger_without_checksums_gets_them(path: Path) -> None:
    with Ledger.open(path, create=False) as ledger:
        before = list(ledger.load().history)
    age(path, 3)
    with Ledger.open(path, create=False) as ledger:
        assert list(ledger.load().history) == before
    with Ledger.open(path, create=False) as ledger:
        assert list(ledger.load().history) == before
    for table, columns in CHECKED.items():
        names = ", ".join((*columns, "checksum"))
        for row in execute(path, f"SELECT {names} FROM {table}"):  # noqa: S608
            assert row[-1] == checksum(table, dict(zip(columns, row, strict=False)))


@pytest.mark.slow
def test_a_server_is_migrated_or_refused_too(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger.open(database) as ledger:
        head, run = begin(ledger)
        tell(ledger, head, run, 0)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", {schema.SCHEMA_VERSION: fail})
        patch.setattr(schema, "SCHEMA_VERSION", schema.SCHEMA_VERSION + 1)
        with pytest.raises(StorageError, match="nowhere"):
            Ledger.open(database)
        patch.setattr(schema, "MIGRATIONS", {schema.SCHEMA_VERSION - 1: add_a_note})
        with Ledger.open(database) as ledger:
            assert ledger.load().history.n_completed == 1
    with pytest.raises(StorageError, match="or newer"):
        Ledger.open(database)


def test_another_programs_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    execute(path, "CREATE TABLE customers (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"another program \(it has a table `customers`\)"):
        Ledger.open(path)
    assert path.read_bytes() == before


@pytest.mark.slow
def test_on_a_server_other_tables_may_stand_beside(database: str) -> None:
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
        with Ledger.open(database) as ledger:
            begin(ledger)
        connection.execute("DROP TABLE tunesmith")
    with pytest.raises(StorageError, match="it has a table `evaluation`"):
        Ledger.open(database)


def test_the_tables_on_disk_are_those_declared(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    found = inspect(engine)
    assert set(found.get_table_names()) == set(schema.metadata.tables)
    for table in schema.metadata.sorted_tables:
        names = [column["name"] for column in found.get_columns(table.name)]
        assert names == [column.name for column in table.columns]
    with engine.connect() as connection:
        assert connection.execute(select(schema.meta.c.schema_version)).scalars().all() == [
            schema.SCHEMA_VERSION
        ]
    engine.dispose()


def test_postgresql_has_the_condition_of_partial_indexes(database: str) -> None:
    Ledger.open(database).close()
    query = "SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'ix_%'"
    with psycopg.connect(database) as connection:
        made = [row[0] for row in connection.execute(query)]
    assert sum(" WHERE " in text for text in made) == 3
