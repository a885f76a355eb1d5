"""The hunt: its tables are whole, it draws alike every time, it finds, and it makes small."""

import inspect
from dataclasses import replace
from typing import Any

import pytest

from hunts import values
from hunts.case import Call, Case
from hunts.compare import judge
from hunts.configured import configured, verdict_of
from hunts.draw import CONFIGURED, STRATA, draw_case
from hunts.faults import put_back
from hunts.figures import Figures, tables
from hunts.kinds import KINDS, cls
from hunts.shrink import shrink

FOREST = Case(
    "forest",
    (
        "draw = np.random.default_rng(0)",
        "X = draw.normal(size=(30, 3))",
        "y = (X[:, 0] > 0).astype(int)",
        "X = X.round(1)",
    ),
    Call("RandomForestClassifier", (), {"random_state": "0", "max_depth": "3"}),
    ({"n_estimators": ("1", "3", "2"), "min_samples_leaf": ("1", "2")},),
    options={"cv": "2", "scoring": "'roc_auc'", "refit": "False"},
)


def test_the_tables_name_every_parameter_of_lightgbm() -> None:
    basic = pytest.importorskip("lightgbm.basic")
    known = set(basic._ConfigAliases._get_all_param_aliases())
    assert known == values.LIGHTGBM.keys() | values.LIGHTGBM_LEFT_OUT


@pytest.mark.parametrize(
    ("name", "table", "left_out"),
    [
        ("xgboost.sklearn:XGBModel", values.XGBOOST, ["n_estimators"]),
        (
            "catboost:CatBoostClassifier",
            {**values.CATBOOST, **values.CATBOOST_SYNONYMS},
            values.CATBOOST_LEFT_OUT,
        ),
    ],
)
def test_the_tables_name_every_parameter(name: str, table: Any, left_out: Any) -> None:
    module, _, title = name.partition(":")
    found = getattr(pytest.importorskip(module), title)
    known = set(inspect.signature(found.__init__).parameters) - {"self"}
    assert known == table.keys() | set(left_out)


def test_a_number_stands_for_the_same_case_every_time() -> None:
    drawn = [[str(draw_case(1, stratum, n)) for n in range(30)] for stratum in STRATA * 2]
    assert drawn[: len(STRATA)] == drawn[len(STRATA) :]
    assert len(set(drawn[0])) == 30


def test_every_class_that_is_drawn_exists() -> None:
    names = [name for kind in KINDS.values() for name in (*kind.classifiers, *kind.regressors)]
    assert all(inspect.isclass(cls(name)) for name in names)


def test_a_shared_fit_is_counted() -> None:
    verdict = judge(FOREST)
    assert not verdict.difference
    assert verdict.n_shared == 2 * 2 * 3
    figures = Figures("shared")
    figures.add(verdict)
    assert "| forest | 1 | 1 | 12 | 0 |" in tables([figures])


def test_a_program_runs_as_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    exec(str(FOREST), {})  # noqa: S102 - ours
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert "split1_test_score" in first


def test_shrinking_leaves_what_the_difference_needs() -> None:
    def has_three(case: Case) -> bool:
        return "3" in case.grid[0].get("n_estimators", ()) and "random_state" in str(case.estimator)

    small = shrink(FOREST, has_three)
    assert small.data == FOREST.data[:3]
    assert small.grid == ({"n_estimators": ("3",)},)
    assert str(small.estimator) == "RandomForestClassifier(random_state=0)"
    assert small.options == {"refit": "False"}


@pytest.mark.parametrize("stratum", STRATA)
def test_nothing_differs_in_some_cases(stratum: str) -> None:
    figures = Figures(stratum)
    for number in range(12):
        verdict = verdict_of(draw_case(0, stratum, number), stratum)
        if verdict is None:
            continue  # no configuration can say it
        figures.add(verdict)
        assert not verdict.difference, f"{verdict.case}\n{verdict.difference}"
    assert figures.total["shared"] >= 1


def test_old_faults_are_found_in_configurations() -> None:
    pytest.importorskip("lightgbm")
    quiet = {"verbose": "-1", "n_jobs": "1", "learning_rate": "0.5", "min_child_samples": "2"}
    dart = Call("lgb.LGBMClassifier", (), {"boosting_type": "'dart'", "random_state": "2", **quiet})
    grid = ({"n_estimators": ("20", "30", "40")},)
    options = {**FOREST.options, "scoring": "'neg_log_loss'"}
    case = replace(FOREST, estimator=dart, grid=grid, options=options)
    right = verdict_of(case, CONFIGURED)
    with put_back("parameters"):
        wrong = verdict_of(case, CONFIGURED)
    assert right is not None
    assert wrong is not None
    assert not right.difference
    assert "expected" in wrong.difference
    assert "'boosting_type': 'dart'" in str(configured(case))


@pytest.mark.parametrize(
    ("fault", "stratum", "family", "number"),
    [
        ("parameters", "any", "lightgbm", 1410),
        ("arguments", "any", "gradient boosting", 140),
        ("rows", "any", "others", 47),
        ("last bit", "shared", "adaboost", 335),
    ],
)
def test_an_old_fault_that_is_put_back_is_found(
    fault: str, stratum: str, family: str, number: int
) -> None:
    case = draw_case(0, stratum, number, family)
    assert not judge(case).difference
    with put_back(fault):
        assert judge(case).difference
