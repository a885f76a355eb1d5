"""Arrays of other libraries, which SciPy must be told about before it is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).with_name("test_scikit_learns_own.py")


@pytest.mark.slow
def test_scikit_learns_tests_with_strict_arrays_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", str(TESTS), "-k", "array_api_search"]
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:]
    # NumPy, and strict arrays of three precisions and devices, for grids and random search.
    assert "6 passed" in done.stdout, done.stdout[-3000:]


FOREIGN = """
import array_api_strict
import numpy as np
from sklearn import config_context
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from tunesmith.sklearn import BayesSearchCV, GridSearchCV

X, y = np.arange(40.0).reshape(20, 2) % 7, np.arange(20) % 2
rows = array_api_strict.asarray(X), array_api_strict.asarray(y)
grid = {"tol": [0.1, 0.2]}
for search in (GridSearchCV, BayesSearchCV):
    asked = search(LinearDiscriminantAnalysis(), grid, cv=2, stop={"time": "10m"})
    with config_context(array_api_dispatch=True):
        try:
            asked.fit(*rows)
        except ValueError as error:
            print(error)
        asked.set_params(stop=None)
        print(asked.fit(*rows).cv_results_["mean_test_score"].shape)
"""


@pytest.mark.slow
def test_other_arrays_and_our_own_arguments_exclude_each_other() -> None:
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run(
        [sys.executable, "-c", FOREIGN],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = (
        "stop cannot be used here: X is an array of another library than NumPy, so scikit-learn's"
        " own loop makes every fit, which knows nothing of stop. Convert X to a NumPy array, or"
        " leave out stop."
    )
    assert done.stdout.splitlines() == [told, "(2,)", told, "(2,)"]
