"""A few configurations of well-known estimators that were good on many tables.

``python -m benchmarks.portfolio`` makes them (docs/decisions/0061-experience.md).
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from tunesmith.config.objective import ObjectiveSection
from tunesmith.runs.experience.mapping import mapped
from tunesmith.space import SearchSpace
from tunesmith.types import Params

MOST = 4
"""Number of points of a study that come from the portfolio."""
ALIASES = {"iterations": ("n_estimators", "num_boost_round", "num_trees")}
"""Further names that CatBoost takes for a parameter."""


@cache
def portfolio() -> Mapping[str, list[Params]]:
    """Configurations by the name of the estimator's class, in the order to be tried."""
    text = files(__package__).joinpath("portfolio.json").read_text("utf-8")
    found: Mapping[str, list[Params]] = json.loads(text)
    return found


def from_portfolio(section: ObjectiveSection, space: SearchSpace, defaults: Params) -> list[Params]:
    """List the points of a space that are nearest to those of the portfolio, without repeats.

    Args:
        section: names the estimator, or the last step of a pipeline, or several estimators.
        space: of the study.
        defaults: the estimator's own values.
    """
    points: dict[str, Params] = {}
    for wanted in _in_turn(section):
        point = mapped(space, wanted, defaults)
        if point is not None:
            points.setdefault(space.key(point), point)
    return list(points.values())[:MOST]


def _in_turn(section: ObjectiveSection) -> Iterator[Params]:
    """Configurations in the names of the space, the first one of each estimator first."""
    known = list(_named(section))
    for place in range(max((len(found) for _, _, found in known), default=0)):
        for prefix, choice, found in known:
            if place < len(found):
                names = {f"{prefix}{name}": v for name, v in _with_aliases(found[place]).items()}
                yield {**choice, **names}


def _named(section: ObjectiveSection) -> Iterator[tuple[str, Params, list[Params]]]:
    """Prefix of names, the parameter that chooses the estimator, and its configurations."""
    if section.estimator is not None:
        yield "", {}, _of(section.estimator)
    if section.steps:
        last = section.steps[-1]
        name = last.name or _class_name(last.estimator).lower()
        yield f"{name}__", {}, _of(last.estimator)
    for name, choice in section.estimators.items():
        yield "", {"estimator": name}, _of(choice.estimator)


def _of(path: str) -> list[Params]:
    return portfolio().get(_class_name(path), [])


def _class_name(path: str) -> str:
    return path.replace(":", ".").rpartition(".")[2]


def _with_aliases(params: Params) -> Params:
    others = {alias: params[name] for name in ALIASES if name in params for alias in ALIASES[name]}
    return {**params, **others}
