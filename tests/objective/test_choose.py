from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.objective.choose import CODE, DATA, outline
from tunesmith.objective.crossval import build_objective
from tunesmith.objective.outline import Unseen, UnseenError
from tunesmith.testing.projects import TUNING, make_project

OWN = TUNING.replace("sklearn.tree.DecisionTreeClassifier", "mine_in_outline.Model")


def unseen(config: Path) -> tuple[Unseen, ...]:
    with pytest.raises(UnseenError) as caught:
        outline(load_definition(config))
    return caught.value.found


def test_an_outline_tells_the_same_dependencies_as_the_objective(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path))
    told, objective = outline(definition), build_objective(definition)
    assert told.context == objective.context
    assert (told.metrics, told.objectives) == (objective.metrics, objective.objectives)
    assert (told.n_folds, told.has_holdout) == (objective.n_folds, objective.has_holdout)


def test_code_of_the_project_is_read_and_never_run(tmp_path: Path) -> None:
    code = "raise SystemExit('project code was run')\n"
    config = make_project(tmp_path, text=OWN, mine_in_outline_py=code)
    (tmp_path / "mine.in.outline.py").rename(tmp_path / "mine_in_outline.py")
    before = outline(load_definition(config)).context["code"]
    (tmp_path / "mine_in_outline.py").write_text(f"{code}# more\nDEPTH = 3\n")
    assert outline(load_definition(config)).context["code"] != before


def test_everything_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    config = make_project(tmp_path, text=OWN)
    (tmp_path / "data.csv").unlink()
    assert unseen(config) == (
        Unseen(CODE, "there is no module `mine_in_outline`"),
        Unseen(DATA, "data.csv is not here"),
    )


def test_a_table_without_the_target_is_told(tmp_path: Path) -> None:
    config = make_project(tmp_path, text=TUNING.replace("target: kind", "target: sort"))
    (problem,) = unseen(config)
    assert "sort" in problem.why
