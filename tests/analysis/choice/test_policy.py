from pathlib import Path

from tunesmith.analysis.choice.policy import Policy
from tunesmith.config.load import load_definition
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.testing.projects import make_project

RULES = "selection: one_se\ngate: {min_improvement: 0.1, keep: false}\nconfirm: off\n"


def test_present_and_recorded_configurations_give_the_same_policy(tmp_path: Path) -> None:
    config = make_project(tmp_path)
    usual = load_definition(config)
    assert Policy.of(usual.file) == Policy.of(RecordedStudy.of(usual.as_json()))
    assert Policy.of(usual.file).is_usual
    config.write_text(config.read_text() + RULES)
    other = load_definition(config)
    policy = Policy.of(RecordedStudy.of(other.as_json()))
    assert policy == Policy.of(other.file)
    assert (policy.selection, policy.min_improvement, policy.confirm) == ("one_se", 0.1, None)
    assert not policy.is_usual
