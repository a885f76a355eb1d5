"""``tunesmith schema``."""

import json

import click

from tunesmith.cli.common.streams import show


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the configuration, for editors and validators."""
    from tunesmith.config.schema import json_schema

    show(json.dumps(json_schema(), indent=2))
