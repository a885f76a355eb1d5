"""The tuning stage depends on what runs of the study were seen to read."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.objective.program.observing import seccomp
from tunesmith.pipeline.dvc.health import findings
from tunesmith.pipeline.dvc.init import plan_init
from tunesmith.pipeline.dvc.pipeline_file import Request

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(seccomp.refusal()), reason=seccomp.refusal() or "-"),
]
STUDY = """\
study: s
objective:
  command: [sh, run.sh, "{a}"]
  metrics_pattern: "score: (.*)"
  metric: {name: score, direction: maximize}
space: {a: [1, 2]}
search: {method: grid}
execution: {workers: 1}
"""
RUN = """\
. lib/settings.sh
ls many > /dev/null; cat many/* cache/model 2> /dev/null > /dev/null
echo $1 > made; echo score: $(cat data/table.csv)$(cat made)$(cat ../beside)
"""
STAGES = """\
stages:
  training:
    cmd: sh train.sh
    deps: [config/best_parameters.yaml]
    outs: [cache]
"""


def test_what_runs_have_read_is_named(tmp_path: Path) -> None:
    root = tmp_path / "project"
    files = {"tuning.yaml": STUDY, "run.sh": RUN, "dvc.yaml": STAGES, "lib/settings.sh": "x=1\n"}
    files |= {f"many/{number}": f"{number}\n" for number in range(6)}
    files |= {"data/table.csv": "1\n", "cache/model": "", "unread.csv": "", ".dvc/config": ""}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (tmp_path / "beside").write_text("3\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    definition = load_definition(root / "tuning.yaml")
    assert not any("seen to read" in note for note in plan_init(definition, Request()).notes)
    tune(root / "tuning.yaml")
    plan_init(definition, Request()).write()
    text = (root / "dvc.yaml").read_text()
    (root / "dvc.yaml").write_text(text.replace("      - many\n", ""))
    (finding,) = [f for f in findings(definition) if f.name == "dvc dependencies"]
    assert finding.detail.startswith("runs of the study were seen to read many, which is no dep")
    (root / "dvc.yaml").write_text(STAGES)
    plan = plan_init(definition, Request())
    assert plan.notes[0] == (
        "`tuning` depends on data/table.csv, lib/settings.sh, many: runs of the study were seen to"
        " read them."
    )
    plan.write()
    deps = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]["tuning"]["deps"]
    # Not what training makes, for that would be a circle, nor what lies beside the project.
    assert deps == ["run.sh", "data/table.csv", "lib/settings.sh", "many"]
    again = plan_init(load_definition(root / "tuning.yaml"), Request())
    assert not again.changes
