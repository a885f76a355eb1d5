"""Every key of every section with a value of each wrong kind: plain words at the right place."""

import copy
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from tunesmith.config.messages import violations_of
from tunesmith.config.model import File
from tunesmith.errors import Violation

VALUES: list[Any] = [None, True, False, 7, -7, 0, 0.5, float("nan"), float("inf"), "text!?", ""]
VALUES += [" ", "\n", "10", ["a!?"], [], {}, {"zz": 1}, [[1]], [{"zz": 1}], {"a": {"b": 1}}]
GOOD: dict[str, Any] = {
    "study": "s",
    "objective": {
        "estimator": "sklearn.svm.SVC",
        "data": {"path": "d.csv", "target": "y"},
        "metric": "accuracy",
    },
}
Step = tuple[str, str]
"""A key, and how the section below it is written: alone, in a list, or by a name."""
INTERNAL = re.compile(
    r"Section|function-|constrained|\[(int|str|float)|Annotated|pydantic|should|of the form"
)


def sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from sections(part)


def keys(
    model: type[BaseModel], above: tuple[Step, ...], seen: set[type[BaseModel]]
) -> Iterator[tuple[tuple[Step, ...], str]]:
    for name, info in model.model_fields.items():
        yield above, name
        text = str(info.annotation)
        form = "named" if "dict[" in text else "list" if re.search(r"tuple\[|list\[", text) else ""
        for section in sections(info.annotation):
            if section not in seen:
                seen.add(section)
                yield from keys(section, (*above, (name, form)), seen)


KEYS = sorted(set(keys(File, (), set())), key=str)


def with_value(above: tuple[Step, ...], key: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(GOOD)
    holder = data
    for name, form in above:
        inner: dict[str, Any] = {}
        if not form and isinstance(holder.get(name), dict):
            inner = holder[name]
        elif not form:
            holder[name] = inner
        else:
            holder[name] = {"mine": inner} if form == "named" else [inner]
        holder = inner
    holder[key] = value
    return data


def told(data: dict[str, Any]) -> list[Violation]:
    try:
        File.model_validate(data)
    except ValidationError as error:
        return violations_of(error.errors(), File, data)
    return []


def dotted(above: tuple[Step, ...], key: str) -> str:
    return ".".join([*(name for name, _ in above), key])


def test_all_sections_are_tried() -> None:
    assert {"confirm.fits", "stop.target", "objective.steps.estimator"} <= {
        dotted(*one) for one in KEYS
    }
    assert len(KEYS) > 120


@pytest.mark.parametrize("place", KEYS, ids=lambda one: dotted(*one))
def test_a_value_of_a_wrong_kind_is_told_in_plain_words(place: tuple[Any, str]) -> None:
    above, key = place
    for value in VALUES:
        data = with_value(above, key, value)
        for one in told(data):
            words = f"{'.'.join(map(str, one.path))}: {one.message} {one.hint}"
            assert not INTERNAL.search(words), words
            assert one.message.count("expected") <= 1, words
            if "import path" in words:
                assert key in ("estimator", "factory", "splitter", "scorer"), words


def test_each_place_is_told_of_once() -> None:
    for above, key in KEYS:
        for value in (True, 7, "text!?", {"zz": 1}, [[1]]):
            paths = [one.path for one in told(with_value(above, key, value))]
            assert len(paths) == len(set(paths)), (dotted(above, key), value)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (
            {"confirm": 7},
            "confirm: expected a mapping or `off`, found 7. Did you mean `{fits: 7}`?",
        ),
        (
            {"confirm": False},
            "confirm: expected a mapping or `off`, found false. Did you mean `off`?",
        ),
        (
            {"confirm": "of"},
            "confirm: expected a mapping or `off`, found 'of'. Did you mean `off`?",
        ),
        ({"confirm": {"fits": -1}}, "confirm.fits: must be at least 0 (found -1)."),
        (
            {"confirm": {"fits": "many"}},
            "confirm.fits: expected a number of fits, or a share of the search's such as `30%`;"  # noqa: ISC004
            " found 'many'.",
        ),
        (
            {"confirm": {"fit": 3}},
            "confirm.fit: unknown key `fit`. Did you mean `fits`? Known: fits, within.",
        ),
        (
            {"stop": {"time": True}},
            "stop.time: expected a duration such as 90, 30m or 1h30m, found true.",
        ),
        (
            {"stop": {"further_gain": {"below": "nois"}}},
            (
                "stop.further_gain.below: expected `noise` or a number, found 'nois'."
                " Did you mean `noise`?"
            ),
        ),
    ],
)
def test_the_advice_fits(section: dict[str, Any], words: str) -> None:
    (one,) = told({**GOOD, **section})
    assert f"{'.'.join(map(str, one.path))}: {one.message} {one.hint}".strip() == words
