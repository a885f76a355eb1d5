"""Pydantic's error details as violations with our messages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from tunesmith.config.section import meanings
from tunesmith.errors import Path, Violation, did_you_mean

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
    "study": "letters, digits, `.`, `_` and `-`, at most 80 of them",
    "path": "a name that ends in .json, .yaml, .yml or .toml",
    "report": "a name that ends in .md",
    "trials": "a name that ends in .csv, .json or .jsonl",
    "separator": "a character such as `;`, or a regular expression",
    "html": "a name that ends in .html",
    "history": "a name that ends in .jsonl",
    "metrics": "a name that ends in .json",
    "tuned": "a name that ends in .json, .yaml, .yml or .toml",
    "base": "a revision of Git such as `origin/main`, without spaces, that begins with no `-`",
}


SHORT_FORMS: dict[tuple[str, type], str] = {
    ("ChoiceSection", str): "estimator",
    ("CrossValidation", str): "method",
    ("ExecutionSection", int): "workers",
    ("HoldoutSection", float): "fraction",
    ("SearchSection", str): "method",
    ("StepSection", str): "estimator",
    ("StopSection", int): "trials",
}
"""Section and type -> the key that a single value written in its place stands for."""


def violations_of(details: Sequence[Mapping[str, Any]], model: type[BaseModel]) -> list[Violation]:
    """Return pydantic's error details as violations; the branches of a union make one."""
    separate = [violation_of(detail, model) for detail in details]
    kinds: dict[Path, list[str]] = {}
    for violation, detail in zip(separate, details, strict=True):
        if detail["type"] in EXPECTED:
            expected = kinds.setdefault(violation.path, [])
            expected += [EXPECTED[detail["type"]]]
    merged = []
    for violation in separate:
        expected = list(dict.fromkeys(kinds.get(violation.path, ())))
        # A union takes any of these types, so one sentence names them all.
        if len(expected) > 1:
            message = f"expected {' or '.join(expected)},{violation.message.partition(',')[2]}"
            violation = replace(violation, message=message, hint="")
        merged.append(violation)
    # pydantic reports a mistake once for each branch of a union.
    return list(dict.fromkeys(merged))


def violation_of(detail: Mapping[str, Any], model: type[BaseModel]) -> Violation:
    """Return one of pydantic's error details as a violation."""
    path = real_path(detail["loc"], model)
    kind, value = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        known = field_names(model, path[:-1])
        return Violation(path, f"unknown key `{path[-1]}`.", did_you_mean(str(path[-1]), known))
    if kind == "missing":
        return Violation(path, "is missing.", _description(model, path))
    if kind in EXPECTED:
        hint = _short_form(path, value, model) or _quotes(value)
        if value is None:
            hint = "Fill it in, or remove the key."
        return Violation(path, f"expected {EXPECTED[kind]}, found {show(value)}.", hint)
    builder = BUILDERS.get(kind, _plain)
    return builder(path, detail, value)


def _short_form(path: Path, value: Any, model: type[BaseModel]) -> str:
    section = model_at(model, path)
    key = SHORT_FORMS.get((section.__name__, type(value))) if section is not None else None
    return f"Did you mean `{{{key}: {value}}}`?" if key else ""


def _too_short(path: Path, _detail: Mapping[str, Any], _found: Any) -> Violation:
    return Violation(path, "the list is empty; at least one entry is needed.")


def _not_finite(path: Path, _detail: Mapping[str, Any], value: Any) -> Violation:
    return Violation(path, f"must be a finite number (found {show(value)}).")


def _literal(path: Path, detail: Mapping[str, Any], value: Any) -> Violation:
    # pydantic gives the values as one text, `'a', 'b' or 'c'`.
    known = [word.strip(" '") for word in detail["ctx"]["expected"].replace(" or ", ",").split(",")]
    return Violation(path, f"unknown value {show(value)}.", did_you_mean(str(value), known))


def _bound(path: Path, detail: Mapping[str, Any], value: Any) -> Violation:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    limits = [f"{words[name]} {limit:g}" for name, limit in detail["ctx"].items() if name in words]
    return Violation(path, f"must be {' and '.join(limits)} (found {show(value)}).")


def _pattern(path: Path, _detail: Mapping[str, Any], value: Any) -> Violation:
    rule = PATTERNS.get(str(path[-1]), "an import path such as `package.module.Name`")
    return Violation(path, f"expected {rule}; found {show(value)}.")


def _value(path: Path, detail: Mapping[str, Any], _found: Any) -> Violation:
    return Violation(path, f"{detail['ctx']['error']}.")


def _plain(path: Path, detail: Mapping[str, Any], value: Any) -> Violation:
    message = str(detail["msg"])
    return Violation(path, f"{message[:1].lower()}{message[1:]} (found {show(value)}).")


BUILDERS: dict[str, Callable[[Path, Mapping[str, Any], Any], Violation]] = {
    "finite_number": _not_finite,
    "literal_error": _literal,
    "too_short": _too_short,
    "greater_than": _bound,
    "greater_than_equal": _bound,
    "less_than": _bound,
    "less_than_equal": _bound,
    "string_pattern_mismatch": _pattern,
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


def real_path(loc: Path, model: type[BaseModel]) -> Path:
    """Return pydantic's location without the names of union branches, which no file contains."""
    path: list[str | int] = []
    for step in loc:
        # Branches stand in the location by the name of their type, such as `function-before[…]`.
        if isinstance(step, str) and ("[" in step or step in ("str", "float", "int")):
            inner = model_at(model, tuple(path))
            # A key of a section may be called like a type, too.
            if inner is None or step not in inner.model_fields:
                continue
        path.append(step)
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
