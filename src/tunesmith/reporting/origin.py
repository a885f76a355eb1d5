"""Origin of a result, as rows of plain text."""

from collections.abc import Mapping
from typing import Any

from tunesmith.analysis.summary import Summary

PACKAGES = ("tunesmith", "scikit-learn", "numpy")
AGAIN = "Check out the commit, then run `tunesmith run`: the same seed gives the same trials."
AGAIN_WITHOUT_COMMIT = (
    "No commit was recorded. With the same files, `tunesmith run` gives the same trials."
)
AGAIN_IN_MEMORY = "Run the same code on the same data again: the same seed gives the same trials."
AGAIN_ELSEWHERE = "These trials were made by another tool, which alone can make them again."


def again(summary: Summary) -> str:
    """Sentence on how the result is reproduced."""
    if summary.recorded.taken_from:
        return AGAIN_ELSEWHERE
    if summary.recorded.is_in_memory:
        return AGAIN_IN_MEMORY
    return AGAIN if summary.provenance.get("git") else AGAIN_WITHOUT_COMMIT


def provenance_rows(summary: Summary) -> list[tuple[str, str]]:
    """Return the provenance of the result: search, commit, digests, versions, system."""
    recorded, provenance = summary.recorded, summary.provenance
    method, seed = recorded.method or "?", "?" if recorded.seed is None else recorded.seed
    machine = provenance.get("machine", {})
    packages = provenance.get("packages", {})
    digests = [(f"{name} digest", text) for name, text in provenance.get("context", {}).items()]
    rows = [
        ("search", f"{method}, seed {seed}"),
        ("commit", _commit(provenance.get("git") or {})),
        *((name, text) for name, text in digests if text),
        ("Python", provenance.get("python", "?")),
        *((name, packages[name]) for name in PACKAGES if name in packages),
        ("system", f"{machine.get('system', '?')} {machine.get('architecture', '')}"),
    ]
    return [(name, str(text)) for name, text in rows]


def _commit(git: Mapping[str, Any]) -> str:
    if not git:
        return "not in a Git repository"
    return f"{git.get('commit', '?')}{' with uncommitted changes' if git.get('is_dirty') else ''}"


def space_rows(summary: Summary) -> list[tuple[str, str]]:
    """Every parameter of every box, with its definition; then the constraints."""
    from tunesmith.space.parameter import canonical_json

    space = summary.recorded.space
    rows = [(name, p.content) for box in space.boxes for name, p in box.items()]
    rows += [("constraint", text) for text in space.constraints]
    return [(name, _readable(canonical_json(content))) for name, content in rows]


def _readable(text: str) -> str:
    return text.replace('"', "").replace(",", ", ").replace(":", ": ")
