import sys
from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.objective.crossval import build_objective
from tunesmith.runs.plan.planner import Planner, plan_run
from tunesmith.runs.tune import tune
from tunesmith.testing.projects import TUNING, make_project


def project(folder: Path, *changes: tuple[str, str], method: str = "grid") -> Definition:
    text = f"{TUNING}execution: {{workers: 1}}\n"
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return load_definition(make_project(folder, text=text, method=method))


OWN = ("sklearn.tree.DecisionTreeClassifier", "mine.Model")


def trap(folder: Path) -> None:
    (folder / "mine.py").write_text("raise SystemExit('project code was run')\n")


def test_the_numbers_of_a_grid(tmp_path: Path) -> None:
    plan = plan_run(project(tmp_path))
    assert (plan.n_points, plan.n_trials, plan.n_folds, plan.n_fits) == (12, 12, 3, 36)
    assert (plan.n_completed, plan.n_known, plan.project_code) == (0, 0, ())


def test_a_trial_that_goes_on_is_a_trial_of_its_own(tmp_path: Path) -> None:
    budget = ("objective:", "budget: {parameter: max_leaf_nodes, min: 2, max: 18}\nobjective:")
    plan = plan_run(project(tmp_path, budget, ("trials: TRIALS", "time: 1m")))
    assert (plan.n_points, plan.n_trials, plan.n_fits) == (12, 36, 108)
    assert plan.budgets == (2, 6, 18)


def test_a_continuum_and_no_number_of_trials(tmp_path: Path) -> None:
    changes = (
        ("max_depth: {int: [1, 6]}", "ccp_alpha: {float: [0, 1]}"),
        ("trials: TRIALS", "time: 1m"),
    )
    plan = plan_run(project(tmp_path, *changes, method="random"))
    assert (plan.n_points, plan.n_trials, plan.n_fits) == (None, None, None)


@pytest.mark.parametrize(("method", "n_known"), [("grid", 36), ("random", 36), ("bayesian", None)])
def test_what_the_ledger_knows(tmp_path: Path, method: str, n_known: int | None) -> None:
    definition = project(tmp_path, method=method)
    tune(definition)
    plan = plan_run(definition)
    assert (plan.n_completed, plan.n_known) == (12, n_known)


def test_fits_that_candidates_share_are_counted_once(tmp_path: Path) -> None:
    forest = (
        ("sklearn.tree.DecisionTree", "sklearn.ensemble.RandomForest"),
        ("max_depth: {int", "n_estimators: {int"),
    )
    plan = plan_run(project(tmp_path, *forest))
    assert (plan.n_scores, plan.n_fits) == (36, 6)
    off = ("{workers: 1}", "{workers: 1, share: off}")
    assert plan_run(project(tmp_path, *forest, off)).n_fits == 36


def test_another_study_of_the_same_fits_is_known_but_not_told(tmp_path: Path) -> None:
    tune(project(tmp_path))
    plan = plan_run(project(tmp_path, ("study: small", "study: other")))
    assert (plan.n_completed, plan.n_known) == (0, 36)


def test_what_is_foreseen_is_what_is_asked(tmp_path: Path) -> None:
    definition = project(tmp_path, method="random")
    points = Planner(definition, build_objective(definition)).foreseen()
    first = [next(points) for _ in range(5)]
    asked = [trial.proposed or trial.params for trial in tune(definition).record.history]
    assert asked[:5] == [trial.points[trial.proposed] for trial in first]


FOREST = (
    ("sklearn.tree.DecisionTree", "sklearn.ensemble.RandomForest"),
    ("criterion: [gini, entropy]", "n_estimators: {int: [1, 9]}"),
    ("TRIALS", "5"),
)


def test_curves_are_foreseen(tmp_path: Path) -> None:
    definition = project(tmp_path, *FOREST, method="random")
    plan, found = plan_run(definition), tune(definition)
    assert plan.n_curve == max(trial.n_points for trial in found.record.history)
    assert (plan.n_scores, plan.n_fits) == (found.n_evaluated, found.n_fits)
    again = plan_run(definition)
    assert (again.n_completed, again.n_known) == (5, found.n_evaluated)


def test_that_there_will_be_curves_is_told_where_trials_are_not_foreseen(tmp_path: Path) -> None:
    plan = plan_run(project(tmp_path, *FOREST, method="bayesian"))
    assert plan.n_curve > 5
    assert (plan.n_scores, plan.n_fits) == (None, 15)
    off = ("{workers: 1}", "{workers: 1, share: off}")
    plan = plan_run(project(tmp_path, *FOREST, off, method="bayesian"))
    assert (plan.n_curve, plan.n_scores) == (1, 15)


def test_project_code_is_named_not_imported(tmp_path: Path) -> None:
    trap(tmp_path)
    plan = plan_run(project(tmp_path, OWN))
    assert plan.project_code == ("mine.Model",)
    assert (plan.n_folds, plan.n_fits, plan.n_completed, plan.n_known) == (3, 36, 0, 0)
    assert "mine" not in sys.modules


def test_with_project_code_the_ledger_says_nothing(tmp_path: Path) -> None:
    tune(project(tmp_path))
    trap(tmp_path)
    plan = plan_run(project(tmp_path, OWN))
    assert (plan.n_completed, plan.n_known) == (None, None)


