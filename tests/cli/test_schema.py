"""``schema``: the JSON schema of configurations."""

import json

from tests.cli.conftest import Run


def test_the_schema_is_json(tunesmith: Run) -> None:
    schema = json.loads(tunesmith("schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
