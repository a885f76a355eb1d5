"""What DVC does with the stages of the loose mode: people own the best parameters.

The defects (a) to (f) are those of a pipeline whose tuning rewrites a file that it does not
declare. Each has a test of its name.
"""

import json
from pathlib import Path

import pytest
import yaml
from tests.pipeline.dvc.project import BEST, REPORT, TUNED, Project

pytestmark = pytest.mark.slow
WHOLE, HALF = "[1, 2, 3, 4]", "[1, 2]"


def edit_best(project: Project, depth: int) -> None:
    project.edit(BEST, f"max_depth: {project.depth}", f"max_depth: {depth}")


def test_first_repro_tunes_then_trains_and_dvc_shows_the_numbers(loose: Project) -> None:
    assert (loose.trained, loose.evaluated, loose.changed()) == ([3], [8], {})
    assert loose.git("status", "--short") == ""
    shown = json.loads(loose.dvc("metrics", "show", "--json"))[""]["data"]
    assert shown["outputs/training_metrics.json"]["data"] == {"depth": 3}
    tuning = shown["outputs/tuning_metrics.json"]["data"]
    assert tuning["trials"] == 4
    assert tuning["accuracy"]["mean"] == yaml.safe_load(loose.text(BEST))["meta"]["mean"]
    plots = json.loads(loose.dvc("plots", "show", "--json"))
    rows = plots["data"]["tuning"][0]["content"]["data"]["values"]
    drawn = [float(row["best_score"]) for row in rows if row["field"] == "best_score"]
    assert drawn == sorted(drawn)
    assert drawn[-1] == pytest.approx(tuning["accuracy"]["mean"])
    dag = loose.dvc("dag", "--mermaid")
    assert "tuning" in dag
    assert "-->" not in dag


def test_defect_a_what_tuning_writes_is_declared_and_put_back(loose: Project) -> None:
    before = {name: loose.text(name) for name in (BEST, TUNED)}
    (loose.root / TUNED).unlink()
    assert "tuning" in loose.changed()
    loose.dvc("repro")
    (loose.root / BEST).unlink()
    # DVC reads parameters before it runs anything: it cannot be asked to make this file.
    assert "Parameters 'params' are missing" in loose.dvc("repro", code=255)
    loose.dvc("repro", "-f", "tuning")
    loose.dvc("repro")
    assert loose.changed() == {}
    assert {name: loose.text(name) for name in (BEST, TUNED)} == before
    assert sum(loose.evaluated) == 8
    assert loose.trained == [3]


def test_defect_b_new_parameters_are_trained_with_in_the_same_repro(loose: Project) -> None:
    loose.edit("tuning.yaml", WHOLE, HALF)
    loose.dvc("repro")
    assert (loose.depth, loose.trained, loose.changed()) == (2, [3, 2], {})
    stages = yaml.safe_load(loose.text("dvc.yaml"))["stages"]
    turned = {"stages": {name: stages[name] for name in ("training", "tuning")}}
    loose.write("dvc.yaml", yaml.safe_dump(turned, sort_keys=False))
    assert "`training` is listed before `tuning`" in loose.tunesmith("doctor", code=2)
    loose.tunesmith("dvc", "init", "--yes")
    assert list(yaml.safe_load(loose.text("dvc.yaml"))["stages"]) == ["tuning", "training"]


