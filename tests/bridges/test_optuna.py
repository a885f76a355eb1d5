import json
from pathlib import Path

from tunesmith.bridges import optuna as bridge

SCRIPT = """\
import sys
import optuna


def objective(trial):
    shape = trial.suggest_categorical("shape", [(1, 2), (3,)])
    trial.report(0.5, step=1)
    return trial.suggest_float("x", 0, 1) + sum(shape), float(sys.argv[1])


study = optuna.create_study(directions=["minimize", "maximize"])
try:
    study.optimize(objective, n_trials=1000)
except Exception:
    raise AssertionError("a script that catches everything")
print(study.best_trials)
"""


def test_the_objective_is_called_once(tmp_path: Path) -> None:
    script, params, metrics = tmp_path / "a.py", tmp_path / "params.json", tmp_path / "metrics.json"
    script.write_text(SCRIPT)
    params.write_text(json.dumps({"x": 0.25, "shape": [1, 2]}))
    words = ["-c", _main("optuna"), str(params), str(metrics), "a,b", str(script), "7"]
    assert _python(words, tmp_path) == 0
    assert json.loads(metrics.read_text()) == {"a": 3.25, "b": 7.0}


def test_a_script_that_optimizes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "params.json").write_text("{}")
    words = ["-c", _main("optuna"), "params.json", "metrics.json", "a", "a.py"]
    assert _python(words, tmp_path) == 1
    assert not (tmp_path / "metrics.json").exists()


def _main(tool: str) -> str:
    assert bridge.__name__.endswith("optuna")
    return f"import sys; from tunesmith.bridges.{tool} import main; sys.exit(main(sys.argv[1:]))"


def _python(words: list[str], folder: Path) -> int:
    import subprocess
    import sys

    return subprocess.run([sys.executable, *words], cwd=folder, capture_output=True).returncode
