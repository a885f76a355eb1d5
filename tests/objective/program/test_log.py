from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.objective.program.log import BoundedLog


@given(st.lists(st.binary(max_size=30)))
def test_beginning_and_end_are_kept(tmp_path_factory: object, parts: list[bytes]) -> None:
    path = Path(tmp_path_factory.mktemp("log") / "x.log")  # type: ignore[attr-defined]
    with BoundedLog(path, head=20, tail=40) as log:
        for part in parts:
            log.write(part)
    whole, kept = b"".join(parts), path.read_bytes()
    if len(whole) <= 60:
        assert kept == whole
    else:
        assert kept.startswith(whole[:20])
        assert kept.endswith(whole[-40:])
        assert len(kept) < 20 + 40 + 30 + 60
