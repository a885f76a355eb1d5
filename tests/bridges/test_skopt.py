import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """\
from skopt import gp_minimize
from skopt.space import Categorical, Real


def loss(point):
    return point[0] + len(point[1])


gp_minimize(loss, [Real(0, 1, name="x"), Categorical([(1, 2), (3,)], name="shape")], n_calls=1000)
"""


def test_the_function_is_called_once(tmp_path: Path) -> None:
    pytest.importorskip("skopt")
    (tmp_path / "a.py").write_text(SCRIPT)
    (tmp_path / "params.json").write_text(json.dumps({"x": 0.25, "shape": [1, 2]}))
    words = ["-m", "tunesmith.bridges.skopt", "params.json", "metrics.json", "loss", "x,shape"]
    done = subprocess.run([sys.executable, *words, "a.py"], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"loss": 2.25}
