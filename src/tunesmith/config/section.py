"""Building blocks of sections: their base class, and shorthands as types."""

import ast
import inspect
import math
import re
from itertools import pairwise
from typing import Annotated, Any, TypeVar

from pydantic import (
    VERSION,
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
)

SLUG = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
IMPORT_PATH = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*([.:][A-Za-z_]\w*)$"
UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
UNITS_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20}
UNITS_BYTES |= {"GiB": 1 << 30}


Kind = TypeVar("Kind", bound=BaseModel)
BUILDS_LATER = (2, 14)
"""First version of pydantic that is known to build the classes of defaults when it needs them."""


class Section(BaseModel):
    """Base of all sections: frozen, no unknown keys, no silent conversions.

    Every command reads a configuration, so classes are completed when they are used, and the
    docstrings of fields are read when they are shown (``meanings``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


def default_of(section: type[Kind], **values: Any) -> Kind:
    """Return a section as a configuration has it that leaves it out.

    It equals ``section(**values)``. But pydantic builds no validator for it while the modules are
    imported, which would take a tenth of the time of a command that reads.
    """
    # Pydantic 2.12 cannot write the schema of a default whose class it has not built yet.
    if tuple(map(int, VERSION.split(".")[:2])) < BUILDS_LATER:
        return section(**values)
    return section.model_construct(None, **values)


def meanings(section: type[BaseModel]) -> dict[str, str]:
    """Return field -> docstring below it in the source; also of inherited fields."""
    by_field: dict[str, str] = {}
    # Bases first, so that a class may describe an inherited field anew.
    for part in reversed(section.__mro__):
        if issubclass(part, Section) and part is not Section:
            by_field |= _docstrings(part)
    return by_field


def _docstrings(section: type[Section]) -> dict[str, str]:
    try:
        # Only when texts are shown: pydantic's own option would parse every class at import.
        tree = ast.parse(inspect.getsource(section))
    except OSError:  # installed without its source
        return {}
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for definition in tree.body
        if isinstance(definition, ast.ClassDef)
        for field, text in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def seconds(value: Any) -> Any:
    """Read ``30m``, ``1h30m``, ``90`` as seconds; anything else is left for pydantic to refuse.

    >>> seconds("1h30m")
    5400.0
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return value
    text = value.replace(" ", "")
    # `ms` before `m`, because alternatives are tried in order: `5ms` would not match as a whole.
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhd])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"`{value}` is no duration: write 90, 90s, 30m, 1h30m or 2d")
    return sum(float(number) * UNITS_S[unit] for number, unit in parts)


def listed(value: Any) -> Any:
    """Turn a single item into a list of one."""
    if value is None:
        return value
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def located(value: Any) -> Any:
    """Turn a path alone into ``{path: ...}``."""
    return {"path": value} if isinstance(value, str | list) else value


def ruled(value: Any) -> Any:
    """Turn a rule alone into ``{rule: ...}``."""
    return {"rule": value} if isinstance(value, str | list) else value


def n_bytes(value: Any) -> Any:
    """Read ``600MB``, ``2GiB`` as bytes; anything else is left for pydantic to refuse.

    >>> n_bytes("2 GiB")
    2147483648
    """
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?([KMG]?i?B)", value.strip())
    if match is None or match[2] not in UNITS_BYTES:
        raise ValueError(f"`{value}` is no size: write 600MB or 2GiB")
    return int(float(match[1]) * UNITS_BYTES[match[2]])


def margin(value: Any) -> Any:
    """Read a margin: a number, or percent as text; anything else is left for pydantic to refuse.

    >>> margin("10 %"), margin(0.002)
    ('10%', 0.002)
    """
    if not isinstance(value, str):
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?%", value.strip())
    if match is None or float(match[1]) > 100:
        raise ValueError(f"`{value}` is no margin: write a number such as 0.002, or 10%")
    return f"{match[1]}%"


Margin = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False)] | str,
    BeforeValidator(margin, json_schema_input_type=float | str),
]
"""A number in some unit, or a share of something in percent."""
Duration = Annotated[
    float,
    BeforeValidator(seconds, json_schema_input_type=float | str),
    Field(gt=0, allow_inf_nan=False),
]
Names = Annotated[tuple[str, ...], BeforeValidator(listed, json_schema_input_type=str | list[str])]
SomeNames = Annotated[
    tuple[str, ...],
    Field(min_length=1),
    BeforeValidator(listed, json_schema_input_type=str | Annotated[list[str], Field(min_length=1)]),
]
"""At least one name."""
ImportPath = Annotated[str, Field(pattern=IMPORT_PATH)]
Size = Annotated[
    int,
    BeforeValidator(n_bytes, json_schema_input_type=int | str),
    Field(gt=0),
]


def finite(value: Any) -> Any:
    """Check that a value is JSON, which has neither infinity nor NaN.

    Raises:
        ValueError: there is one in it.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number that JSON can hold; leave it out, or use null")
    for item in value.values() if isinstance(value, dict) else value if _is_list(value) else ():
        finite(item)
    return value


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


Fixed = Annotated[JsonValue, AfterValidator(finite)]
"""A value that JSON can hold."""
