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
    # What goes ahead of its check, and what is checked once, are shared fits; so are fits that are
    # taken over if deeper trees are the same models.
    "sharing/test_ahead.py::test_only_what_cannot_end",
    "sharing/test_ahead.py::test_other_processes_compare",
    "sharing/test_ahead.py::test_what_is_refuted_ahead",
    "sharing/test_same_models.py::test_trials_with_submodel_candidates",
    "sharing/test_same_models.py::test_fits_without_a_seed",
    "sharing/test_same_models.py::test_a_search_has_the_table",
    "sharing/test_same_models.py::test_own_metrics_of_predictions",
    "sharing/test_same_models.py::test_boosting_shows_it_too",
    "sklearn/test_checked_once.py::",
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
