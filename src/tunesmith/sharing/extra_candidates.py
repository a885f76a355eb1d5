"""Submodel candidates: other points of a space that one fit answers."""

from collections.abc import Iterator
from typing import Any

from tunesmith.sharing.grouping import Grouping, ordered
from tunesmith.sharing.prototype import last_step
from tunesmith.sharing.submodels.family import Family, border_of, proved_of
from tunesmith.space import Parameter, SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params, Value

MAX_POINTS = 256
"""Most submodel candidates of a trial: each is scored on every fold."""
N_SAMPLED = 64
"""Number of values, or a few more, that are examined to tell if one fit holds them all."""
MAX_LEVELS = 65_536
"""A longer list of values counts as a continuum."""


def submodel_candidates(grouping: Grouping, params: Params, space: SearchSpace) -> list[Params]:
    """List the points of a space that the fit of ``params`` answers, itself included.

    Returns:
        Points along the submodel parameter that gives most of them, in the family's order.
    """
    along = [
        _along(family, name, last, params, space)
        for family, name, last in _sharing(grouping, params)
    ]
    return max([[params], *along], key=len)


def _sharing(grouping: Grouping, params: Params) -> Iterator[tuple[Family, str, Any]]:
    """Yield (family, parameter name, unfitted last step) for those that a candidate may share."""
    choice = grouping.builder.choice_of(params)
    pairs = list(grouping.parameters(choice, [params]))
    # Built once for all families: cloning a pipeline costs more than judging it.
    try:
        estimator = grouping.builder.build(params) if pairs else None
        last = last_step(estimator)[1] if pairs else None
    except Exception:  # noqa: BLE001 - the fit itself will say what is wrong
        return
    for family, name in pairs:
        proved = proved_of(family)
        # Many families have a parameter of this name, and judging an estimator takes long.
        if proved is None or not proved.has(last):
            continue
        if not grouping.objection_to(family, estimator, [params[name]]):
            yield family, name, last


def _along(
    family: Family, name: str, last: Any, params: Params, space: SearchSpace
) -> list[Params]:
    box, _ = space.locate(params)
    values = held(family, last, params[name], space.boxes[box].parameters[name])
    points = [{**params, name: value} for value in values]
    # A changed value can make other parameters inactive; then it is no point of the space.
    inside = [point for point in points if _is_canonical(point, space)]
    if not inside:
        return [params]
    return list(ordered(family, name, inside))


def read_off(grouping: Grouping, params: Params, space: SearchSpace) -> tuple[str, Value] | None:
    """Submodel parameter of which one fit holds all values of the space, and the value to fit with.

    Returns:
        The parameter with most values; ``None`` if no fit holds all values of any.
    """
    found: list[tuple[int, str, Value]] = []
    for family, name, last in _sharing(grouping, params):
        levels = _sampled_levels(space.boxes[space.locate(params)[0]].parameters[name])
        if len(levels) < 2:
            continue
        widest = family.widest(levels)
        if all(_is_held(family, last, widest, level) for level in levels):
            found.append((len(levels), name, widest))
    return max(found, key=lambda one: one[0])[1:] if found else None


def _sampled_levels(parameter: Parameter) -> list[Value]:
    """Values of a parameter, both ends among them; a few of many, none of a continuum."""
    n = parameter.n_levels
    if n is None or n > MAX_LEVELS:
        return []
    step = max(1, n // N_SAMPLED)
    return [parameter.level(i) for i in sorted({*range(0, n, step), n - 1})]


def held(family: Family, estimator: Any, proposed: Any, parameter: Parameter) -> list[Any]:
    """List the values of a parameter that one fit answers, thinned if there are many.

    Args:
        family: of the parameter.
        estimator: unfitted.
        proposed: the value to fit with.
        parameter: its levels are the choice; a continuum has none.

    Returns:
        At most ``MAX_POINTS`` in the parameter's order, ``proposed`` among them.
    """
    n_levels = parameter.n_levels
    if n_levels is None or n_levels > MAX_LEVELS:
        return []
    levels = [parameter.level(index) for index in range(n_levels)]
    held_values = [value for value in levels if _is_held(family, estimator, proposed, value)]
    # Equal steps for ranges of about one length, so that overlapping ranges share their values:
    # those that the ledger knows cost nothing.
    step = -(-len(held_values) // (MAX_POINTS - 1)) or 1
    return [value for i, value in enumerate(held_values) if i % step == 0 or value == proposed]


def _is_held(family: Family, estimator: Any, proposed: Any, value: Any) -> bool:
    """True if the fit for both values is the fit for the proposed value alone."""
    both = [proposed, value]
    sides = {border_of(family, estimator, one, None) for one in both}
    is_shared = len(sides) == 1 and family.can_share(estimator, both)
    # Otherwise the trial would cost more than what the sampler proposed.
    return is_shared and family.widest(both) == family.widest([proposed])


def _is_canonical(params: Params, space: SearchSpace) -> bool:
    """True if params are a point of the space, with its active parameters and no others."""
    try:
        return canonical_json(space.canonical(params)) == canonical_json(dict(params))
    except ValueError:
        return False
