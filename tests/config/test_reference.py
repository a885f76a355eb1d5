import re

from tunesmith.config.model import File
from tunesmith.config.reference import reference_markdown
from tunesmith.config.schema import json_schema

TEXT = reference_markdown()


def test_every_section_has_a_table_with_every_key() -> None:
    for name, section in File.model_json_schema()["$defs"].items():
        for key in section.get("properties", ()):
            assert f"| `{key}` |" in TEXT, f"{name}.{key}"


def test_tables_are_whole() -> None:
    for row in re.findall(r"^\|.*\|$", TEXT, re.MULTILINE):
        cells = re.split(r"(?<!\\)\|", row)
        assert len(cells) in (4, 6), row


def test_defaults_are_written_as_in_a_file() -> None:
    assert "| `shuffle` | true/false | `false` |" in TEXT
    assert "| `study` | text | required |" in TEXT
    assert "``" not in TEXT.replace("```", "")


def test_every_written_form_of_a_parameter_is_shown() -> None:
    forms = json_schema()["$defs"]["Parameter"]["anyOf"]
    kinds = [form["required"][0] for form in forms if "required" in form]
    assert [kind for kind in kinds if f"{{{kind}: " not in TEXT] == ["value"]
