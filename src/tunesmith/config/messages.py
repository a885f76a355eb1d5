"""Pydantic's error details as violations with our messages."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from tunesmith.config.models import TABLE
from tunesmith.config.names import ELSEWHERE
from tunesmith.config.section import IMPORT_PATH, SLUG, meanings
from tunesmith.errors import Path, Violation, did_you_mean
from tunesmith.types import SHARE

EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}
PATTERNS = {
    "path": "a name that ends in .json, .yaml, .yml or .toml",
    "report": "a name that ends in .md",
    "trials": "a name that ends in .csv, .json or .jsonl",
    "separator": "a character such as `;`, or a regular expression",
    "html": "a name that ends in .html",
    "history": "a name that ends in .jsonl",
    "metrics": "a name that ends in .json",
    "tuned": "a name that ends in .json, .yaml, .yml or .toml",
    "best": "a name that ends in .json, .yaml, .yml or .toml",
    "base": "a revision of Git such as `origin/main`, without spaces, that begins with no `-`",
}
"""Key -> words for the pattern of its values."""
FORMS = {
    IMPORT_PATH: "an import path such as `package.module.Name`",
    SLUG: "letters, digits, `.`, `_` and `-`, at most 80 of them",
    TABLE: "a name that ends in .csv or .parquet",
    SHARE: "a number of fits, or a share of the search's such as `30%`",
}
"""Pattern -> words for it, whatever the key."""


MOST_PLACES = 3
"""Number of places of a key in other sections that a hint names."""
DURATION = "a duration such as 90, 30m or 1h30m"
WHOLE = {
    ("ConfirmSection", "fits"): FORMS[SHARE],
    ("ExecutionSection", "fit_timeout"): DURATION,
    ("ExecutionSection", "memory"): "a size such as 600MB or 2GiB",
    ("ObjectiveSection", "grace"): DURATION,
    ("StopSection", "time"): DURATION,
}
"""(section, key) -> words for all kinds that it takes together."""
SHORT_FORMS: dict[tuple[str, type], str] = {
    ("ChoiceSection", str): "estimator",
    ("ConfirmSection", int): "fits",
    ("CrossValidation", str): "method",
    ("ExecutionSection", int): "workers",
    ("HoldoutSection", float): "fraction",
    ("SearchSection", str): "method",
    ("StepSection", str): "estimator",
    ("StopSection", int): "trials",
}
"""Section and type -> the key that a single value written in its place stands for."""


def violations_of(
    details: Sequence[Mapping[str, Any]], model: type[BaseModel], data: object
) -> list[Violation]:
    """Return pydantic's error details as violations; the branches of a union make one.

    Args:
        details: of a ``ValidationError``.
        model: that was to be made.
        data: from which it was to be made.
    """
    by_path: dict[Path, list[Mapping[str, Any]]] = {}
    for detail in details:
        by_path.setdefault(real_path(detail["loc"], model, data), []).append(detail)
    violations: list[Violation] = []
    for path, told in by_path.items():
        kinds = [detail for detail in told if _is_kind(detail)]
        others = [detail for detail in told if not _is_kind(detail)]
        # A branch of a union that has gone further, here or below, is the one that was meant.
        is_deeper = any(len(other) > len(path) and other[: len(path)] == path for other in by_path)
        made = [violation_of(detail, path, model) for detail in others]
        if kinds and made and any(detail["type"] in NUMBERS for detail in kinds):
            made = [replace(one, hint=one.hint or _quotes(told[0].get("input"))) for one in made]
        if kinds and not others and not is_deeper:
            made = [_wrong_kind(path, kinds, model)]
        violations += made
    # pydantic reports a mistake once for each branch of a union.
    return list(dict.fromkeys(violations))


NUMBERS = frozenset(name for name, words in EXPECTED.items() if "number" in words)


def _is_kind(detail: Mapping[str, Any]) -> bool:
    """True if a value is of another kind than a branch takes."""
    return detail["type"] in EXPECTED or detail["type"] == "literal_error"


def _wrong_kind(
    path: Path, details: Sequence[Mapping[str, Any]], model: type[BaseModel]
) -> Violation:
    """Return the violation of a value that is of none of the kinds that are taken."""
    value, words = details[0].get("input"), list[str]()
    if isinstance(value, str) and all(one["type"] == "literal_error" for one in details):
        known = [word for detail in details for word in _choices(detail)]
        return Violation(path, f"unknown value {show(value)}.", did_you_mean(value, known))
    for detail in details:
        is_choice = detail["type"] == "literal_error"
        words += (
            [f"`{one}`" for one in _choices(detail)] if is_choice else [EXPECTED[detail["type"]]]
        )
    words = list(dict.fromkeys(words))
    # The words of a union's branches, "text or a whole number", do not say which text.
    holder = model_at(model, path[:-1])
    if holder is not None and (whole := WHOLE.get((holder.__name__, str(path[-1])))):
        words = [whole]
    listed = f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    hint = _short_form(path, value, model)
    if not hint and any(detail["type"] in NUMBERS for detail in details):
        hint = _quotes(value)
    choices = [word.strip("`") for word in words if word.startswith("`")]
    meant = "off" if value is False else str(value)
    if not hint and (near := get_close_matches(meant, choices, n=1)):
        hint = f"Did you mean `{near[0]}`?"
    if value is None:
        hint = f"Fill it in, or remove the {'entry' if isinstance(path[-1], int) else 'key'}."
    return Violation(path, f"expected {listed}, found {show(value)}.", hint)


def _choices(detail: Mapping[str, Any]) -> list[str]:
    # pydantic gives the values as one text, `'a', 'b' or 'c'`.
    return [word.strip(" '") for word in detail["ctx"]["expected"].replace(" or ", ",").split(",")]


def violation_of(detail: Mapping[str, Any], path: Path, model: type[BaseModel]) -> Violation:
    """Return one of pydantic's error details as a violation."""
    kind, value = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        return Violation(path, f"unknown key `{path[-1]}`.", _other_key(path, model))
    if kind == "missing":
        return Violation(path, "is missing.", _description(model, path))
    builder = BUILDERS.get(kind, _plain)
    return builder(path, detail, value)


