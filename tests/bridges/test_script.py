from pathlib import Path

import pytest

from tunesmith.bridges.script import given, write_metrics


def test_metrics_have_their_names(tmp_path: Path) -> None:
    file = tmp_path / "metrics.json"
    write_metrics(str(file), ["a"], 1)
    assert file.read_text() == '{"a": 1.0}'
    with pytest.raises(ValueError, match="2 values for a"):
        write_metrics(str(file), ["a"], (1, 2))


def test_a_list_may_be_a_tuple() -> None:
    assert given([1, [2]], [(1, (2,)), 3]) == (1, (2,))
    assert given("x", ["y"]) == "x"
