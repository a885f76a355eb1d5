import pytest
from pydantic import ValidationError

from tunesmith.config.objective import CrossValidation, MetricSpec, ObjectiveSection

GOOD = {"data": {"path": "d.csv", "target": "y"}, "metric": "r2", "cv": 3}


def test_shorthands_become_the_full_form() -> None:
    section = ObjectiveSection.model_validate(GOOD)
    assert section.metric == (MetricSpec(name="r2"),)
    assert section.data is not None
    assert section.data.path == ("d.csv",)
    assert section.cv == CrossValidation(folds=3)


def test_a_metric_of_nothing_is_an_error_like_others() -> None:
    with pytest.raises(ValidationError):
        ObjectiveSection.model_validate({**GOOD, "metric": None})


def test_every_import_path_is_seen() -> None:
    section = ObjectiveSection.model_validate(
        {
            **GOOD,
            "steps": [{"estimator": "a.B"}, {"estimator": "c.D"}],
            "cv": {"splitter": "e.F"},
            "metric": {"name": "m", "scorer": "g:h", "direction": "maximize"},
        }
    )
    assert sorted(section.all_import_paths) == ["a.B", "c.D", "e.F", "g:h"]
