"""How to get the same again, and what the result depended on."""

from collections.abc import Mapping
from typing import Any

from tunesmith.report.cells import details, name_cell, table
from tunesmith.report.summary import Summary
from tunesmith.space.parameter import canonical_json

PACKAGES = ("scikit-learn", "numpy", "tunesmith")


def origin(summary: Summary) -> str:
    """Space, environment, provenance."""
    file, provenance = summary.definition.get("file", {}), summary.provenance
    search, git = file.get("search", {}), provenance.get("git") or {}
    packages, machine = provenance.get("packages", {}), provenance.get("machine", {})
    rows = [
        ("search", f"{search.get('method', '?')}, seed {search.get('seed', '?')}"),
        ("commit", _commit(git)),
        *((f"{name} digest", text) for name, text in provenance.get("context", {}).items() if text),
        ("Python", provenance.get("python", "?")),
        *((n, packages[n]) for n in PACKAGES if n in packages),
        ("system", f"{machine.get('system', '?')} {machine.get('architecture', '')}"),
    ]
    body = table(["what", "value"], [[name, name_cell(str(text))] for name, text in rows])
    space = "\n".join(
        f"- {name_cell(name)}: {name_cell(_definition(definition))}"
        for box in summary.definition.get("space", {}).get("boxes", ())
        for name, definition in box.items()
    )
    again = "Check out the commit, then run `tunesmith run`: the same seed gives the same trials."
    parts = [part for part in (again, space, body) if part]
    return details("Reproduce: space, environment, provenance", "\n\n".join(parts))


def _commit(git: Mapping[str, Any]) -> str:
    if not git:
        return "not in a Git repository"
    return f"{git.get('commit', '?')}{' with uncommitted changes' if git.get('is_dirty') else ''}"


def _definition(definition: Any) -> str:
    return canonical_json(definition).replace('"', "").replace(",", ", ").replace(":", ": ")
