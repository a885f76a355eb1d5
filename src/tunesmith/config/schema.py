"""The JSON Schema of the configuration."""

from collections.abc import Iterator
from typing import Any

from tunesmith.config.model import File
from tunesmith.config.section import Section, meanings

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
WHEN = {
    "type": "object",
    "minProperties": 1,
    "description": "Active only while another parameter has this value, or one of these values.",
}


SINGLES = {
    "ObjectiveSection": ("steps",),
    "SearchSection": ("start_with",),
    "StopSection": ("any", "all"),
}
"""Lists that may be written as a single item."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``tuning.yaml``."""
    schema = own_schema()
    schema["$schema"] = DIALECT
    schema["title"] = "Tunesmith configuration"
    schema["properties"] = {
        # Editors find the schema by this key, so that the schema must not refuse it.
        "$schema": {"type": "string"},
        **_with_space(schema["properties"]),
    }
    # The space is read apart from the model, so that pydantic does not know of it.
    schema["required"] = [*schema["required"], "space"]
    schema["$defs"] |= _space_definitions()
    for section, names in SINGLES.items():
        for name in names:
            _allow_single(schema["$defs"][section]["properties"][name])
    for branch in schema["$defs"]["ObjectiveSection"]["properties"]["metric"]["anyOf"]:
        if branch.get("type") == "array":
            branch["minItems"] = 1
    _translate(schema)
    return schema


def own_schema() -> dict[str, Any]:
    """Return pydantic's schema of the file, without its space; fields have their docstrings."""
    schema = File.model_json_schema()
    for section in _sections(Section):
        part = schema if section is File else schema["$defs"].get(section.__name__)
        for name, text in meanings(section).items() if part else ():
            described = part["properties"][name] | {"description": text}
            part["properties"][name] = dict(sorted(described.items()))
    return schema


def _sections(base: type[Section]) -> Iterator[type[Section]]:
    for section in base.__subclasses__():
        yield section
        yield from _sections(section)


def _translate(part: Any) -> None:
    """Rename bounds: pydantic keeps its own keyword if a shorthand is allowed beside the number."""
    if isinstance(part, dict):
        if isinstance(part.get("gt"), int | float):
            part["exclusiveMinimum"] = part.pop("gt")
        part = list(part.values())
    for item in part if isinstance(part, list) else ():
        _translate(item)


def _allow_single(part: dict[str, Any]) -> None:
    branches = part.pop("anyOf", None)
    if branches is None:
        branches = [{key: part.pop(key) for key in ("type", "items")}]
    items = next(branch["items"] for branch in branches if branch.get("type") == "array")
    part["anyOf"] = [*branches, items]


def _with_space(properties: dict[str, Any]) -> dict[str, Any]:
    space = {
        "description": "What may vary: parameters, a list of param grids, or the path of a file.",
        "anyOf": [
            {"type": "string", "pattern": r"\.(json|ya?ml|toml)$"},
            {"$ref": "#/$defs/Box"},
            {"type": "array", "items": {"$ref": "#/$defs/Box"}, "minItems": 1},
            {"$ref": "#/$defs/Constrained"},
        ],
    }
    ordered = {}
    for name, part in properties.items():
        ordered[name] = part
        if name == "objective":
            ordered["space"] = space
    return ordered


def _space_definitions() -> dict[str, Any]:
    box = {"$ref": "#/$defs/Box"}
    return {
        "Box": {
            "type": "object",
            "description": "Parameters by name.",
            "minProperties": 1,
            "additionalProperties": {"$ref": "#/$defs/Parameter"},
        },
        "Constrained": {
            "type": "object",
            "required": ["parameters", "constraints"],
            "additionalProperties": False,
            "properties": {
                "parameters": {"anyOf": [box, {"type": "array", "items": box}]},
                "constraints": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Conditions that every point meets, e.g. `low < high`.",
                },
            },
        },
        "Parameter": {
            "anyOf": [
                {"type": "array", "minItems": 1, "description": "One of these values."},
                {"type": ["string", "number", "boolean", "null"], "description": "A constant."},
                *_parameter_forms(),
            ]
        },
    }


def _parameter_forms() -> list[dict[str, Any]]:
    log = {"type": "boolean", "description": "Spread evenly over orders of magnitude."}
    step = {"type": "number", "exclusiveMinimum": 0, "description": "Distance of the values."}
    return [
        _form("float", NUMBERS, log=log, step=step),
        _form("int", NUMBERS, log=log, step=step),
        _form("values", {"type": "array", "minItems": 1}),
        _form("value", {}),
        _form("scipy", {"type": "string"}, args={"type": "array"}, kwds={"type": "object"}),
    ]


def _form(kind: str, content: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [kind],
        "additionalProperties": False,
        "properties": {kind: content, **options, "when": WHEN},
    }
