"""States of names in a reading, as they are stored."""

import pytest

from tunesmith.objective.program.observing.states import each_of, is_data, is_file, is_listing


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("file 1f", True),
        ("names 1f", True),
        ("folder", False),
        ("modules .csv 1f", False),
        ("absent", False),
        # One run has only looked for the folder, another one has listed it.
        ("folder\nnames 1f", True),
        ("absent\nfile 1f", True),
    ],
)
def test_data_is_what_any_run_has_read(states: str, expected: bool) -> None:
    assert is_data(states) is expected


def test_a_state_has_one_kind() -> None:
    kinds = [(is_file(s), is_listing(s)) for s in each_of("file 1\nnames 2\nmodules .py 3\nother")]
    assert kinds == [(True, False), (False, True), (False, True), (False, False)]
