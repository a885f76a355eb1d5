"""``tunesmith schema``."""

import json

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the configuration, for editors and validators."""
    from tunesmith.config.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
