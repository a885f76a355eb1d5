"""Instructions to reproduce the result, and its provenance."""

from tunesmith.analysis.summary import Summary
from tunesmith.reporting.cells import details, name_cell, table
from tunesmith.reporting.origin import again, provenance_rows, space_rows


def origin(summary: Summary) -> str:
    """Space, environment, provenance."""
    rows = [[name, name_cell(text)] for name, text in provenance_rows(summary)]
    body = table(["what", "value"], rows)
    space = "\n".join(
        f"- {name_cell(name)}: {name_cell(definition)}" for name, definition in space_rows(summary)
    )
    parts = [part for part in (again(summary), space, body) if part]
    return details("Reproduce: space, environment, provenance", "\n\n".join(parts))