@pytest.mark.parametrize(
    ("cv", "n_folds"),
    [("{folds: 4, repeats: 3}", 12), ("{method: shuffle_split, folds: 7}", 7),
     ("{splitter: mine.Splitter}", None), ("{method: predefined, column: kind}", None)],
)  # fmt: skip
def test_folds_are_told_where_they_are_written_down(
    tmp_path: Path, cv: str, n_folds: int | None
) -> None:
    trap(tmp_path)
    changes = OWN, ("cv: 3", f"cv: {cv}"), ("target: kind", "target: petal length (cm)")
    assert plan_run(project(tmp_path, *changes)).n_folds == n_folds


@pytest.mark.parametrize(
    ("change", "words"),
    [(("data.csv", "dat.csv"), "does not exist"), (("target: kind", "target: kin"), "no column"),
     (("cv: 3", "cv: 151"), "151 folds of 150 rows")],
)  # fmt: skip
def test_data_are_checked_beside_project_code_too(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    trap(tmp_path)
    with pytest.raises(UsageError, match=words):
        plan_run(project(tmp_path, OWN, change))


def test_a_space_without_a_point_is_refused(tmp_path: Path) -> None:
    space = "  max_depth: {int: [1, 6]}\n  criterion: [gini, entropy]"
    changed = "  parameters: {max_depth: {int: [1, 6]}}\n  constraints: [max_depth > 9]"
    with pytest.raises(UsageError, match="no point of the space"):
        plan_run(project(tmp_path, (space, changed)))


def test_the_look_ahead_and_the_workers_that_it_leaves_idle(tmp_path: Path) -> None:
    many = ("{workers: 1}", "{workers: 16}")
    plan = plan_run(project(tmp_path, many, method="bayesian"))
    assert (plan.window, plan.n_workers, plan.n_idle) == (3, 16, 7)
    assert plan_run(project(tmp_path, method="bayesian")).n_idle == 0
    # Results that are not read are not waited for.
    grid = plan_run(project(tmp_path, many))
    assert (grid.window, grid.n_idle) == (None, 0)


def test_the_parameters_that_are_read_off(tmp_path: Path) -> None:
    forest = (
        ("sklearn.tree.DecisionTree", "sklearn.ensemble.RandomForest"),
        ("metric: accuracy", "metric: accuracy\n  params: {random_state: 1}"),
        ("max_depth: {int: [1, 6]}", "n_estimators: {int: [1, 6]}\n  max_depth: [1, 2, 3]"),
        ("trials: TRIALS", "time: 1m"),
    )
    plan = plan_run(project(tmp_path, *forest, method="bayesian"))
    assert plan.read_off == ("n_estimators",)
    # All numbers of trees by one fit; there are 6 choices of the other parameters.
    assert (plan.n_curve, plan.n_trials) == (6, 6)
    assert plan_run(project(tmp_path, *forest, method="random")).read_off == ()


BUDGET = ("objective:", "budget: {parameter: max_leaf_nodes, min: 2, max: 18}\nobjective:")


def test_budgets_of_an_estimator_of_your_own_are_forecast(tmp_path: Path) -> None:
    plain = plan_run(project(tmp_path / "plain", BUDGET, method="random")).forecast
    definition = project(tmp_path / "own", BUDGET, OWN, method="random")
    trap(definition.root)
    own = plan_run(definition).forecast
    assert plain is not None
    assert own is not None
    assert [budget for budget, _, _ in own.counts] == [2, 6, 18]
    assert own.n_kept == plain.n_kept
    for (_, low, high), (_, own_low, own_high) in zip(plain.counts, own.counts, strict=True):
        assert own_low <= high
        assert low <= own_high


def test_the_points_that_are_tried_first_are_known(tmp_path: Path) -> None:
    defaults = "{method: METHOD, start_with: [{max_depth: 2, criterion: gini}]"
    first = project(tmp_path, ("{method: METHOD", defaults), method="bayesian")
    tune(first)
    other = plan_run(
        project(
            tmp_path,
            ("{method: METHOD", defaults),
            ("study: small", "study: other"),
            method="bayesian",
        )
    )
    assert (other.n_completed, other.n_known, other.n_known_first) == (0, None, 3)


def test_points_that_are_not_tried_first_are_told(tmp_path: Path) -> None:
    wanted = "{method: METHOD, start_with: [defaults, current]"
    (tmp_path / "config").mkdir(parents=True)
    (tmp_path / "config/best_parameters.yaml").write_text("max_depth: 999\ncriterion: gini\n")
    own = project(tmp_path, ("{method: METHOD", wanted), method="bayesian")
    outside = "max_depth`: 999 is"
    assert any("the current best parameters are not tried first" in n for n in plan_run(own).notes)
    assert any(outside in note for note in plan_run(own).notes)
    tune(own)
    # The points of a series that has begun are fixed.
    assert not any(outside in note for note in plan_run(own).notes)


def test_a_budget_takes_several_metrics(tmp_path: Path) -> None:
    two = ("metric: accuracy", "metric: [accuracy, neg_log_loss]")
    definition = project(tmp_path, BUDGET, two, method="random")
    plan = plan_run(definition)
    assert plan.forecast is not None
    history = tune(definition).record.history
    assert history.best() in history.front()
    assert {t.params["max_leaf_nodes"] for t in history.front()} == {18}
