"""The short part of ``make fuzz``: rounds with fixed seeds."""

from pathlib import Path

import pytest
from tests.fuzzing.fuzz import prepared, round_of


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("fuzz") / "whole")


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_damaged_files_end_commands_as_meant(whole: Path, tmp_path: Path, first: int) -> None:
    found = [
        one for seed in range(first, first + 10) for one in round_of(seed, whole, tmp_path / "p")[0]
    ]
    assert found == []
