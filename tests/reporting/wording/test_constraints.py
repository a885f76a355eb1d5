"""Reports, tables and figures of a study with constraints on outcomes."""

import json

from tunesmith.analysis.summary import summarise
from tunesmith.history import Metric
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.best_text import best_text
from tunesmith.reporting.choosing import chosen
from tunesmith.reporting.drawing.chart import plain
from tunesmith.reporting.figures.kind import kind_of
from tunesmith.reporting.figures.view import view_of
from tunesmith.reporting.markdown import render
from tunesmith.reporting.page.content import content_of
from tunesmith.reporting.table import ranks_of, rows_of, to_text
from tunesmith.reporting.wording.constraints import met, unmet
from tunesmith.testing.records import make_record

PARAMS = [{"depth": depth} for depth in (1, 2, 3, 4)]
SCORES = [[0.5, 0.6, 0.5], [0.7, 0.7, 0.8], [0.9, 0.8, 0.9], [0.9, 0.9, 0.9]]
COST = Metric("cost", "minimize")


def record(*subject_to: str, n_objectives: int = 1) -> StudyRecord:
    return make_record(
        PARAMS,
        SCORES,
        metrics=(Metric("score"), COST),
        n_objectives=n_objectives,
        subject_to=subject_to,
    )


def test_the_report_tells_what_the_winner_meets_and_what_cannot_win() -> None:
    text = render(summarise(record("cost <= 1.8"), with_effects=False))
    assert "It meets `cost <= 1.8 (1.733)`. 2 of 4 complete trials do not, and cannot win." in text
    assert "2 complete trials that violate a constraint, the closest first" in text
    assert "**1.867**" in text
    assert "All 4 complete trials" in text


def test_a_bound_that_is_nearer_than_the_error_is_named() -> None:
    found = summarise(record("cost <= 1.74"), with_effects=False).outcomes
    assert "cost is nearer to its bound than its standard error" in met(found, 4, str)


def test_if_no_trial_meets_them_the_closest_is_named() -> None:
    summary = summarise(record("cost <= 1.2", "score >= 0.2"), with_effects=False)
    text = render(summary)
    assert "**No trial meets `cost <= 1.2` and `score >= 0.2`.** The closest is trial 0" in text
    assert "The best-parameters file stays as it was." in text
    assert best_text(summary).startswith("No trial meets cost <= 1.2 and score >= 0.2.")
    assert unmet(summarise(record(), with_effects=False).outcomes, str, str) == ""


def test_trials_are_marked_and_rank_last() -> None:
    found = record("cost <= 1.8")
    rows = chosen(rows_of(found))
    assert [row["trial"] for row in rows] == [1, 0, 2, 3]
    assert ranks_of(found, Metric("score")) == [2, 1, 3, 3]
    assert [row["violates"] for row in rows] == [
        "",
        "",
        "cost <= 1.8 (1.867)",
        "cost <= 1.8 (1.9)",
    ]
    text = to_text(rows, found.metrics)
    assert text.splitlines()[3].startswith("–")
    assert "violates cost <= 1.8 (1.867)" in text
    assert [row["trial"] for row in chosen(rows, where="violates == ''")] == [1, 0]
    assert "violates" not in rows_of(record())[0]


def test_figures_mark_them_and_the_best_line_skips_them() -> None:
    view = view_of(record("cost <= 1.8"))
    content = kind_of("history").content(view)
    assert content["violating"] == [2, 3]
    assert [round(score, 3) for _, score in content["best"]] == [0.533, 0.733, 0.733]
    chart = kind_of("history")(view)
    assert "violates subject_to" in json.dumps(plain(chart))


def test_the_picture_of_the_front_marks_them() -> None:
    view = view_of(record("cost <= 1.8", n_objectives=2))
    assert kind_of("pareto").content(view)["violating"] == [2, 3]
    chart = kind_of("pareto")(view)
    assert "violates subject_to" in json.dumps(plain(chart))


def test_the_page_gives_the_reason() -> None:
    content = content_of(record("cost <= 1.8"))
    reasons = content["trials"]["complete"]["reason"]
    assert reasons == ["", "", "violates cost <= 1.8 (1.867)", "violates cost <= 1.8 (1.9)"]
    assert [tile["value"] for tile in content["tiles"] if tile["what"] == "violating"] == ["2"]
    assert "reason" not in content_of(record())["trials"]["complete"]
