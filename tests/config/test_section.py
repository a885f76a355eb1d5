import pytest

from tunesmith.config.section import seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", 90.0), ("1h30m", 5400.0), ("1.5h", 5400.0), ("250ms", 0.25), ("2d", 172_800.0),
     ("1 h 30 m", 5400.0), (90, 90.0), (0.5, 0.5)],
)  # fmt: skip
def test_durations(text: object, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "soon", "5", "5 min", "-5s", "5s6", "s", "1e3s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)
