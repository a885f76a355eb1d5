"""What a run imports until its first fit: everything else would only make it start later."""

import subprocess
import sys
from pathlib import Path

from tunesmith.testing.projects import make_project

UNTIL_THE_FIRST_FIT = """
import os, sys
from tunesmith.execute.processes import ProcessExecutor
from tunesmith.cli import main

def told(self, item):
    print(*sorted(sys.modules))
    sys.stdout.flush()
    os._exit(0)

ProcessExecutor.submit = told
sys.argv = ["tunesmith", "run", "-q"]
main()
"""
PROGRAM = """\
study: small
objective:
  command: [sh, -c, "echo loss={x}"]
  metrics_pattern: "loss=(?P<loss>.*)"
  metric: {name: loss, direction: minimize}
space: {x: {float: [0.0, 1.0]}}
search: {method: random}
stop: {trials: 3}
"""
AT_THE_END = (
    *("scipy.stats", "jinja2", "tunesmith.reporting.page", "tunesmith.reporting.drawing.svg"),
    "tunesmith.reporting.markdown",
)
NEVER = (
    *("dvc", "git", "optuna", "cmaes", "matplotlib", "plotly", "xgboost", "lightgbm", "catboost"),
    *("skopt", "IPython", "pytest", "http.server", "sqlalchemy.dialects.postgresql"),
    *("tunesmith.pipeline", "tunesmith.sklearn", "tunesmith.testing", "tunesmith.scaffold"),
)


def imported(folder: Path, code: str, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_a_study_of_a_program_starts_without_the_libraries_of_estimators(tmp_path: Path) -> None:
    make_project(tmp_path, text=PROGRAM)
    found = imported(tmp_path, UNTIL_THE_FIRST_FIT)
    assert "tunesmith.objective.program.build" in found
    assert not found & {"pandas", "scipy", "sklearn", "pyarrow", *AT_THE_END, *NEVER}


def test_its_workers_start_without_the_ledger_and_the_libraries(tmp_path: Path) -> None:
    code = (
        "import sys, tunesmith.execute.shared_data, tunesmith.objective.program.objective;"
        "print(*sys.modules)"
    )
    found = imported(tmp_path, code)
    assert not found & {"pandas", "scipy", "sklearn", "sqlalchemy", "click", *NEVER}


READ = """
import contextlib, io, sys
from tunesmith.__main__ import main

sys.argv = ["tunesmith", *sys.argv[1:]]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
print(*sys.modules)
"""
NUMERIC = ("numpy", "pandas", "scipy", "sklearn", "pyarrow", "joblib")
"""Libraries that take a large part of the time that a reading command may take in all."""


NEEDED: dict[str, set[str]] = {
    "status": {"tunesmith.pipeline"},
    "best": set(),
    "trials": set(),
    "check": set(),
}


def modules_of(command: str, folder: Path) -> set[str]:
    return imported(folder, READ, command)


def test_commands_that_read_need_no_library_of_estimators(tmp_path: Path) -> None:
    make_project(tmp_path, trials=3)
    run = [sys.executable, "-m", "tunesmith", "run", "-q"]
    assert subprocess.run(run, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    # The first check makes the plan, and the second one has its answer.
    assert "sklearn.tree" in modules_of("check", tmp_path)
    for command in ("status", "best", "trials", "check"):
        found = modules_of(command, tmp_path)
        unwanted = {*NUMERIC, *NEVER, *AT_THE_END} - NEEDED[command]
        assert not found & unwanted, command
    assert "sqlalchemy" not in modules_of("check", tmp_path)


def test_the_state_after_an_upgrade_is_told_without_scikit_learn(tmp_path: Path) -> None:
    make_project(tmp_path, trials=3)
    run = [sys.executable, "-m", "tunesmith", "run", "-q"]
    assert subprocess.run(run, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    # As any new version has it: what the last run noted no longer holds.
    (stamp,) = tmp_path.rglob("*.stamp")
    stamp.unlink()
    found = modules_of("status", tmp_path)
    assert "tunesmith.objective.described" in found
    assert not found & {"sklearn", "scipy", "joblib", *NEVER} - NEEDED["status"]


def test_a_study_of_an_estimator_starts_with_what_that_needs(tmp_path: Path) -> None:
    config = make_project(tmp_path, trials=3)
    config.write_text(config.read_text() + "execution: {executor: processes}\n")
    found = imported(tmp_path, UNTIL_THE_FIRST_FIT)
    assert "sklearn.tree" in found
    assert not found & {*AT_THE_END[1:], *NEVER}
