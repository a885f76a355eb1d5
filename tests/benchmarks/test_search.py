"""The comparison of searches: its spaces, its scale, its players."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.races.__main__ import Table
from benchmarks.races.tables import PROBLEMS
from benchmarks.search import choice
from benchmarks.search.__main__ import main
from benchmarks.search.ablation import ALL, VARIANTS, on_table
from benchmarks.search.experience import experience
from benchmarks.search.fits import Played, needed, table
from benchmarks.search.players import player
from benchmarks.search.real import Validated
from benchmarks.search.tables import catching_up, catching_up_table, interval, regrets
from benchmarks.search.yahpo import MissingError, space_of, surrogates
from sklearn.neighbors import KNeighborsClassifier

from tunesmith.space import Condition, Float, Int, SearchSpace
from tunesmith.types import Params

DEFINITION: Mapping[str, Any] = {
    "hyperparameters": [
        {"name": "learner", "type": "categorical", "choices": ["a", "b"]},
        {"name": "depth", "type": "uniform_int", "lower": 1, "upper": 9, "log": False},
        {"name": "rate", "type": "uniform_float", "lower": 0.1, "upper": 1.0, "log": True},
        {"name": "task_id", "type": "categorical", "choices": ["3", "4"]},
    ],
    "conditions": [
        {"child": "depth", "parent": "learner", "type": "EQ", "value": "a"},
        {
            "child": "rate",
            "type": "AND",
            "conditions": [
                {"child": "rate", "parent": "learner", "type": "IN", "values": ["a", "b"]},
                {"child": "rate", "parent": "depth", "type": "EQ", "value": 3},
            ],
        },
    ],
}


def test_a_definition_is_read_with_its_conditions() -> None:
    (box,) = space_of(DEFINITION, {"task_id": "3"})
    assert box.parameters["depth"] == Int(1, 9)
    assert box.parameters["rate"] == Float(0.1, 1.0, log=True)
    assert "task_id" not in box.parameters
    assert box.conditions["depth"] == (Condition("learner", ("a",)),)
    assert len(box.conditions["rate"]) == 2


def test_missing_surrogates_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingError, match="TUNESMITH_YAHPO"):
        surrogates(tmp_path / "nowhere")
    assert main(["--yahpo", str(tmp_path / "nowhere")]) == 2
    assert "name their folder with --yahpo" in capsys.readouterr().err


def test_regret_is_0_at_the_best_and_1_at_chance() -> None:
    losses = np.array([[[[5.0, 3.0, 1.0]]]])
    assert regrets(losses, np.array([[1.0, 3.0]])).tolist() == [[[[1.0, 1.0, 0.0]]]]


def test_an_interval_holds_its_mean() -> None:
    mean, low, high = interval(np.random.default_rng(0).random((6, 4)))
    assert low < mean < high
    assert interval(np.full((3, 2), 0.5)) == (0.5, 0.5, 0.5)


def test_catching_up_counts_trials_until_a_rivals_end() -> None:
    ours = np.array([[[0.9, 0.3, 0.1], [0.9, 0.8, 0.7]]])
    rivals = np.array([[[1.0, 0.5, 0.3], [1.0, 1.0, 0.0]]])
    assert catching_up(ours, rivals).tolist() == [[2.0, np.inf]]
    regret = np.stack([ours, rivals], axis=1).reshape(1, 2, 2, 3)
    lines = list(catching_up_table(["a", "b"], regret, 3, "b"))
    assert lines[2] == "| `a` | 2 | 2 to inf | 1 of 2 |"


def test_experience_is_moved_into_the_surrogates_space() -> None:
    class Xgboost:
        name = "rbv2_xgboost 1"
        space = SearchSpace.of({"nrounds": Int(7, 3000, log=True), "eta": Float(0.001, 1)})

    begin = experience(Xgboost(), "portfolio")  # type: ignore[arg-type]
    assert [point["nrounds"] for point in begin] == [100, 160, 80]
    assert begin[0]["eta"] == 0.3
    assert experience(Xgboost(), "defaults") == begin[:1]  # type: ignore[arg-type]


def test_a_study_begins_with_what_is_known() -> None:
    assert experience(Bowl(), "defaults") == []
    seen: list[Params] = []

    class Known(Bowl):
        name = "rbv2_rpart 1"
        space = SearchSpace.of({"cp": Float(0.001, 1)})

        def folds(self, params: Params, seed: int) -> list[float]:
            seen.append(params)
            return [float(str(params["cp"]))]

        def truth(self, params: Params) -> float:
            return float(str(params["cp"]))

    player("random@1,start=defaults").play(Known(), 3, 0)
    assert seen[0] == {"cp": 0.01}
    assert len(seen) == 3


class Bowl:
    """A loss with noise of its folds."""

    name = "bowl"
    space = SearchSpace.of({"x": Float(0, 1)})
    ends = (0.0, 0.25)

    def folds(self, params: Params, seed: int) -> list[float]:
        return [self.truth(params) + shift for shift in (-0.1, 0.1)]

    def truth(self, params: Params) -> float:
        return (float(str(params["x"])) - 0.5) ** 2


@pytest.mark.parametrize("name", ["gp@1,n_startup=3", "random", "optuna-tpe", "bayesian@4"])
def test_every_player_is_judged_by_the_true_loss_of_its_best_trial(name: str) -> None:
    trace = player(name).play(Bowl(), n_trials=8, seed=1)
    assert len(trace.losses) == len(trace.cpu_s) == 8
    # Without noise between trials the best trial is the truly best one.
    assert trace.losses == np.minimum.accumulate(trace.losses).tolist()


def test_the_fits_until_a_score_is_reached() -> None:
    one = Played("tree, wine", "Tunesmith", 0, [5, 10, 12], [0.8, 0.9, 0.95], 0.9, 1.0)
    assert [needed(one, target) for target in (0.7, 0.9, 0.95)] == [5, 10, 12]
    assert needed(one, 0.99) == np.inf
    other = replace(one, player="random", n_fits=[5, 10, 15], best=[0.7, 0.9, 0.9])
    lines = list(table([one, other]))
    assert len(lines) == 4
    assert "| 0.67 |" in lines[2]


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != ALL])
def test_an_idea_that_is_off_changes_a_search(name: str) -> None:
    variant = VARIANTS[name]
    grid = {"a": list(range(12)), "b": list(range(12))}
    points = np.array([[a, b] for a in range(12) for b in range(12)])
    rng = np.random.default_rng(0)
    means = -(((points - 4) ** 2).sum(axis=1)) / 100
    scores = means[:, None] + rng.normal(0, 0.1, (144, 5))
    board = Table(replace(PROBLEMS[0], grid=grid), scores)
    found = []
    for one in (VARIANTS[ALL], variant):
        with ExitStack() as stack:
            for change in one.patches():
                stack.enter_context(change)
            found.append(on_table(board, means, one, 0))
    assert all(0 <= regret <= 1 and 0 < folds <= 1 for regret, folds in found)
    # A grid has no branches.
    assert (found[0] == found[1]) is ("noisy" not in variant.kinds)


def test_choices_are_made_at_equal_fits() -> None:
    # The best mean is lucky: on further splits trial 1 is better, and trial 29 comes too late.
    folds = [[0.1, 0.3], [0.25, 0.25], *[[0.5 + i / 100] * 2 for i in range(27)], [0.0, 0.0]]
    further: list[list[float]] = [[] for _ in folds]
    further[0], further[1], further[2] = [0.9, 0.9], [0.2, 0.2], [0.8, 0.8]
    params: list[Params] = [{"x": i / 30} for i in range(30)]
    truths = [0.5, 0.2, *[0.9] * 27, 0.1]
    study = choice.Study(params, folds, truths, further)
    space = SearchSpace.of({"x": Float(0, 1)})
    assert choice.leaders_of(folds, 3, 2) == [0, 1, 2]
    assert choice.rescored(3, 2)(study, space) == 1
    assert choice.first_best(study, space) == 29
    assert choice.truly_best(study, space) == 29
    assert choice.n_repeats(study) == 0
    assert choice.n_repeats(replace(study, folds=[[0.1, 0.3]] * 3)) == 2


def test_a_study_of_choices_is_played_once_and_its_table_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(params: Params) -> KNeighborsClassifier:
        return KNeighborsClassifier(1 if float(str(params["x"])) < 0.5 else 70)

    space = SearchSpace.of({"x": Float(0, 1)})
    problem = Validated("SVC, iris", space, made, "iris", "accuracy", n_folds=2)
    monkeypatch.setattr(choice, "PROBLEMS", (problem,))
    options = ["--seeds", "1", "--players", "random", "--traces", str(tmp_path)]
    assert choice.main(options) == 0
    told = capsys.readouterr().out
    assert "1 problems, 1 seeds, fits of 30 trials" in told
    # The classifiers are two, so that other trials repeat what they know.
    assert "of 30: `random` 28.0." in told
    assert all(f"| {name} |" in told for name in choice.CHOICES)
    # It is read again, and not begun if there is no time.
    assert choice.main([*options, "--minutes", "0"]) == 0
    assert capsys.readouterr().out == told
    assert choice.main([*options, "--seeds", "2", "--minutes", "0"]) == 0
    assert "1 seeds" in capsys.readouterr().out
