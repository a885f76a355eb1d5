import pytest

import tunesmith.config.model  # noqa: F401 - its classes are looked at
from tunesmith.config.section import Section, seconds


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


def test_sections_that_are_left_out_equal_those_that_are_validated() -> None:
    defaults = [
        (cls, field.default)
        for cls in _below(Section)
        for field in cls.model_fields.values()
        if isinstance(field.default, Section)
    ]
    assert len(defaults) > 10
    for cls, default in defaults:
        # Of `selection`, the rule is written, as a configuration would write it.
        written = {name: getattr(default, name) for name in default.model_fields_set}
        validated = type(default)(**written)
        assert default == validated, (cls, default)
        assert default.model_dump_json() == validated.model_dump_json()
        assert default.model_fields_set == validated.model_fields_set
        assert default.__pydantic_private__ == validated.__pydantic_private__


def _below(cls: type[Section]) -> list[type[Section]]:
    return [cls, *(one for below in cls.__subclasses__() for one in _below(below))]
