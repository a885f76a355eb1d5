"""One small case end to end, with real processes on both sides."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchmarks.cases import SCALES, Case, Goal, cases
from benchmarks.contest import Row, rows
from benchmarks.limits import limit
from benchmarks.measure import measure
from benchmarks.table import HEAD, text
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline
from tests.benchmarks.sides import broken, orphan

from benchmarks.sides import RIVALS

BOOSTING = HistGradientBoostingClassifier(random_state=0, early_stopping=False)
SMALL = Case(
    "small",
    BOOSTING,
    {"max_iter": [1, 2, 4], "max_leaf_nodes": [3, 5]},
    (80, 12),
    Goal(share=0.9, ratio=4),
    "max_iter",
)


@pytest.fixture(scope="module")
def row() -> Row:
    (found,) = rows(SMALL, 1)
    assert isinstance(found, Row), found
    return found


def cells(row: Row) -> dict[str, str]:
    return dict(zip(HEAD, text(row).strip("| ").split(" | "), strict=True))


@pytest.mark.slow
class TestRow:
    def test_says_that_scores_are_equal_and_fits_are_saved(self, row: Row) -> None:
        found = cells(row)
        assert found["equal"] == "yes"
        assert found["fits made of asked"] == "10 of 30"
        assert found["limit"] == f"{7 / 4:.2f}"
        assert found["rows × columns"] == "80 × 12"

    def test_says_no_where_one_score_differs_in_its_last_bit(self, row: Row) -> None:
        results = {name: np.copy(column) for name, column in row.theirs.found.results.items()}
        results["split3_test_score"][2] = np.nextafter(results["split3_test_score"][2], 0)
        other = replace(row.theirs, found=replace(row.theirs.found, results=results))
        assert cells(replace(row, theirs=other))["equal"] == "NO"

    def test_counts_the_time_and_memory_of_workers(self, row: Row) -> None:
        for side in (row.theirs, row.ours):
            assert side.wall_s > 0
            assert side.cpu_s > 0
            assert side.peak_mib > 10

    def test_a_side_that_fails_leaves_a_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rival = replace(RIVALS["GridSearchCV"], prepare=broken, ours=broken)
        monkeypatch.setitem(RIVALS, "GridSearchCV", rival)
        (found,) = rows(SMALL, 1)
        assert found == "small, GridSearchCV: ValueError: there are no such data"


@pytest.mark.slow
def test_processes_that_nobody_waited_for_are_counted() -> None:
    assert measure(orphan, 1.0).cpu_s >= 1.0


class TestLimit:
    def candidates(self, grid: dict[str, list[Any]]) -> dict[str, Any]:
        return {"params": list(ParameterGrid(grid))}

    def test_counts_work_by_the_value_along_the_path(self) -> None:
        assert limit(SMALL, self.candidates(dict(SMALL.grid))) == 7 / 4

    def test_counts_each_fit_as_one_where_it_does_not_grow(self) -> None:
        case = replace(SMALL, is_sized=False)
        assert limit(case, self.candidates(dict(case.grid))) == 3

    def test_leaves_out_what_an_earlier_search_has_scored(self) -> None:
        grid = {"max_leaf_nodes": [3, 5, 7]}
        case = replace(SMALL, grid=grid, along="", before={"max_leaf_nodes": [3, 5]})
        assert limit(case, self.candidates(grid)) == 3

    @pytest.mark.slow
    def test_counts_a_transformer_once(self) -> None:
        pipeline = Pipeline([("pca", PCA(random_state=0)), ("model", LogisticRegression())])
        grid = {"model__C": [0.1, 1.0, 10.0]}
        case = replace(SMALL, estimator=pipeline, grid=grid, along="")
        assert 1 < limit(case, self.candidates(grid)) < 3


def test_cases_of_every_scale_search_the_same_things() -> None:
    titles = [
        {case.title.partition(" cheap")[2] or case.title for case in cases(scale)}
        for scale in SCALES
    ]
    assert titles[0] == titles[1] == titles[2]
