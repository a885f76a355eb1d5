from pathlib import Path

import optuna
import pytest

from tunesmith.errors import StorageError, UsageError
from tunesmith.runs.exchange.storage import file_of, named, opened


def test_addresses_are_shown_without_passwords() -> None:
    shown = named("postgresql://me:hunter2@host/db?password=hunter2")
    assert shown.startswith("postgresql://")
    assert "host/db" in shown
    assert "hunter2" not in shown
    assert named("sqlite:///a.db") == "sqlite:///a.db"
    with pytest.raises(UsageError) as caught:
        named("hunter2")
    assert "hunter2" not in str(caught.value)


def test_only_sqlite_has_a_file() -> None:
    assert file_of("sqlite:///a.db") == Path("a.db")
    assert file_of("sqlite:///:memory:") is None
    assert file_of("postgresql://host/db") is None


def test_what_optuna_refuses_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("no database, but a text that is long enough to be read as one")
    with pytest.raises(StorageError, match=r"a\.db: "), opened(f"sqlite:///{tmp_path}/a.db"):
        pass
    with opened(f"sqlite:///{tmp_path}/b.db") as storage:
        assert optuna.study.get_all_study_names(storage) == []
