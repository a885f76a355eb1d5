"""Parts of a study, built from its definition, and the identity of its trials."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.load import load_definition
from tunesmith.config.model import BudgetSection, Definition, SearchSection
from tunesmith.errors import UsageError
from tunesmith.execute.serial import SerialExecutor
from tunesmith.objective.choose import outline
from tunesmith.runs.factory import build_budgets, build_executor, build_sampler, identity, raced
from tunesmith.search.grid import GridSampler
from tunesmith.search.random import RandomSampler
from tunesmith.space import Categorical, SearchSpace
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.testing.functions import FunctionObjective
from tunesmith.testing.projects import TUNING, make_project
from tunesmith.types import Params


class Sharing(FunctionObjective):
    """An objective of which one fit scores all points."""

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        return [tuple(range(len(candidates)))]


def study(folder: Path, *changes: tuple[str, str], more: str = "") -> Definition:
    text = TUNING + more
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return load_definition(make_project(folder, text=text, method="random"))


def digest(definition: Definition) -> str:
    return identity(definition, outline(definition))


@pytest.mark.parametrize(
    "more",
    [
        "execution: {workers: 3}\n",
        "outputs: {report: other.md}\n",
        "selection: one_se\n",
        "ledger: other.db\n",
    ],
)
def test_what_changes_no_trial_is_not_part_of_the_identity(tmp_path: Path, more: str) -> None:
    usual = digest(study(tmp_path))
    assert digest(study(tmp_path, more=more)) == usual
    assert digest(study(tmp_path, ("trials: TRIALS", "trials: 99"))) == usual


@pytest.mark.parametrize(
    "change",
    [("[1, 6]", "[1, 7]"), ("seed: 3", "seed: 4"), ("cv: 3", "cv: 4"), ("accuracy", "f1_macro")],
)
def test_what_changes_trials_or_scores_is_part_of_the_identity(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    usual = digest(study(tmp_path))
    assert digest(study(tmp_path, change)) != usual


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"options": {"depth": 3}}, "search.options.depth: random search has no such option"),
        ({"method": "grid"}, "search.method: grid cannot search this space"),
    ],
)
def test_a_sampler_that_cannot_be_built_is_told_with_its_key(
    tmp_path: Path, section: dict[str, Any], words: str
) -> None:
    change = ("max_depth: {int: [1, 6]}", "ccp_alpha: {float: [0.0, 1.0]}")
    search = SearchSection.model_validate({"method": "random", **section})
    with pytest.raises(UsageError, match=words):
        build_sampler(search, study(tmp_path, change).space)


def test_one_worker_needs_no_other_process(tmp_path: Path) -> None:
    file = study(tmp_path, more="execution: {workers: 1}\n").file
    with build_executor(len, file.objective, file.execution) as executor:
        assert isinstance(executor, SerialExecutor)


def test_budgets_grow_to_the_full_one() -> None:
    section: dict[str, Any] = {"min": 2, "max": 18, "factor": 3}
    assert build_budgets(BudgetSection.model_validate(section)).ladder == (2, 6, 18)


def test_a_grid_with_a_race_is_spread_unless_its_trials_share_fits() -> None:
    space = SearchSpace.of({"n": Categorical(tuple(range(20)))})
    objective = FunctionObjective(lambda params, fold: 0.0, n_folds=5)
    strategy = SamplerStrategy(space, GridSampler(), name="grid", seed=0, window=8)
    made = raced(strategy, objective)
    assert (made.sampler, made.window) == (GridSampler(is_spread=True), 2)
    sharing = Sharing(lambda params, fold: 0.0, n_folds=5)
    made = raced(strategy, sharing)
    assert (made.sampler, made.window) == (GridSampler(), 8)
    other = SamplerStrategy(space, RandomSampler(), name="random", seed=0, window=8)
    assert raced(other, objective).sampler == RandomSampler()
