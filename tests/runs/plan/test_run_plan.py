from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.runs.plan.run_plan import RunPlan
from tunesmith.testing.projects import make_project


@pytest.fixture
def plan(tmp_path: Path) -> RunPlan:
    return RunPlan(
        definition=load_definition(make_project(tmp_path)),
        n_points=12,
        n_trials=12,
        n_folds=5,
        n_scored=12,
        n_groups=4,
        n_curve=1,
        n_completed=0,
        n_known=0,
        project_code=(),
    )


def test_evaluations_and_fits_are_counted_by_folds(plan: RunPlan) -> None:
    assert (plan.n_scores, plan.n_fits) == (60, 20)
    assert replace(plan, n_groups=None).n_fits == 60
    assert replace(plan, n_folds=None).n_fits is None
    assert replace(plan, n_scored=None).n_scores is None


def test_fits_are_shared_if_there_are_fewer_of_them(plan: RunPlan) -> None:
    assert plan.is_shared
    assert not replace(plan, n_groups=12).is_shared
    assert not replace(plan, n_groups=None, n_trials=None).is_shared
    assert replace(plan, n_groups=12, n_curve=4).is_shared


@pytest.mark.parametrize(("window", "n_workers", "n_idle"), [(1, 4, 0), (1, 8, 3), (None, 8, 0)])
def test_workers_beyond_the_look_ahead_are_idle(
    plan: RunPlan, window: int | None, n_workers: int, n_idle: int
) -> None:
    assert replace(plan, window=window, n_workers=n_workers).n_idle == n_idle
