"""What ``dvc init`` would write: files are planned here, and run by DVC in the stories."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from tests.pipeline.dvc.project import BEST, TRAIN, TUNED, TUNING
from tests.pipeline.repositories import parameters

from tunesmith.config.load import load_definition
from tunesmith.errors import ConfigError, UsageError
from tunesmith.pipeline.dvc.init import plan_init
from tunesmith.pipeline.dvc.pipeline_file import Request
from tunesmith.pipeline.dvc.stages import Coupling
from tunesmith.testing.projects import make_project

PLAIN, LOOSE, TIGHT = Request(), Request(Coupling.LOOSE), Request(Coupling.TIGHT)
FLAGS = {"cache": False, "persist": True}
TEAM = """\
vars: [{raw: raw.csv}]
stages:
  # makes the table
  prepare:
    cmd: python prepare.py ${raw}
    deps: &deps [prepare.py]
    outs:
    - data.csv   # large

  training:   # every night
    cmd: python train.py --fast
    deps: [train.py, data.csv]
    outs:
      - model.pkl
metrics: [outputs/other.json]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_project(tmp_path, text=TUNING)
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("")
    return tmp_path


def diff(root: Path, request: Request = PLAIN, config: str = "tuning.yaml") -> str:
    """Plan, write, and see that there is nothing left to do."""
    plan = plan_init(load_definition(root / config), request)
    found = "".join(change.diff(root) for change in plan.changes)
    plan.write()
    assert plan_init(load_definition(root / config), request).changes == ()
    return found


def stages(root: Path) -> dict[str, Any]:
    found = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    assert isinstance(found, dict)
    return found


def outs(root: Path) -> list[str]:
    return [name for item in stages(root)["tuning"]["outs"] for name in item]


def test_a_new_pipeline(root: Path, snapshot: SnapshotAssertion) -> None:
    assert diff(root) == snapshot


def test_a_team_s_pipeline_keeps_all_that_it_has(root: Path, snapshot: SnapshotAssertion) -> None:
    (root / "dvc.yaml").write_text(TEAM)
    assert diff(root, TIGHT) == snapshot
    assert list(stages(root)) == ["prepare", "tuning", "training"]


def test_from_loose_to_tight_and_back(root: Path) -> None:
    diff(root, LOOSE)
    path = root / "dvc.yaml"
    path.write_text(path.read_text().replace("cmd: tunesmith run", "cmd: tunesmith run -q  # us"))
    before, config = path.read_text(), (root / "tuning.yaml").read_text()
    diff(root, TIGHT)
    assert BEST in outs(root)
    assert TUNED not in outs(root)
    assert "tuned:" not in (root / "tuning.yaml").read_text()
    assert diff(root) == ""  # it stays as it is
    diff(root, LOOSE)
    assert BEST not in outs(root)
    assert sorted(path.read_text().splitlines()) == sorted(before.splitlines())
    assert sorted((root / "tuning.yaml").read_text().splitlines()) == sorted(config.splitlines())


@pytest.mark.parametrize("name", ["größe 1/日本.csv", 'it\'s "it".csv', "a\\b.csv", "${x}.csv"])
def test_odd_names_are_found_again(root: Path, name: str) -> None:
    config = root / "tuning.yaml"
    content = yaml.safe_load(config.read_text())
    content["outputs"] = {"trials": name}
    config.write_text(yaml.safe_dump(content, allow_unicode=True))
    diff(root, LOOSE)
    written = (root / "dvc.yaml").read_text()
    assert diff(root, LOOSE) == ""
    assert (root / "dvc.yaml").read_text() == written
    assert len(yaml.safe_load(written)["plots"]) == 1


