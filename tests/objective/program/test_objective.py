"""The objective of programs keeps what every objective keeps."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tunesmith.config.load import define
from tunesmith.errors import UsageError
from tunesmith.objective.program.build import build_program
from tunesmith.objective.program.objective import ProgramObjective
from tunesmith.testing.objective import ObjectiveContract
from tunesmith.types import Params

SCRIPT = """\
case "$1" in
  x=-1) echo broken >&2; exit 2 ;;
esac
echo "score: ${1#x=}$TUNESMITH_SEED.5"
"""
OBJECTIVE: dict[str, Any] = {
    "command": ["sh", "train.sh", "x={x}", "y={y}"],
    "metrics_pattern": r"score: (\S+)",
    "metric": {"name": "score", "direction": "maximize"},
    "seeds": 2,
}


def build(root: Path, **changes: Any) -> ProgramObjective:
    (root / "train.sh").write_text(SCRIPT)
    objective = {**OBJECTIVE, **changes}
    space = {"x": [-1, 1, 2], "y": [None, 0.5]}
    sections = {"study": "s", "space": space, "search": {"method": "grid", "seed": 7}}
    definition = define({**sections, "objective": objective}, root=root)
    return build_program(definition, n_workers=1, restored={})


class TestProgramObjective(ObjectiveContract):
    @pytest.fixture(autouse=True)
    def project(self, tmp_path: Path) -> None:
        self.root = tmp_path

    def make(self) -> ProgramObjective:
        return build(self.root)

    def params(self) -> Sequence[Params]:
        return [{"x": 1, "y": None}, {"x": 2, "y": None}]

    def failing(self) -> Params:
        return {"x": -1, "y": None}


def test_seeds_are_folds(tmp_path: Path) -> None:
    from tunesmith.types import Fit

    objective = build(tmp_path)
    scores = [objective.evaluate(Fit(fold, ({"x": 1},)))[0].scores for fold in (0, 1)]
    assert scores == [{"score": 17.5}, {"score": 18.5}]


def test_what_results_depend_on_is_told_by_content(tmp_path: Path) -> None:
    before = build(tmp_path)
    (tmp_path / "unrelated.txt").write_text("x")
    assert build(tmp_path).context == before.context
    (tmp_path / "lib.py").write_text("x = 1\n")
    assert build(tmp_path).context == before.context
    named = build(tmp_path, depends_on=["*.txt", "train.sh"])
    (tmp_path / "unrelated.txt").write_text("y")
    assert build(tmp_path, depends_on=["*.txt", "train.sh"]).context != named.context
    command = [*OBJECTIVE["command"], "b={batch}"]
    fixed = build(tmp_path, params={"batch": 3}, command=command)
    assert fixed.context["objective"] != before.context["objective"]
    assert build(tmp_path, environment={"set": {"A": "1"}}).context != before.context
    assert build(tmp_path, grace=1, retry={"exit": 1}).context == before.context


def test_what_results_depend_on_is_said(tmp_path: Path) -> None:
    first, second, third = build(tmp_path, depends_on=["train.sh"]).notes
    assert first.startswith(
        "results depend on the files that each run is seen to read or look for,"
    )
    assert "and on train.sh (`depends_on`): when one changes" in first
    assert second.startswith("not seen, and not counted: installed packages")
    assert third.startswith("runs work in copies; what is linked is copied when")
    apart = build(tmp_path, workspace={"watch": "off"}).notes
    assert apart[0] == "runs are not watched: `objective.workspace.watch` is off"
    assert apart[1].startswith("results depend on all files that a run finds: when one changes")


def test_defaults_stand_in_the_parameters_file(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("x: 2\ny: null\nz: 3\n")
    assert build(tmp_path, params_file="p.yaml").defaults() == {"x": 2, "y": None}
    (tmp_path / "p.ini").write_text("[a]\nX = 1\n[DEFAULT]\ny = 0.5\n")
    ini = {"path": "p.ini", "at": "a"}
    with pytest.raises(UsageError, match=r"p\.ini: INI has no null, which `a\.y` needs"):
        build(tmp_path, params_file=ini)
    assert build(tmp_path).defaults() == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"command": ["no-such-program"]}, "the program `no-such-program` does not exist"),
        ({"command": ["./train.sh"]}, "is not executable.\n  Make it executable"),
        ({"command": ["train.sh"]}, "is on no search path.\n  .* write `./train.sh`"),
        ({"command": ["sh", "s={seed}"], "params": {"seed": 1}}, "`{seed}` is the name of a para"),
        ({"command": ["awk", "{print $1}"]}, "`{print .1}`. A literal brace is written twice"),
        ({"command": ["sh", "a={x:.3f}"]}, "no format may follow the name"),
        ({"command": ["sh", "{X}", "{z}"]}, r"command.1: nothing is named `\{X\}`"),
        ({"command": ["sh", "{x}"]}, "`{x}` begins with a parameter.* as `--name={name}`"),
        ({"command": ["sh", "{a}"], "params": {"a": "-f"}}, "`{a}` begins with a parameter"),
        ({"params_file": "params"}, "tells no format"),
        ({"params_file": {"path": "p.toml"}, "command": ["sh", "{params}"]}, "TOML has no null"),
        ({"metrics_pattern": ..., "metrics_file": "m.txt"}, "tells no format"),
        ({"depends_on": "*.rs"}, "`.*rs` names no file"),
    ],
)
def test_what_cannot_work_is_said_before_anything_runs(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    kept = {name: value for name, value in {**OBJECTIVE, **changes}.items() if value is not ...}
    removed = dict.fromkeys(name for name in OBJECTIVE if name not in kept)
    with pytest.raises(UsageError, match=words):
        build(tmp_path, **kept, **removed)


def test_a_value_that_is_no_option_may_stand_alone(tmp_path: Path) -> None:
    objective = build(
        tmp_path, command=["sh", "train.sh", "{y}", "{b}", "x={x}"], params={"b": "f-"}
    )
    given: Params = {"b": "f-", "x": -1, "y": 0.5}
    items = objective.runner.ports.put_in(given, tmp_path, tmp_path, {})
    assert items[2:] == ["0.5", "f-", "x=-1"]


def test_files_of_one_name_do_not_meet_in_a_shared_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/params.json").write_text('{"deep": {"x": 1, "y": 2}}')
    objective = build(
        tmp_path,
        command=["sh", "train.sh", "{params}", "m={metrics}"],
        params_file={"path": "a/params.json", "at": "deep"},
        metrics_pattern=None,
        metrics_file="b/params.json",
        workspace="shared",
    )
    run = tmp_path / "run"
    _, _, params, metrics = objective.runner.ports.put_in({"x": 2, "y": None}, tmp_path, run, {})
    assert json.loads(Path(params).read_text()) == {"deep": {"x": 2, "y": None}}
    assert len({params, metrics.removeprefix("m="), str(run / "params.json")}) == 3


def test_what_is_streamed_under_another_name_is_told(tmp_path: Path) -> None:
    from tunesmith.types import Fit

    stream = 'echo "{{\\"step\\": 1, \\"scores\\": 2}}" >> "$TUNESMITH_PROGRESS"'
    for command, words in ((stream, "Did you mean `scores`?"), ("true", "streamed at all")):
        changes = {"metrics_pattern": None, "progress_file": "p.jsonl", "seeds": 1}
        objective = build(tmp_path, command=["sh", "-c", command, "x={x}", "y={y}"], **changes)
        (result,) = objective.evaluate(Fit(0, ({"x": 1},)))
        assert result.failure is not None
        assert words in result.failure.message