def test_defect_c_a_manual_edit_is_kept_and_told(loose: Project) -> None:
    edit_best(loose, 7)
    assert list(loose.changed()) == ["training"]
    assert "Stage 'tuning' didn't change" in loose.dvc("repro")
    assert (loose.trained, loose.evaluated) == ([3, 7], [8])
    loose.commit("a person knows better")
    edited = loose.text(BEST)
    told = loose.dvc("repro", "-f", "tuning")
    assert f"{BEST} is kept: edited by hand since trial 2 (max_depth: 3 -> 7)" in told
    loose.edit("tuning.yaml", WHOLE, HALF)
    told = loose.dvc("repro")
    assert "`tunesmith adopt` takes the winner over" in told
    assert "Stage 'training' didn't change" in told
    assert (loose.text(BEST), loose.params(TUNED)) == (edited, {"max_depth": 2})
    assert "Run `tunesmith adopt` to use the winner" in loose.text(REPORT)
    loose.tunesmith("adopt")
    loose.dvc("repro")
    assert (loose.trained, loose.changed()) == ([3, 7, 2], {})
    diff = json.loads(loose.dvc("params", "diff", "--json"))
    assert diff[BEST] == {"params.max_depth": {"old": 7, "new": 2, "diff": -5}}
    assert json.loads(loose.dvc("metrics", "diff", "--json"))["outputs/training_metrics.json"]


def test_defect_d_report_and_parameters_agree_there_and_back(loose: Project) -> None:
    first = {name: loose.text(name) for name in (BEST, TUNED, REPORT)}
    for values, depth in ((HALF, 2), (WHOLE, 3)):
        present = WHOLE if values == HALF else HALF
        loose.edit("tuning.yaml", present, values)
        told = loose.dvc("repro")
        # Nothing is taken from DVC's run cache, which knows nothing of people's file.
        assert "Running stage 'tuning'" in told
        assert loose.params() == loose.params(TUNED) == {"max_depth": depth}
        assert loose.changed() == {}
    assert {name: loose.text(name) for name in first} == first
    assert sum(loose.evaluated) == 8
    assert json.loads(loose.text("outputs/training_metrics.json")) == {"depth": 3}


def test_defect_e_another_layout_runs_nothing(loose: Project) -> None:
    data = yaml.safe_load(loose.text("tuning.yaml"))
    loose.write("tuning.yaml", "# laid out anew\n" + json.dumps(data, indent=7))
    loose.edit(BEST, "meta:", "# a word\nmeta:")
    loose.edit(BEST, "trial: 2", "trial: 2  # the third")
    assert loose.changed() == {}


def test_defect_f_where_values_come_from_is_written_down(loose: Project) -> None:
    meta = yaml.safe_load(loose.text(BEST))["meta"]
    assert (meta["study"], meta["trial"], meta["folds"]) == ("small", 2, 2)
    edit_best(loose, 7)
    assert "edited by hand since trial 2 (max_depth: 3 -> 7)" in loose.tunesmith("status")


def test_a_fresh_clone_is_up_to_date_and_goes_on_from_the_history(
    loose: Project, tmp_path: Path
) -> None:
    loose.git("clone", "-q", ".", str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    assert clone.changed() == {}
    assert "Data and pipelines are up to date" in clone.dvc("repro")
    clone.dvc("repro", "-f", "tuning")
    assert clone.evaluated == [8, 0]  # the first run was read from the history
    assert clone.git("status", "--short") == ""
    clone.edit("tuning.yaml", WHOLE, "[1, 2, 3, 4, 5]")
    clone.dvc("repro", "tuning")
    assert clone.evaluated == [8, 0, 2]


def test_experiments_of_dvc(loose: Project) -> None:
    loose.dvc("exp", "run", "-q", "-n", "narrow", "-S", "tuning.yaml:space.max_depth=[1,2]")
    assert (loose.depth, loose.trained, loose.evaluated) == (2, [3, 2], [8, 0])
    assert "# deep enough" in loose.text("tuning.yaml")
    loose.git("checkout", "-q", "--", ".")
    loose.dvc("exp", "run", "-q", "--temp", "-n", "apart", "-S", f"{BEST}:params.max_depth=4")
    assert loose.depth == 3
    shown = json.loads(loose.dvc("exp", "show", "--json"))
    found = {e["name"]: e["revs"][0]["data"] for row in shown for e in row["experiments"] or ()}
    depths = {
        name: data["metrics"]["outputs/training_metrics.json"]["data"]["depth"]
        for name, data in found.items()
    }
    assert depths == {"narrow": 2, "apart": 4}