def _other_key(path: Path, model: type[BaseModel]) -> str:
    """Hint at the key that was meant: of another section, of another tool, or a similar one."""
    key, known = str(path[-1]), field_names(model, path[:-1])
    places = ELSEWHERE.get(key, ())
    # A slip of the finger is likelier than a key of another section that has the same name.
    if not places and not get_close_matches(key, known, n=1):
        places = tuple(dict.fromkeys(_places(key, model)))
    if not places or len(places) > MOST_PLACES:
        return did_you_mean(key, known)
    here = ".".join(step for step in path[:-1] if isinstance(step, str))
    own = [
        f"`{name}`" for section, _, name in (p.rpartition(".") for p in places) if section == here
    ]
    meant = " or ".join(own or map(_written, places))
    return f"Did you mean {meant}? {did_you_mean('', known)}".rstrip()


def _places(key: str, section: type[BaseModel], above: str = "") -> Iterator[str]:
    """Yield the dotted places of a key in a section and in those below it."""
    for name, info in section.model_fields.items():
        if name == key:
            yield f"{above}{name}"
        inner = _section(info.annotation)
        # Criteria within criteria are sections within themselves.
        if inner is not None and inner is not section:
            yield from _places(key, inner, f"{above}{name}.")


def _written(place: str) -> str:
    """Return a place as you write it: ``execution: {workers: …}``."""
    *sections, key = place.split(".")
    if not sections:
        return f"`{key}: …` at the top"
    return f"`{': {'.join(sections)}: {{{key}: …{'}' * len(sections)}`"


def _short_form(path: Path, value: Any, model: type[BaseModel]) -> str:
    section = model_at(model, path)
    key = SHORT_FORMS.get((section.__name__, type(value))) if section is not None else None
    return f"Did you mean `{{{key}: {value}}}`?" if key else ""


def _too_short(path: Path, _detail: Mapping[str, Any], _found: Any) -> Violation:
    return Violation(path, "the list is empty; at least one entry is needed.")


def _not_finite(path: Path, _detail: Mapping[str, Any], value: Any) -> Violation:
    return Violation(path, f"must be a finite number (found {show(value)}).")


def _empty(path: Path, _detail: Mapping[str, Any], _found: Any) -> Violation:
    return Violation(path, "is empty.", "Fill it in, or remove the key.")


