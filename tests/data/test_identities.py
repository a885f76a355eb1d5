import pytest

from tunesmith.data.identities import is_identity


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("patient_id", True),
        ("customerId", True),
        ("user", True),
        ("Subject", True),
        ("session-key", True),
        ("machine_no", True),
        ("id", True),
        ("humidity", False),
        ("width", False),
        ("identity_score", False),
        ("users_per_day", False),
        ("age", False),
    ],
)
def test_names_that_say_whose_row_it_is(name: str, expected: bool) -> None:
    assert is_identity(name) is expected
