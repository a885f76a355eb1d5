from pathlib import Path

import pytest

from tunesmith.cli.common.moving import ledger_here, move
from tunesmith.errors import UsageError
from tunesmith.testing.projects import make_project


def test_the_ledger_of_a_project_has_to_be_there_to_give(tmp_path: Path) -> None:
    config = make_project(tmp_path)
    with pytest.raises(UsageError, match="Begin with `tunesmith run`"):
        ledger_here(config, exists=True)
    assert ledger_here(config, exists=False) == tmp_path / ".tunesmith" / "ledger.db"


def test_nothing_is_moved_if_one_source_is_the_target(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the same ledger"):
        move([tmp_path / "a.db", tmp_path / "b.db"], tmp_path / "b.db", "merge", as_json=False)
    assert list(tmp_path.iterdir()) == []