def _too_long(path: Path, detail: Mapping[str, Any], value: Any) -> Violation:
    most = detail["ctx"]["max_length"]
    return Violation(path, f"must have at most {most} characters (found {show(value)}).")


def _bound(path: Path, detail: Mapping[str, Any], value: Any) -> Violation:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    limits = [f"{words[name]} {limit:g}" for name, limit in detail["ctx"].items() if name in words]
    return Violation(path, f"must be {' and '.join(limits)} (found {show(value)}).")


def _pattern(path: Path, detail: Mapping[str, Any], value: Any) -> Violation:
    pattern = detail["ctx"]["pattern"]
    rule = FORMS.get(pattern) or PATTERNS.get(str(path[-1])) or f"text of the form `{pattern}`"
    return Violation(path, f"expected {rule}; found {show(value)}.")


def _value(path: Path, detail: Mapping[str, Any], _found: Any) -> Violation:
    return Violation(path, f"{detail['ctx']['error']}.")


def _plain(path: Path, detail: Mapping[str, Any], value: Any) -> Violation:
    message = str(detail["msg"])
    return Violation(path, f"{message[:1].lower()}{message[1:]} (found {show(value)}).")


BUILDERS: dict[str, Callable[[Path, Mapping[str, Any], Any], Violation]] = {
    "finite_number": _not_finite,
    "too_short": _too_short,
    "greater_than": _bound,
    "greater_than_equal": _bound,
    "less_than": _bound,
    "less_than_equal": _bound,
    "string_pattern_mismatch": _pattern,
    "string_too_long": _too_long,
    "string_too_short": _empty,
    "value_error": _value,
}


def show(value: Any) -> str:
    """Return a value as messages show it."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}…'"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    # As YAML and JSON write it: `true`, not `True`.
    text = str(value).lower()
    return text if len(text) <= 60 else f"{text[:57]}…"


def _quotes(value: Any) -> str:
    try:
        return f"Without quotes it is a number: {float(value):g}." if isinstance(value, str) else ""
    except ValueError:
        return ""


# -- the model behind a path -------------------------------------------------------------------


def real_path(loc: Path, model: type[BaseModel], data: object) -> Path:
    """Return pydantic's location without the names of union branches, which no file contains.

    Args:
        loc: steps, of which some are names of branches, such as ``ConfirmSection``,
            ``constrained-int`` or ``function-before[…]``.
        model: that was to be made.
        data: from which it was to be made.
    """
    path: list[str | int] = []
    for step in loc:
        is_there = isinstance(data, Mapping) and step in data
        if isinstance(step, str) and not is_there:
            inner = model_at(model, tuple(path))
            # A key that is missing, or of which a single value stands for the section.
            if inner is None or step not in inner.model_fields:
                continue
        path.append(step)
        if is_there:
            assert isinstance(data, Mapping)  # noqa: S101 - it has the key
            data = data[step]
        elif isinstance(data, list | tuple) and isinstance(step, int):
            data = data[step] if step < len(data) else None
        elif isinstance(step, str):
            data = None
    return tuple(path)


def field_names(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that a section may have; at the top the space, which is read elsewhere, too."""
    section = model_at(model, path)
    names = [] if section is None else list(section.model_fields)
    return [*names, "space"] if "study" in names else names


def _description(model: type[BaseModel], path: Path) -> str:
    section = model_at(model, path[:-1])
    info = section.model_fields.get(str(path[-1])) if section is not None else None
    if section is None or info is None:
        return ""
    inner = _section(info.annotation)
    text = (
        meanings(section).get(str(path[-1])) or (inner.__doc__ if inner is not None else "") or ""
    )
    return text.partition("\n")[0].replace("``", "`")


def model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The section class that a path leads to."""
    current: type[BaseModel] | None = model
    for step in path:
        if current is None:
            return None
        if isinstance(step, int):
            continue
        info = current.model_fields.get(step)
        if info is None:
            # A name of the user's own, as in `estimators: {forest: …}`, stays in the section.
            continue
        current = _section(info.annotation)
    return current


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, tuple, list, dict):
        sections = [_section(argument) for argument in get_args(annotation)]
        return next((section for section in sections if section is not None), None)
    return None