def test_only_what_is_missing_is_added_to_our_stage(root: Path) -> None:
    (root / "dvc.yaml").write_text("""\
stages:
  training:
    cmd: python train.py
    deps: [train.py, config/best_parameters.yaml]
  search:   # the old way
    cmd: tunesmith run
    deps:
      - tuning.yaml
      - extra.txt
    outs:
      - outputs/tuning_results.md
      - own.txt
""")
    diff(root, LOOSE)
    found = stages(root)
    assert list(found) == ["search", "training"]
    search = found["search"]
    # A dependency on the file itself would run again for a comment.
    assert search["deps"] == ["extra.txt", "data.csv"]
    assert search["params"] == [{"tuning.yaml": None}]
    assert search["outs"][:2] == [{"outputs/tuning_results.md": FLAGS}, "own.txt"]
    assert found["training"]["deps"] == ["train.py", BEST]


def test_another_configuration_has_a_stage_of_its_own(root: Path) -> None:
    diff(root)
    (root / "config").mkdir()
    text = (root / "tuning.yaml").read_text().replace("outputs/", "second/")
    text += "  best: second/best.json\n  report: second/report.md\n"
    (root / "config/other.yaml").write_text(text.replace("study: small", "study: other"))
    request = Request(stage="second", training_stage="third", training="sh t.sh")
    diff(root, request, "config/other.yaml")
    found = stages(root)
    assert list(found) == ["tuning", "training", "second", "third"]
    assert found["second"]["cmd"] == "tunesmith run -c config/other.yaml"
    assert found["third"]["params"] == [{"second/best.json": ["params"]}]


def test_code_is_a_dependency_by_module_and_package(root: Path) -> None:
    package = root / "src/models"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import helpers\n")
    (package / "tree.py").write_text("")
    (root / "helpers.py").write_text("")
    config = root / "tuning.yaml"
    text = config.read_text().replace("sklearn.tree.Dec", "models.tree.Dec")
    config.write_text(text.replace("[1, 2, 3, 4]  # deep enough", "[1]").replace("space:\n", ""))
    (root / "points.json").write_text('{"max_depth": [1, 2]}')
    config.write_text(config.read_text().replace("  max_depth: [1]", "space: points.json"))
    diff(root)
    assert stages(root)["tuning"]["deps"] == ["data.csv", "helpers.py", "src/models", "points.json"]
    assert stages(root)["training"]["deps"] == ["train.py", "data.csv", "src"]


def test_a_program_and_what_it_depends_on(root: Path) -> None:
    (root / "lib").mkdir()
    (root / "lib/a.py").write_text("")
    (root / "tuning.yaml").write_text("""\
study: program
objective:
  command: [python, train.py, "{max_depth}"]
  metrics_file: m.json
  metric: {name: loss, direction: minimize}
  depends_on: [lib, "*.py"]
space: {max_depth: [1, 2]}
search: {method: grid}
outputs: {trials: outputs/trials.jsonl}
""")
    plan = plan_init(load_definition(root / "tuning.yaml"), Request())
    assert any("name a .csv file as `outputs.trials`" in note for note in plan.notes)
    plan.write()
    assert stages(root)["tuning"]["deps"] == ["lib", "train.py"]
    assert "plots" not in yaml.safe_load((root / "dvc.yaml").read_text())


def test_files_are_listed_where_their_folder_holds_an_out(root: Path) -> None:
    (root / "outputs").mkdir()
    (root / "outputs/a.txt").write_text("")
    config = root / "tuning.yaml"
    text = "objective:\n  command: [python, train.py]\n  depends_on: outputs\n"
    text += "  metrics_file: m.json\n  metric: {name: loss, direction: minimize}\n"
    config.write_text(f"study: a\n{text}space: {{x: [1, 2]}}\nsearch: {{method: grid}}\n")
    diff(root)
    assert stages(root)["tuning"]["deps"] == ["outputs/a.txt"]


JSON = """\
{"study": "a", "space": {"max_depth": [1, 2]}, "search": {"method": "grid"}, "objective": {
  "estimator": "sklearn.tree.DecisionTreeRegressor", "metric": "r2",
  "data": {"path": "data.csv", "target": "kind"}}}
"""
TOML = """\
study = "a"
[objective]
estimator = "sklearn.tree.DecisionTreeRegressor"
metric = "r2"
data = {path = "data.csv", target = "kind"}
[space]
max_depth = [1, 2]
[search]
method = "grid"
"""


