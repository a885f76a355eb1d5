"""Spaces in which one name has two ranges: a box for each value of the parameter that decides."""

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.importers.python.conditions import Values, are_disjoint, is_in, united
from tunesmith.importers.python.proposal import Proposal
from tunesmith.importers.refusal import Refused

MAX_BOXES = 32
Box = list[tuple[Proposal, dict[str, Any]]]
"""Parameters of a box with their ``when``."""


def boxes_of(proposals: Sequence[Proposal]) -> list[Box]:
    """Return the boxes of a space: one, unless a name has several ranges.

    Raises:
        Refused: no values of single parameters tell when a parameter is active.
    """
    tables = {p.name: p.values or () for p in proposals}
    named: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        named.setdefault(proposal.name, []).append(proposal)
    several = {name: variants for name, variants in named.items() if len(variants) > 1}
    if not several:
        paths = {p.name: [path.needs for path in p.paths] for p in proposals}
        return [[(p, _when(p, paths[p.name], tables)) for p in proposals]]
    parent = _parent(several, named)
    return [_box(proposals, parent, own, tables) for own, _ in parent.values or ()]


def _parent(several: Mapping[str, list[Proposal]], named: Mapping[str, list[Proposal]]) -> Proposal:
    """Return the parameter whose value alone decides which range counts."""
    for name, (parent, *others) in named.items():
        is_free = not others and any(not path.needs for path in parent.paths)
        if is_free and 1 < len(parent.values or ()) <= MAX_BOXES and _parts(name, several):
            return parent
    last = next(iter(several.values()))[-1]
    raise Refused(
        f"`{last.name}` has several ranges, and no single parameter tells which one counts.",
        last.place,
        "Give them names of their own in the script.",
    )


def _parts(name: str, several: Mapping[str, list[Proposal]]) -> bool:
    for variants in several.values():
        own = [[{name: p.needs[name]} for p in v.paths if name in p.needs] for v in variants]
        if any(len(paths) < len(v.paths) for paths, v in zip(own, variants, strict=True)):
            return False
        for index, paths in enumerate(own):
            rest = [path for other in own[index + 1 :] for path in other]
            if not all(are_disjoint(one, other) for one in paths for other in rest):
                return False
    return True


def _box(
    proposals: Sequence[Proposal],
    parent: Proposal,
    value: Any,
    tables: Mapping[str, Sequence[tuple[Any, Any]]],
) -> Box:
    box: Box = []
    for proposal in proposals:
        if proposal is parent:
            box.append((proposal.fixed(value), {}))
            continue
        paths = [
            {name: values for name, values in path.needs.items() if name != parent.name}
            for path in proposal.paths
            if parent.name not in path.needs or is_in(value, path.needs[parent.name])
        ]
        if paths:
            box.append((proposal, _when(proposal, paths, tables)))
    return box


def _when(
    proposal: Proposal,
    paths: Sequence[Mapping[str, Values]],
    tables: Mapping[str, Sequence[tuple[Any, Any]]],
) -> dict[str, Any]:
    needs = united(paths)
    if needs is None:
        message = f"`when` cannot say when `{proposal.name}` is active: on several paths."
        raise Refused(message, proposal.place)
    return {
        name: list(values) if len(values) > 1 else values[0]
        for name, values in needs.items()
        if len(values) < len(tables[name])
    }
