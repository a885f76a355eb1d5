"""From a file to candidates, and from a candidate to a draft; refusals name file, line, column."""

from pathlib import Path

from tunesmith import registry
from tunesmith.errors import ConfigError, FilePosition, UsageError, Violation, did_you_mean
from tunesmith.importers.draft import Candidate, Draft
from tunesmith.importers.refusal import Refused, RefusedAll
from tunesmith.importers.source import Source


def find(source: Source, tool: str | None = None) -> list[Candidate]:
    """List the setups of a file, in the order of the file.

    Args:
        source: the file.
        tool: look for setups of this tool alone.

    Raises:
        UsageError: the tool is not known.
        ConfigError: the file is no valid Python, YAML or JSON.
    """
    names = registry.names("importers")
    if tool is not None and tool not in names:
        raise UsageError(f"unknown tool `{tool}`. {did_you_mean(tool, names)}")
    found: list[Candidate] = []
    for name in names if tool is None else [tool]:
        found += registry.load("importers", name)(source)
    return sorted(found, key=lambda candidate: candidate.place)


def convert(source: Source, candidate: Candidate) -> Draft:
    """Convert a setup.

    Raises:
        ConfigError: parts of it have no equal; all of them, with their places.
    """
    try:
        draft = candidate.draft()
        draft.check_space()
    except Refused as refused:
        items = refused.items if isinstance(refused, RefusedAll) else [refused]
        raise ConfigError(_violations(source, candidate, items)) from None
    return draft


def _violations(source: Source, candidate: Candidate, items: list[Refused]) -> list[Violation]:
    listed: dict[tuple[str, FilePosition], Violation] = {}
    for item in items:
        place = source.position(item.place if item.place[0] else candidate.place)
        listed.setdefault((str(item), place), Violation((), str(item), item.hint, place))
    return list(listed.values())


def choose(path: Path, candidates: list[Candidate], name: str | None) -> Candidate:
    """Choose one of the setups of a file.

    Raises:
        UsageError: there is none, there are several and no name, or none of that name.
    """
    tools = ", ".join(registry.names("importers"))
    if not candidates:
        raise UsageError(
            f"{path}: no tuning setup was found in it.\n  Known tools: {tools}."
            " Their files are Python, notebooks, YAML, JSON, and shell scripts for Hydra."
        )
    labels = label(candidates)
    if name is None:
        if len(candidates) == 1:
            return candidates[0]
        lines = [f"  {text:30} line {c.place[0]} ({c.tool})" for text, c in labels.items()]
        listed = "\n".join(lines)
        raise UsageError(f"{path} holds several setups; choose one with --name:\n{listed}")
    if name not in labels:
        raise UsageError(f"{path}: no setup is named `{name}`. {did_you_mean(name, [*labels])}")
    return labels[name]


def label(candidates: list[Candidate]) -> dict[str, Candidate]:
    """Return candidates by a name that only one of them has.

    >>> a = Candidate("sklearn", "grid", (1, 1), lambda: Draft("", ""))
    >>> list(label([a, a]))
    ['grid', 'grid-2']
    """
    labels: dict[str, Candidate] = {}
    for candidate in candidates:
        name, count = candidate.name, 1
        while name in labels:
            count += 1
            name = f"{candidate.name}-{count}"
        labels[name] = candidate
    return labels
