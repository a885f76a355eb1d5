from importlib.util import find_spec
from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.errors import DataError
from tunesmith.objective.crossval import build_objective
from tunesmith.pipeline.dvc.stages import Coupling, coupling, read_stages, tuning_stage
from tunesmith.runs.project_code import project_on_path
from tunesmith.scaffold.files import (
    CLASSIFIER,
    REGRESSOR,
    Guess,
    guess_from,
    plan_files,
    study_name,
)
from tunesmith.space import Box
from tunesmith.system.files import write_files

NUMBERS = "a,b,y\n" + "".join(f"{i},{i % 7},{i * 0.37}\n" for i in range(40))
CLASSES = "a,b,y\n" + "".join(f"{i},{i % 7},{i % 2}\n" for i in range(40))
MIXED = 'size,"home, town",Has churned?\n' + "".join(
    f"{i or ''},{'Rome' if i % 3 else ''},{'yes' if i % 2 else 'no'}\n" for i in range(40)
)


def made(folder: Path, table: str, name: str = "data.csv", **options: str) -> Guess:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(table)
    guess = guess_from(folder, options.get("data"), options.get("target"))
    write_files(plan_files(folder, "basic", guess))
    return guess


@pytest.mark.parametrize(
    ("table", "estimator", "target"),
    [(NUMBERS, REGRESSOR, "y"), (CLASSES, CLASSIFIER, "y"), (MIXED, CLASSIFIER, "Has churned?")],
)
def test_what_is_proposed_can_be_run_as_it_is(
    tmp_path: Path, table: str, estimator: str, target: str
) -> None:
    guess = made(tmp_path, table)
    assert (guess.estimator, guess.target) == (estimator, target)
    definition = load_definition(tmp_path / "tuning.yaml")
    objective = build_objective(definition)
    # The first trial tells what tuning gains, so the defaults must lie in the space.
    definition.space.canonical(objective.defaults())


@pytest.mark.parametrize(
    "target",
    ["true", "no", "null", "1e5", "-5", "y: z", "# x", 'a "b"', "größe", "~", "0x1F", " y"],
)
def test_any_column_name_survives_the_file(tmp_path: Path, target: str) -> None:
    header = '"' + target.replace('"', '""') + '"'
    made(tmp_path, f"a,{header}\n" + "".join(f"{i},{i % 2}\n" for i in range(20)))
    data = load_definition(tmp_path / "tuning.yaml").file.objective.data
    assert data is not None
    assert data.target == target


@pytest.mark.parametrize(
    ("folder", "name"),
    [("churn", "churn"), ("a b", "a-b"), ("Tüv #3", "Tuv-3"), ("日本", "my-study"), ("_x", "x"),
     ("x" * 90, "x" * 80)],
)  # fmt: skip
def test_a_study_is_named_after_its_folder(folder: str, name: str) -> None:
    assert study_name(Path("/work") / folder) == name


def test_odd_folders_get_valid_files(tmp_path: Path) -> None:
    made(tmp_path / "tüv prüf '#1'", CLASSES, "data sets/töp 1.csv")
    file = load_definition(tmp_path / "tüv prüf '#1'/tuning.yaml").file
    assert file.objective.data is not None
    assert file.objective.data.path == ("data sets/töp 1.csv",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        ("größe,y\n1,2\n".encode("latin-1"), "not UTF-8"),
        (b"a;b;y\n1;2;0\n3;4;1\n", "separated by ';', not by commas"),
        (b"a,a,y\n1,2,3\n", "names a column twice: `a`"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "data.csv").write_bytes(content)
    with pytest.raises(DataError, match=words):
        guess_from(tmp_path, None, None)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(CLASSES)
    with pytest.raises(DataError, match=r"no column `Y`\. Known: a, b, y"):
        guess_from(tmp_path, "data.csv", "Y")


def test_a_path_from_elsewhere_is_turned_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data.csv").write_text(CLASSES)
    (tmp_path / "new").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"`--data \.\./data\.csv`"):
        guess_from(Path("new"), "data.csv", None)
    assert guess_from(Path("new"), "../data.csv", None).data == "../data.csv"


def test_among_several_tables_none_is_guessed(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(CLASSES)
    guess = guess_from(tmp_path, None, "churn")
    assert (guess.data, guess.target) == ("data.csv", "churn")


def test_the_demo_is_a_whole_project(tmp_path: Path) -> None:
    write_files(plan_files(tmp_path, "demo", Guess()))
    for name in ("tuning.yaml", "studies/grid.yaml", "studies/random.yaml"):
        definition = load_definition(tmp_path / name)
        assert definition.root == tmp_path
        assert all(isinstance(box, Box) for box in definition.space)
    assert (tmp_path / "processed_data/dataset.csv").read_text().count("\n") == 570


@pytest.mark.parametrize("is_tight", [False, True])
def test_the_repository_to_copy_is_in_step_with_itself(tmp_path: Path, is_tight: bool) -> None:
    write_files(plan_files(tmp_path, "mlops", Guess(), is_tight=is_tight))
    outputs = load_definition(tmp_path / "tuning.yaml").file.outputs
    stages = read_stages((tmp_path / "dvc.yaml").read_text())
    assert list(stages) == ["preprocessing", "tuning", "training", "evaluation"]
    tuning = tuning_stage(stages, "tuning.yaml")
    assert tuning is not None
    assert coupling(tuning, outputs.best.path) is (Coupling.TIGHT if is_tight else Coupling.LOOSE)
    named = set(outputs.paths.values())
    assert set(tuning.outs) == named - (set() if is_tight else {outputs.best.path})
    assert all(flags == {"cache": False, "persist": True} for flags in tuning.outs.values())
    for name in {dep for stage in stages.values() for dep in stage.deps}:
        is_made = any(name in stage.outs for stage in stages.values())
        assert is_made or (tmp_path / name).is_file()
    assert "$" not in (tmp_path / "README.md").read_text()
    with project_on_path(tmp_path):
        found = find_spec("model")
    assert found is not None
    assert found.origin == str(tmp_path / "src/model.py")


def test_planning_writes_nothing(tmp_path: Path) -> None:
    planned = plan_files(tmp_path / "new", "basic", Guess())
    assert [file.path.name for file in planned] == ["tuning.schema.json", "tuning.yaml"]
    assert not any(file.exists or file.is_same for file in planned)
    assert list(tmp_path.iterdir()) == []
    write_files(planned)
    assert all(file.is_same for file in planned)
