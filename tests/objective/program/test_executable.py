import sys
from pathlib import Path

import pytest

from tunesmith.errors import UsageError
from tunesmith.objective.program.executable import check_executable, check_reachable


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"#!/no/such/sh\necho\n", "an interpreter that does not exist: `/no/such/sh`"),
        (b"#!/bin/sh\r\necho\r\n", "has Windows line ends"),
        (b"echo hi\n", "has no first line that names its interpreter"),
        (b"#!\n", "an interpreter that does not exist"),
    ],
)
def test_scripts_that_nothing_interprets_are_refused(
    tmp_path: Path, head: bytes, words: str
) -> None:
    script = tmp_path / "go.sh"
    script.write_bytes(head)
    script.chmod(0o755)
    with pytest.raises(UsageError, match=words):
        check_executable("./go.sh", tmp_path, None)


@pytest.mark.parametrize("head", [b"#!/bin/sh\n", b"#! /bin/sh -e\n", b"#!/bin/sh", b"\x7fELF\0"])
def test_what_the_system_starts_is_accepted(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/go").write_bytes(head)
    (tmp_path / "bin/go").chmod(0o755)
    check_executable("bin/go", tmp_path, None)
    check_executable("go", tmp_path, str(tmp_path / "bin"))
    check_executable(sys.executable, tmp_path, None)
    with pytest.raises(UsageError, match="does not exist"):
        check_executable("go", tmp_path, str(tmp_path))


def test_a_file_outside_the_project_is_not_in_a_copy_of_it(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("")
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "train.py").write_text("")
    check_reachable(["python", "src/../train.py", "../nowhere", "--range=1..9"], root)
    with pytest.raises(UsageError, match=r"`\.\./outside\.py` lies outside the project"):
        check_reachable(["python", "../outside.py"], root)
