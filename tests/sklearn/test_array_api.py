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
