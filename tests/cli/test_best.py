"""``best``: the parameters file."""

from pathlib import Path

from tests.cli.conftest import Run


def test_best_is_the_parameters_file(tunesmith: Run, finished: Path) -> None:
    yaml = tunesmith("best", "--yaml").stdout
    assert yaml == (finished / "config/best_parameters.yaml").read_text()
