from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.errors import UsageError
from tunesmith.objective.described import data_of, outline_estimator
from tunesmith.runs.factory import build_objective
from tunesmith.testing.projects import make_project


def test_what_is_told_without_splitters_is_the_same_but_for_the_folds(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path))
    told, counted = (outline_estimator(definition, counts_folds=c) for c in (False, True))
    assert told.n_folds is None
    assert counted == replace(told, n_folds=counted.n_folds)
    objective = build_objective(definition)
    assert counted.n_folds == objective.n_folds
    assert told.context == dict(objective.context)


def test_a_study_without_data_has_no_table(tmp_path: Path) -> None:
    section = load_definition(make_project(tmp_path)).file.objective
    with pytest.raises(UsageError, match=r"objective\.data"):
        data_of(section.model_copy(update={"data": None}))
