from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.objective import MetricSpec, ObjectiveSection
from tunesmith.objective.outline import metric_of, unreadable_code


@pytest.mark.parametrize(
    ("spec", "direction"),
    [
        ({"name": "recall"}, "maximize"),
        ({"name": "fit_time"}, "minimize"),
        ({"name": "own_time", "scorer": "a:b"}, "maximize"),
        ({"name": "loss", "direction": "minimize"}, "minimize"),
    ],
)
def test_a_metric_has_a_direction(spec: dict[str, Any], direction: str) -> None:
    assert metric_of(MetricSpec.model_validate(spec)).direction == direction


def reasons(root: Path, **objective: Any) -> list[str]:
    section = ObjectiveSection.model_validate({"metric": "r2", **objective})
    return list(unreadable_code(section, root))


def test_code_that_can_be_read_gives_no_reason(tmp_path: Path) -> None:
    (tmp_path / "model_at_home.py").write_text("import helper_at_home\n")
    (tmp_path / "helper_at_home.py").write_text("DEPTH = 3\n")
    assert reasons(tmp_path, estimator="model_at_home.Model") == []
    assert reasons(tmp_path, estimator="sklearn.svm.SVC") == []


def test_a_file_that_cannot_be_parsed_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "model_at_home.py").write_text("import helper_at_home\n")
    (tmp_path / "helper_at_home.py").write_text("x = 1\ndef\n")
    (reason,) = reasons(tmp_path, estimator="model_at_home.Model")
    assert reason.startswith("helper_at_home.py cannot be parsed (line 2)")


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    command = ["python", "train.py", "{a}.py"]
    assert reasons(tmp_path, command=command) == ["train.py is not there"]
