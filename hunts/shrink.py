"""Makes a case that differs smaller, part by part, as long as it still differs."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from hunts.case import Case
from hunts.compare import judge

MAX_TRIES = 150


def shrink(case: Case, differs: Callable[[Case], bool] | None = None) -> Case:
    """The smallest case found that differs in the same way.

    Args:
        case: one that differs.
        differs: by default, whether the scores do.
    """
    differs = differs or (lambda smaller: bool(judge(smaller).difference))
    tries = 0
    while True:
        for smaller in smaller_ones(case):
            tries += 1
            if tries > MAX_TRIES:
                return case
            if differs(smaller):
                case = smaller
                break
        else:
            return case


def smaller_ones(case: Case) -> Iterator[Case]:
    """The same case with one part less."""
    if len(case.grid) > 1:
        yield from (replace(case, grid=(box,)) for box in case.grid)
    for place in range(3, len(case.data)):
        yield replace(case, data=(*case.data[:place], *case.data[place + 1 :]))
    yield from (replace(case, estimator=call) for call in case.estimator.smaller())
    for name in case.fit:
        yield replace(case, fit={k: v for k, v in case.fit.items() if k != name})
    for name in case.options.keys() - {"refit", "n_iter", "random_state"}:
        yield replace(case, options={k: v for k, v in case.options.items() if k != name})
    if case.search == "RandomizedSearchCV":
        options = {k: v for k, v in case.options.items() if k not in ("n_iter", "random_state")}
        yield replace(case, search="GridSearchCV", options=options)
    yield from _smaller_grids(case)


def _smaller_grids(case: Case) -> Iterator[Case]:
    for place, box in enumerate(case.grid):
        for name, listed in box.items():
            others = {k: v for k, v in box.items() if k != name}
            smaller = [others] if others else []
            if len(listed) > 1:
                pairs = range(len(listed))
                smaller += [{**box, name: (*listed[:i], *listed[i + 1 :])} for i in pairs]
            for one in smaller:
                yield replace(case, grid=(*case.grid[:place], one, *case.grid[place + 1 :]))
