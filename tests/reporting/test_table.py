import csv
import io
import json

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from tunesmith.history import Metric
from tunesmith.reporting import table
from tunesmith.reporting.choosing import chosen
from tunesmith.testing.records import make_record

GRID = {"max_depth": [1, 2, None], "criterion": ["gini", "entropy"]}


def test_cv_results_are_grid_searchs() -> None:
    X, y = load_iris(return_X_y=True)
    peer = GridSearchCV(DecisionTreeClassifier(random_state=0), GRID, cv=3).fit(X, y).cv_results_
    scores = np.array([peer[f"split{fold}_test_score"] for fold in range(3)]).T.tolist()
    ours = table.cv_results(make_record(peer["params"], scores))
    assert set(ours) == set(peer)
    for column in peer:
        if column == "params" or column.endswith("_time"):
            continue
        assert ours[column].dtype == peer[column].dtype or column.startswith("param_")
        np.testing.assert_array_equal(ours[column], peer[column], err_msg=column)
    assert ours["params"] == peer["params"]


def test_failed_trials_share_the_last_rank() -> None:
    record = make_record([{"n": n} for n in range(4)], [[0.5], "bad", [0.7], "worse"])
    assert table.ranks_of(record, record.metrics[0]) == [2, 3, 1, 3]


def test_trials_that_violate_a_constraint_have_no_rank() -> None:
    params, scores = [{"n": n} for n in range(3)], [[0.5], [0.9], [0.7]]
    for bound, expected in {0.6: [None, 1, 2], 0.95: [None, None, None]}.items():
        record = make_record(params, scores, subject_to=[f"score >= {bound}"])
        assert [row["rank_test_score"] for row in table.rows_of(record)] == expected
        # Everywhere else they share the last one, as failed trials do.
        assert table.cv_results(record)["rank_test_score"].dtype == np.int32
        by_rank = chosen(table.rows_of(record), record.metrics, by="rank")
        assert [row["rank_test_score"] for row in by_rank] == sorted(
            expected, key=lambda rank: (rank is None, rank)
        )


RECORD = make_record(
    [{"n": 1, "kind": "=x"}, {"n": 2}, {"n": 3, "kind": "b"}], [[0.5, 0.6], "bad|news", [0.8, 0.7]]
)


def test_csv_is_safe_for_spreadsheets() -> None:
    found = list(csv.DictReader(io.StringIO(table.to_csv(table.rows_of(RECORD)))))
    assert found[0]["param_kind"] == "'=x"
    assert found[1]["mean_test_score"] == ""
    assert float(found[2]["split0_test_score"]) == 0.8


def test_json_lines_are_strict() -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    lines = table.to_json_lines(table.rows_of(RECORD)).splitlines()
    found = [json.loads(line, parse_constant=refuse) for line in lines]
    assert [row["params"] for row in found] == [dict(t.params) for t in RECORD.history]


def test_text_is_aligned() -> None:
    text = table.to_text(chosen(table.rows_of(RECORD)), RECORD.metrics)
    assert text.splitlines()[0].split() == ["rank", "trial", "state", "score", "params"]
    assert "bad|news" in text


def test_several_metrics_keep_their_names() -> None:
    record = make_record([{"n": 1}], metrics=[Metric("a"), Metric("b")])
    assert {"rank_test_a", "mean_test_b", "split2_test_b"} <= set(table.rows_of(record)[0])


@pytest.mark.parametrize("scores", [[0.5, 0.7, 0.7, 0.2, 0.9], [0.0, -0.0, 1.0, 1.0], [0.3]])
def test_ranks_are_those_of_scipy(scores: list[float]) -> None:
    record = make_record([{"x": n} for n in range(len(scores))], [[s, s] for s in scores])
    expected = rankdata([-s for s in scores], method="min").tolist()
    assert table.ranks_of(record, record.metrics[0]) == expected


def test_a_further_column_is_shown_if_rows_are_sorted_by_it() -> None:
    rows = chosen(table.rows_of(RECORD), by="-mean_fit_time")
    header, first, *_ = table.to_text(rows, RECORD.metrics, "-mean_fit_time").splitlines()
    assert header.split()[-2:] == ["mean_fit_time", "params"]
    time = rows[0]["mean_fit_time"]
    assert (f"{time:.3g}" if time is not None else "–") in first
    for shown in ("rank_test_score", "trial", None, "-mean_test_score"):
        assert "mean_fit_time" not in table.to_text(rows, RECORD.metrics, shown)
