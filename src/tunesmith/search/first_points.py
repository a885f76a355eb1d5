"""First points of a search: the middle of each branch of a space, then an even spread.

A branch is one choice of the box and of the categories on which other parameters depend. Ranges are
usually written around sensible values, so that the middle of a branch tells more about it than a
random corner does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product, zip_longest

from tunesmith.history import History
from tunesmith.search.coordinates import Coordinate
from tunesmith.search.sobol import sobol_points
from tunesmith.space import Box, Categorical, SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params, Value

MOST_BRANCHES = 64
"""Number of branches that are looked at."""


@dataclass(frozen=True)
class Branch:
    """A choice of the box and of the selecting categories that are active, by name."""

    box: int
    choices: tuple[tuple[str, Value], ...]

    @property
    def key(self) -> str:
        """Text that tells branches apart, also where Python's ``1 == True`` does not."""
        return canonical_json([self.box, dict(self.choices)])


def first_points(
    space: SearchSpace, history: History, seed: int, n_middles: int
) -> Iterator[Params]:
    """Points to begin with; some may break a constraint or lie in the history.

    Args:
        space: to search.
        history: trials so far; branches that they have entered are not visited again.
        seed: the study's.
        n_middles: number of branches that are visited at most.
    """
    found = branches(space)[:n_middles]
    # Measured: in a space without branches, an even spread alone was no worse, and better after 15
    # trials (docs/decisions/0048-branches.md).
    if len(found) > 1:
        known = {branch_of(space, trial.params).key for trial in history}
        for number, branch in enumerate(found):
            if branch.key not in known:
                yield middle(space, branch, number)
    yield from sobol_points(space, seed, skip=len(history))


def branches(space: SearchSpace) -> list[Branch]:
    """Branches of a space, ordered so that the first ones differ in the first choice."""
    families = [family for number, box in enumerate(space) for family in _families(number, box)]
    in_turn = (branch for turn in zip_longest(*families) for branch in turn if branch is not None)
    return list(islice(in_turn, MOST_BRANCHES))


def _families(number: int, box: Box) -> list[list[Branch]]:
    """Branches of a box, one list for each value of its first selector."""
    names = selectors(box)
    values = [[(name, v) for v in _choices(box, name)] for name in names]
    found: dict[str, dict[str, Branch]] = {}
    for chosen in islice(product(*values), MOST_BRANCHES**2):
        branch = Branch(number, _active(box, dict(chosen)))
        first = canonical_json([value for _, value in branch.choices[:1]])
        found.setdefault(first, {}).setdefault(branch.key, branch)
    return [list(family.values()) for family in found.values()]


def selectors(box: Box) -> list[str]:
    """Categories on which other parameters depend, parents first."""
    parents = {c.parent for conditions in box.conditions.values() for c in conditions}
    return [n for n in box.order if n in parents and isinstance(box.parameters[n], Categorical)]


def _choices(box: Box, name: str) -> Sequence[Value]:
    parameter = box.parameters[name]
    assert isinstance(parameter, Categorical)  # noqa: S101 - so are all selectors
    return parameter.choices


def _active(box: Box, chosen: Params) -> tuple[tuple[str, Value], ...]:
    """The chosen values of selectors that are active, in the order of the box."""
    found: dict[str, Value] = {}
    for name in selectors(box):
        if name in chosen and box.is_active(name, found):
            found[name] = chosen[name]
    return tuple(found.items())


def branch_of(space: SearchSpace, params: Params) -> Branch:
    """Branch on which a point lies."""
    number = space.locate(params)[0] if len(space.boxes) > 1 else 0
    return Branch(number, _active(space.boxes[number], params))


def middle(space: SearchSpace, branch: Branch, number: int) -> Params:
    """Point in the middle of a branch; its other categories change from branch to branch.

    Args:
        space: of the branch.
        branch: to visit.
        number: place of the branch among all, from 0.
    """
    box, params = space.boxes[branch.box], dict(branch.choices)
    for name in box.order:
        if name not in params and box.is_active(name, params):
            params[name] = _middle_of(Coordinate(branch.box, name, box.parameters[name]), number)
    return dict(sorted(params.items()))


def _middle_of(axis: Coordinate, number: int) -> Value:
    if isinstance(axis.parameter, Categorical) and not axis.is_ordered:
        return axis.parameter.level(number % axis.parameter.n_levels)
    return axis.value(0.5)