@pytest.mark.parametrize(("name", "text"), [("tuning.json", JSON), ("tuning.toml", TOML)])
def test_other_formats_of_the_configuration(root: Path, name: str, text: str) -> None:
    (root / "tuning.yaml").unlink()
    (root / name).write_text(text)
    diff(root, LOOSE, name)
    assert load_definition(root / name).file.outputs.tuned == TUNED
    assert stages(root)["tuning"]["cmd"] == f"tunesmith run -c {name}"
    diff(root, TIGHT, name)
    assert load_definition(root / name).file.outputs.tuned is None


def test_merge_keys_of_other_stages_stay_and_of_ours_are_refused(root: Path) -> None:
    one = "stages:\n  one: &one\n    cmd: a\n    deps: [x.csv]\n"
    (root / "dvc.yaml").write_text(f"{one}  two:\n    <<: *one\n    cmd: b\n")
    diff(root)
    found = (root / "dvc.yaml").read_text()
    assert "    <<: *one\n" in found
    assert stages(root)["two"]["deps"] == ["x.csv"]
    (root / "dvc.yaml").write_text(f"{one}  training:\n    <<: *one\n    outs: [outputs]\n")
    with pytest.raises(ConfigError, match=r"dvc\.yaml: stages\.training: `outputs` is an out"):
        diff(root)
    (root / "dvc.yaml").write_text(f"{one}  tuning:\n    <<: *one\n    cmd: tunesmith run\n")
    with pytest.raises(UsageError, match="is not there as an entry of its own"):
        diff(root)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("stages:\n  tuning:\n    cmd: python tune.py\n", Request()),
        ("stages:\n  training:\n    cmd: other\n", Request(training="python train.py")),
        ("stages:\n  a:\n    cmd: x\n    outs: [outputs]\n", Request()),
        ("stages:\n  tuning:\n    cmd: tunesmith run\n    wdir: sub\n", Request()),
        ("stages:\n  tuning:\n    foreach: [1]\n    do: {cmd: tunesmith run}\n", Request()),
        ("stages:\n  - a\n", Request()),
        ("stages: {a: b: c}\n", Request()),
        ("x: &d [a]\nstages:\n  tuning:\n    cmd: tunesmith run\n    deps: *d\n", Request()),
        ("", Request(stage="a/b")),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_written(
    root: Path, text: str, request_: Request, snapshot: SnapshotAssertion
) -> None:
    (root / "dvc.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        diff(root, request_)
    assert str(caught.value) == snapshot
    assert (root / "dvc.yaml").read_text() == text


def test_all_that_stands_in_the_way_is_told_at_once(root: Path) -> None:
    (root / "dvc.yaml").write_text(
        "stages:\n  tuning:\n    cmd: python tune.py\n    outs: [outputs/trials.csv]\n"
        "  training:\n    cmd: other\n"
    )
    request = Request(training="python train.py")
    with pytest.raises(ConfigError) as caught:
        diff(root, request)
    assert len(caught.value.violations) == 3
    diff(root, Request(training="python train.py", is_forced=True))
    assert [stages(root)[name]["cmd"] for name in ("tuning", "training")] == [
        "tunesmith run",
        "python train.py",
    ]


def test_what_dvc_tracks_already(root: Path) -> None:
    (root / "outputs.dvc").write_text("outs: [{path: outputs}]\n")
    with pytest.raises(ConfigError, match=r"outputs: is tracked by outputs\.dvc"):
        diff(root)


def test_no_dvc_project(root: Path) -> None:
    (root / ".dvc/config").unlink()
    with pytest.raises(UsageError, match="`dvc init --subdir`"):
        diff(root)


def test_outs_that_git_ignores_are_told(root: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / ".gitignore").write_text("outputs/*.json*\n")
    (note,) = plan_init(load_definition(root / "tuning.yaml"), PLAIN).notes
    assert note.startswith("Git ignores outputs/history.jsonl, outputs/tuning_metrics.json, and")


def test_notes(root: Path) -> None:
    (root / "train.py").write_text("")
    definition = load_definition(root / "tuning.yaml")
    (note,) = plan_init(definition, Request()).notes
    assert "expects outputs/training_metrics.json from `python train.py`" in note
    (root / "train.py").unlink()
    (note,) = plan_init(definition, Request()).notes
    assert "--training" in note


PROGRAM = """\
study: small
objective:
  command: [python, fit.py, "{depth}"]
  metrics_pattern: score=(.*)
  metric: {name: score, direction: maximize}
space: {depth: [1, 2]}
search: {method: grid}
"""
TRAINED = """\
stages:
  prepare: {cmd: python prepare.py, deps: [raw.csv], outs: [tables/made.csv]}
  training:
    cmd: python train.py
    deps: [train.py, helpers, data.csv, tables/made.csv]
    params:
      - config/best_parameters.yaml: [params]
    outs: [model.bin]
  score:
    cmd: python score.py
    deps: [model.bin, config/best_parameters.yaml, holdout.csv]
    metrics: [scores.json]
"""


def test_a_program_depends_on_the_data_of_training(root: Path) -> None:
    for name in ("fit.py", "train.py", "helpers/a.py", "holdout.csv"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("")
    (root / "tuning.yaml").write_text(PROGRAM)
    (root / "dvc.yaml").write_text(TRAINED)
    definition = load_definition(root / "tuning.yaml")
    assert plan_init(definition, PLAIN).notes[:3] == (
        (
            "`tuning` depends on data.csv, as `training` does; so does the study"
            " (`objective.depends_on`)."
        ),
        "`tuning` depends on tables/made.csv, as `training` does.",
        (
            "`tuning` depends on holdout.csv, as `score` does; so does the study"
            " (`objective.depends_on`)."
        ),
    )
    diff(root)
    deps = stages(root)["tuning"]["deps"]
    assert deps == [
        "fit.py",
        "train.py",
        "helpers",
        "data.csv",
        "holdout.csv",
        "tables/made.csv",
    ]
    # What tuning or a stage after it makes would be a circle.
    assert "model.bin" not in deps
    named = load_definition(root / "tuning.yaml").file.objective.depends_on
    assert named == ("*.py", "helpers", "data.csv", "holdout.csv")


def test_tight_leaves_no_tuned_parameters(root: Path) -> None:
    diff(root, LOOSE)
    for name in (BEST, TUNED):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(parameters(depth=3))
    assert "deleted" not in diff(root, Request(Coupling.LOOSE))
    text = parameters(depth=3).replace("depth: 3", "depth: 4")
    (root / BEST).write_text(text)
    plan = plan_init(load_definition(root / "tuning.yaml"), TIGHT)
    assert "was edited by hand, and `dvc repro` puts back" in " ".join(plan.notes)
    plan.write()
    assert not (root / TUNED).exists()
    assert (root / BEST).read_text() == text


def test_a_program_depends_on_the_data_that_it_names(root: Path) -> None:
    (root / "tuning.yaml").write_text(PROGRAM)
    (root / "fit.py").write_text(
        "import data\nopen('tables/rows.csv'); open('made.csv'); open('raw.bin'); open('later.csv')"
        "\nopen('new.csv', 'w'); open('tuning.yaml'); open('outputs/tuning_results.md')\n"
    )
    (root / "data.py").write_text("ROWS = 'tables/more.tsv'\n")
    (root / "train.py").write_text(f"{TRAIN}\nopen('tables/rows.csv'); open('model.json', 'w')\n")
    names = ("tables/rows.csv", "tables/more.tsv", "made.csv", "raw.bin", "raw.bin.dvc")
    for name in (*names, "later.csv", "new.csv", "model.json", "outputs/tuning_results.md"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("1\n")
    (root / ".gitignore").write_text("raw.bin\nmade.csv\nlater.csv\n")
    (root / "dvc.yaml").write_text(
        "stages:\n  prepare: {cmd: make, outs: [made.csv]}\n"
        "  evaluate: {cmd: eval, deps: [outputs/tuning_metrics.json], outs: [later.csv]}\n"
    )
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    kept = [name for name in names if name not in ("raw.bin", "made.csv")]
    subprocess.run(["git", "-C", str(root), "add", "model.json", "train.py", *kept], check=True)
    plan = plan_init(load_definition(root / "tuning.yaml"), Request(training="python train.py"))
    plan.write()
    found = stages(root)
    read = ["tables/rows.csv", "made.csv", "raw.bin", "tables/more.tsv"]
    code = ["data.py", "fit.py", "train.py"]
    assert found["tuning"]["deps"][:3] == code
    assert sorted(found["tuning"]["deps"][3:]) == sorted(read)
    assert found["training"]["deps"] == ["train.py", "tables/rows.csv"]
    assert "`tuning` depends on tables/more.tsv, which data.py names." in plan.notes
    assert plan_init(load_definition(root / "tuning.yaml"), PLAIN).changes == ()


@pytest.mark.parametrize(
    ("best", "present", "keys"),
    [
        ("{path: best.json, meta: false}", None, None),
        ("{path: params.yaml, at: train}", None, ["train"]),
        ("{path: params.yaml, at: .}", "max_depth: 1\nseed: 3\n", None),
        ("params.yaml", "max_depth: 1\nseed: 3\n", None),
        ("params.yaml", "params: {max_depth: 1}\n", ["params"]),
        ("{path: params.yaml, at: a.b}", "a: {b: {max_depth: 1}}\nnames: {0: x}\n", ["a.b"]),
    ],
)
def test_training_depends_on_the_place_of_the_parameters(
    root: Path, best: str, present: str | None, keys: list[str] | None
) -> None:
    """DVC stops at a key that is not in the file."""
    (root / "tuning.yaml").write_text(f"{TUNING}outputs: {{best: {best}}}\n")
    if present is not None:
        (root / "params.yaml").write_text(present)
    diff(root, LOOSE)
    name = "best.json" if "json" in best else "params.yaml"
    assert stages(root)["training"]["params"] == [{name: keys}]


SPLITS = """stages:
  split:
    cmd: python split.py
    params: [split]
    outs: [data.csv]
  train:
    cmd: python train.py
    deps: [data.csv]
    params: [train.max_depth]
"""


def test_a_file_of_many_stages_keys(root: Path) -> None:
    """Only the stage that reads the parameters trains; as an out of tuning it is a circle."""
    text = f"{TUNING}outputs: {{best: {{path: params.yaml, at: train}}}}\n"
    (root / "tuning.yaml").write_text(text)
    (root / "params.yaml").write_text("split: 3\ntrain: {max_depth: 1}\n")
    (root / "dvc.yaml").write_text(SPLITS)
    with pytest.raises(ConfigError) as caught:
        diff(root, TIGHT)
    assert "dvc.yaml:2:3: stages.split: tuning needs what this stage makes" in str(caught.value)
    assert "it reads params.yaml" in str(caught.value)
    assert "--loose" in str(caught.value)
    diff(root, LOOSE)
    assert list(stages(root)) == ["split", "tuning", "train"]


def test_values_of_a_run_are_not_told_as_edited(root: Path) -> None:
    """A file without an origin is compared with the tuned parameters."""
    text = f"{TUNING}outputs: {{best: {{path: best.json, meta: false}}, tuned: {TUNED}}}\n"
    (root / "tuning.yaml").write_text(text)
    (root / "outputs").mkdir()
    (root / TUNED).write_text(parameters(max_depth=3))
    for value, is_edited in ((3, False), (4, True)):
        (root / "best.json").write_text(f'{{"max_depth": {value}}}')
        plan = plan_init(load_definition(root / "tuning.yaml"), TIGHT)
        assert any("was edited by hand" in note for note in plan.notes) == is_edited


def test_predictions_are_an_out_that_git_keeps(root: Path) -> None:
    config = root / "tuning.yaml"
    config.write_text(f"{config.read_text()}outputs: {{predictions: outputs/oof.csv}}\n")
    diff(root)
    assert "outputs/oof.csv" in outs(root)
    (item,) = (one for one in stages(root)["tuning"]["outs"] if "outputs/oof.csv" in one)
    assert item["outputs/oof.csv"] == FLAGS
