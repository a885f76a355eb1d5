"""Tests of what is proved for some versions of scikit-learn only, and of nothing else elsewhere."""

from collections.abc import Sequence

import pytest

from tunesmith.sharing.proved import SCIKIT_LEARN

PLACES = (
    "hunts",
    "sharing/submodels",
    "sharing/subtransformers",
    "sharing/test_bins.py",
    "sharing/test_grouping.py",
    "sklearn/test_plan.py::test_first_steps_are_spoken_of_where_nothing_else_is_shared",
    "sharing/test_proved.py::test_no_family_shares",
    "objective/test_quick_metrics.py",
    "objective/test_quick_scores.py",
    "objective/test_live.py::test_candidates_with_the_same_parts_share_fits",
    # What the seed of `StratifiedGroupKFold` changes was another thing in 1.6.
    "data/test_further.py::test_groups_that_can_be_split_in_too_few_ways[cv4",
    "data/test_reseeded.py::test_every_repeat_is_a_split_of_its_own[StratifiedGroupKFold]",
    # Which of a few studies claims an improvement by chance depends on the fits.
    "search/test_null.py::test_no_improvement",
    # Their words were others before 1.7; the last digit of a mean depends on scipy.
    "sklearn/test_scikit_learns_own.py::test_random_search_bad_cv",
    "importers/tools/test_sklearn.py::TestSklearn::test_the_space_is_the_tools",
)
"""Files, folders and tests below this folder."""


def skip_unproved(items: Sequence[pytest.Item]) -> None:
    """Skip them if nothing is proved for the installed version."""
    if reason := SCIKIT_LEARN.blocker:
        for item in items:
            if item.nodeid.removeprefix("tests/").startswith(PLACES):
                item.add_marker(pytest.mark.skip(reason=reason))
