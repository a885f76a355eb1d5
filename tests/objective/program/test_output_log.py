import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.objective.program.output_log import BoundedLog
from tunesmith.system.redact import MARK

KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    + "\n".join(base64.b64encode(bytes([n] * 48)).decode() for n in range(40))
    + "\n-----END OPENSSH PRIVATE KEY-----\n"
)


def written(path: Path, parts: list[bytes], **options: int) -> bytes:
    environ = {"DB_PASS": "correct horse battery"}
    with BoundedLog(path, environ=environ, **options) as log:
        for part in parts:
            log.write(part)
    return path.read_bytes()


@given(st.lists(st.binary(max_size=30)))
def test_beginning_and_end_are_kept(tmp_path_factory: object, parts: list[bytes]) -> None:
    path = Path(tmp_path_factory.mktemp("log") / "x.log")  # type: ignore[attr-defined]
    whole, kept = b"".join(parts), written(path, parts, head=20, tail=40)
    if len(whole) <= 60:
        assert kept == whole
    else:
        begin, _, end = kept.partition("\n[… ".encode())
        assert whole.startswith(begin)
        assert whole.endswith(end.partition(b" bytes left out \xe2\x80\xa6]\n")[2])
        assert len(kept) < 20 + 40 + 30 + 60


def test_both_ends_of_a_long_log_are_whole_lines(tmp_path: Path) -> None:
    lines = [b"line %d\n" % n for n in range(1000)]
    kept = written(tmp_path / "x.log", lines, head=100, tail=100).decode().splitlines()
    assert kept[0] == "line 0"
    assert kept[-1] == "line 999"
    assert all(line.startswith(("line ", "[…")) or not line for line in kept)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_secrets_do_not_reach_the_disk_in_however_many_writes_they_come(
    tmp_path: Path, size: int
) -> None:
    said = f"a correct horse battery, ghp_{'a1' * 18} b\n{KEY}end".encode()
    parts = [said[n : n + size] for n in range(0, len(said), size)]
    assert written(tmp_path / "x.log", parts).decode() == f"a {MARK}, {MARK} b\n{MARK}\nend"


def test_a_cut_leaves_no_half_of_a_secret(tmp_path: Path) -> None:
    secret = b"correct horse battery"
    for shift in range(60):
        parts = [b"x" * shift + b"\n", *[secret + b"\n"] * 40]
        kept = written(tmp_path / "x.log", parts, head=100, tail=100)
        assert not any(piece in kept for piece in (b"correct", b"horse", b"battery"))


def test_lines_are_there_while_the_program_runs(tmp_path: Path) -> None:
    with BoundedLog(tmp_path / "x.log") as log:
        log.write(b"one\ntw")
        assert (tmp_path / "x.log").read_bytes() == b"one\n"


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    written(tmp_path / "x.log", [b"a"])
    assert stat.S_IMODE((tmp_path / "x.log").stat().st_mode) == 0o600
