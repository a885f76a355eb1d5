"""Constraints on outcomes in a configuration: what is refused, and where."""

from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.checks.outcome_rules import outcome_violations
from tunesmith.config.load import load_definition
from tunesmith.config.objective import ObjectiveSection
from tunesmith.errors import ConfigError
from tunesmith.types import OutcomeConstraint

CONFIG = """\
study: s
objective:
  estimator: sklearn.tree.DecisionTreeClassifier
  data: {path: data.csv, target: y}
  metric: accuracy
  also: [precision, neg_log_loss]
  subject_to: [SUBJECT]
space: {max_depth: [1, 2]}
search: {method: grid}
"""


def violations(*texts: str, **changes: Any) -> list[str]:
    given = {
        "estimator": "a.B",
        "metric": "accuracy",
        "also": ["precision", "neg_log_loss", {"name": "profit", "scorer": "a:b"}],
        **changes,
    }
    section = ObjectiveSection.model_validate({**given, "subject_to": list(texts)})
    return [f"{one.path[-1]}: {one.message}" for one in outcome_violations(section)]


@pytest.mark.parametrize(
    "text",
    ["precision >= 0.8", "precision>=.8", "accuracy > 0.5", "fit_time <= 2", "score_time < 1e-3"],
)
def test_recorded_metrics_and_measured_times_may_be_bounded(text: str) -> None:
    assert violations(text) == []
    assert str(OutcomeConstraint.read(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("precision = 0.8", "is no comparison"),
        ("precision == 0.8", "is no comparison"),
        ("precision =< 0.8", "is no comparison"),
        ("0.5 <= precision <= 0.8", "is no comparison"),
        ("precision", "is no comparison"),
        ("precision >= high", "`high` is no number"),
        ("precision >= nan", "`nan` is no finite number"),
        ("precision >= 1e999", "is no finite number"),
        ("recall >= 0.8", "the metric `recall` is not recorded"),
        ("0.8 <= precision", "`precision` is no number"),
        ("precision >= 80", "`precision` lies between 0 and 1"),
        ("neg_log_loss <= 0.4", "`neg_log_loss` is never above 0"),
        ("fit_time <= 0", "number of seconds above 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, words: str) -> None:
    (found,) = violations(text)
    assert found.startswith("0: ")
    assert words in found


def test_constraints_that_no_value_meets_together_are_refused() -> None:
    assert "exclude" in violations("precision >= 0.8", "precision < 0.8")[0]
    assert violations("precision >= 0.8", "precision <= 0.8") == []


def test_metrics_of_your_own_have_any_bound() -> None:
    assert violations("profit >= 1000") == []


def test_a_program_has_one_time() -> None:
    found = violations("score_time <= 1", estimator=None, command=["python", "t.py"])
    assert found == ["0: a program has no `score_time`."]


def test_the_place_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tuning.yaml").write_text(
        CONFIG.replace("SUBJECT", '"precision >= 0.8", "precison >= 0.7", "accuracy = 1"')
    )
    with pytest.raises(ConfigError) as caught:
        load_definition(tmp_path / "tuning.yaml")
    text = str(caught.value)
    assert "tuning.yaml:7:36: objective.subject_to[1]" in text
    assert "Did you mean `precision`?" in text
    assert "tuning.yaml:7:55: objective.subject_to[2]" in text


def test_a_study_without_constraints_is_recorded_as_before(tmp_path: Path) -> None:
    (tmp_path / "tuning.yaml").write_text(CONFIG.replace("SUBJECT", ""))
    file = load_definition(tmp_path / "tuning.yaml").as_json()["file"]
    assert "subject_to" not in file["objective"]
    (tmp_path / "tuning.yaml").write_text(CONFIG.replace("SUBJECT", "precision >= 0.8"))
    file = load_definition(tmp_path / "tuning.yaml").as_json()["file"]
    assert file["objective"]["subject_to"] == ["precision >= 0.8"]
