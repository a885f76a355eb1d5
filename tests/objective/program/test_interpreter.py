import os
import sys
from pathlib import Path

import pytest

from tunesmith.objective.program.interpreter import packages_of


@pytest.mark.slow
def test_an_interpreter_tells_its_packages(tmp_path: Path) -> None:
    # A module of the project with such a name is not asked.
    (tmp_path / "platform.py").write_text("raise SystemExit\n")
    told = packages_of(sys.executable, tmp_path, os.environ)
    assert told["Python"] == sys.version.split()[0]
    assert {"machine", "numpy"} <= told.keys()


def test_other_programs_are_not_asked(tmp_path: Path) -> None:
    assert packages_of("sh", tmp_path, os.environ) == {}
    assert packages_of("python-that-is-not-there", tmp_path, os.environ) == {}


@pytest.mark.slow
def test_a_program_of_that_name_that_does_not_answer_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "python3"
    file.write_text("#!/bin/sh\necho no\n")
    file.chmod(0o755)
    assert packages_of("./python3", tmp_path, os.environ) == {}
