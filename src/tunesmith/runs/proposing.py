"""Everything besides results that decides which trials a study proposes."""

from collections.abc import Mapping
from typing import Any

from tunesmith import registry
from tunesmith.config.model import File, SearchSection
from tunesmith.search.sampler import Sampler, SpreadingSampler, looks_back, version_of
from tunesmith.study.look_ahead import RULE, UNREAD, default_window

FORMER_WINDOW = 8
"""Default look-ahead before it depended on the number of folds."""
# 2: the noise is that of the 10 best trials, instead of 20.
RACE = 2
"""Version of the rule of races; raised if it stops other trials."""
SPREAD = 1
"""Version of the order of a grid with a race."""
FINISHING = 1
"""Version of the rule by which the last trials with budgets are finished."""
PROMOTION = 1
"""Version of the rule by which trials of several metrics are promoted."""


def named_sampler(search: SearchSection) -> Sampler:
    """Build the sampler that a section names, whether or not it can search the space.

    Raises:
        UsageError: it is unknown.
        TypeError: an option is.
    """
    options: dict[str, Any] = dict(search.options)
    if search.sampler is not None:
        options["sampler"] = search.sampler
    sampler: Sampler = registry.load("samplers", search.method)(seed=search.seed, **options)
    return sampler


def window_of(file: File, sampler: Sampler, n_folds: int) -> int:
    """Look-ahead of a study: the one that it names, or the default for its folds."""
    if file.search.window is not None:
        return file.search.window
    return default_window(n_folds) if reads_results(file, sampler) else UNREAD


def reads_results(file: File, sampler: Sampler) -> bool:
    """True if results change which trials are proposed or promoted."""
    return looks_back(sampler) or file.budget is not None


def races(file: File, sampler: Sampler) -> bool:
    """True if trials of more than one fold may stop before their last one."""
    wanted = file.search.race or ("auto" if looks_back(sampler) else "off")
    can_race = file.budget is None and len(file.objective.metric) == 1
    return wanted == "auto" and can_race and not file.objective.has_one_fold


def marks(file: File) -> dict[str, Any]:
    """Keys of the section ``search`` that the identity of a study has in a form of their own."""
    sampler = named_sampler(file.search)
    window: int | str | None = file.search.window
    if window is None:
        is_read = reads_results(file, sampler) or races(file, sampler)
        window = RULE if is_read else UNREAD
    version = version_of(sampler)
    # The first version has no mark, so that studies from before versions keep their identity.
    found: dict[str, Any] = {"window": window, **({"version": version} if version > 1 else {})}
    if file.budget_parameter is not None:
        found["finishing"] = FINISHING
        if len(file.objective.metric) > 1:
            found["promotion"] = [PROMOTION, dict(file.preference.weights)]
    if not races(file, sampler):
        return found
    is_grid = file.search.window is None and isinstance(sampler, SpreadingSampler)
    return {**found, "race": RACE, **({"order": SPREAD} if is_grid else {})}


def is_former_default(
    section: str, key: str, before: Mapping[str, Any], now: Mapping[str, Any]
) -> bool:
    """True if nobody has named a value: an earlier version recorded its default.

    Args:
        section: of the configuration.
        key: in the section.
        before: the section as an earlier version recorded it.
        now: the section as it is now.
    """
    is_window = (section, key) == ("search", "window")
    return is_window and (before.get(key), now.get(key)) == (FORMER_WINDOW, None)
