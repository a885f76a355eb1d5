"""The contract that every kind of figure keeps, and what each shows."""

import math
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest

from tunesmith import registry
from tunesmith.errors import UsageError
from tunesmith.history import FoldResult, Metric
from tunesmith.reporting.drawing.chart import Bars, Cells, Line, Panel, Parallel, Points
from tunesmith.reporting.drawing.svg import render
from tunesmith.reporting.figures import contour, history, race
from tunesmith.reporting.figures.kind import kind_of
from tunesmith.reporting.figures.view import FigureView, view_of
from tunesmith.reporting.page.content import trials
from tunesmith.testing.figures import FigureContract, points, records, view_of_study
from tunesmith.testing.records import make_record
from tunesmith.types import State

KINDS = (
    "history",
    "parallel",
    "importance",
    "contour",
    "slice",
    "folds",
    "race",
    "curves",
    "pareto",
    "timeline",
)


@pytest.mark.parametrize("name", KINDS)
class TestKinds(FigureContract):
    @pytest.fixture(autouse=True)
    def chosen(self, name: str) -> None:
        self.kind = kind_of(name)


def panel(name: str, view: FigureView, index: int = 0) -> Panel:
    """One of a figure's panels."""
    found = kind_of(name)(view).panels[index]
    assert isinstance(found, Panel)
    return found


M = TypeVar("M")


def mark(name: str, view: FigureView, kind: type[M], role: str | None = None) -> M:
    """The first mark of its kind and role in a figure's first panel."""
    found = panel(name, view).marks
    return next(m for m in found if isinstance(m, kind) and role in (None, getattr(m, "role", "")))


def test_every_registered_kind_is_tested() -> None:
    assert set(KINDS) == set(registry.BUILTIN["figures"])


def test_the_history_steps_where_a_better_score_was_found() -> None:
    scores: list[list[float] | str] = ["bad", [0.5], [0.4], [0.7], [0.6]]
    data = history.data(view_of(make_record([{"x": i} for i in range(5)], scores)))
    assert data.best == ((1, 0.5), (3, 0.7), (4, 0.7))
    assert (data.failed, data.trials) == ((0,), (1, 2, 3, 4))


def test_the_history_of_what_is_minimized_goes_down() -> None:
    metrics = (Metric("loss", "minimize"),)
    record = make_record([{"x": i} for i in range(3)], [[3.0], [1.0], [2.0]], metrics=metrics)
    assert history.data(view_of(record)).best == ((0, 3.0), (1, 1.0), (2, 1.0))
    assert panel("history", view_of(record)).y.label == "loss (lower is better)"


def test_the_best_scores_have_the_strongest_colour_in_either_direction() -> None:
    for direction in ("maximize", "minimize"):
        metrics = (Metric("m", direction),)
        record = make_record(
            [{"x": i} for i in range(5)], [[float(i)] for i in range(5)], metrics=metrics
        )
        levels = view_of(record).levels
        assert sorted(levels, reverse=direction == "minimize") == list(levels)
        assert {levels[0], levels[-1]} == {0, 7}


def test_a_far_outlier_does_not_flatten_the_others() -> None:
    scores = [[0.8 + i / 100] for i in range(20)] + [[-1e6]]
    assert panel("history", view_of(make_record([{"x": i} for i in range(21)], scores))).y.low > 0


def test_log_parameters_have_log_axes_and_conditional_ones_gaps() -> None:
    found = kind_of("parallel")(view_of_study("many")).panels[0]
    assert isinstance(found, Parallel)
    scales = {axis.label: axis.scale for axis in found.axes}
    assert (scales["rate"], scales["depth"], scales["kernel"]) == ("log", "linear", "category")
    names = [axis.label for axis in found.axes]
    assert None in found.columns[names.index("degree")]
    assert "constant" not in names


def test_slices_show_failed_trials_where_they_were() -> None:
    view = view_of(records()["many"], params=["depth"])
    failed = mark("slice", view, Points, "failed")
    assert failed.trials == (3, 10, 17, 24, 31, 38)
    assert failed.x == tuple(float(1 + i % 9) for i in failed.trials)


def test_bars_stand_beside_the_names_of_their_parameters() -> None:
    view = view_of_study("many")
    data = kind_of("importance").data(view)
    # Ticks rise from the bottom, bars are listed from the top.
    ticks = panel("importance", view).y.ticks
    assert [text for _, text in ticks] == list(data.names)[::-1]
    assert mark("importance", view, Bars).values == data.shares
    assert sum(data.shares) == pytest.approx(1)


def test_the_contour_finds_the_hill() -> None:
    grid = [{"x": i / 10, "y": j / 10} for i in range(11) for j in range(11)]
    scores = [[-((p["x"] - 0.7) ** 2) - (p["y"] - 0.2) ** 2] for p in grid]
    surface = contour.data(view_of(make_record(grid, scores), params=["x", "y"])).surface
    rows = [max((v for v in row if not math.isnan(v)), default=-9.0) for row in surface]
    top = rows.index(max(rows))
    assert 1 - (top + 0.5) / len(rows) == pytest.approx(0.2, abs=0.1)
    across = surface[top].index(max(v for v in surface[top] if not math.isnan(v)))
    assert (across + 0.5) / len(surface[top]) == pytest.approx(0.7, abs=0.1)


def test_the_contour_claims_nothing_far_from_every_trial() -> None:
    corner = [{"x": x, "y": y} for x in (0.0, 0.1, 1.0) for y in (0.0, 0.1)]
    cells = mark("contour", view_of(make_record(corner), params=["x", "y"]), Cells)
    middle = cells.levels[: cells.n_columns][cells.n_columns // 2]
    assert middle == -1
    assert max(cells.levels) > 0


def test_folds_are_rows_from_the_best_down() -> None:
    scores = [[0.1, 0.2], [0.8, 0.9], [0.4, 0.5]]
    view = view_of(make_record([{"x": i} for i in range(3)], scores))
    assert [text for _, text in panel("folds", view).y.ticks] == ["0", "2", "1"]
    cells = mark("folds", view, Cells)
    assert cells.texts[:2] == ("trial 1, fold 0: 0.8", "trial 1, fold 1: 0.9")
    assert cells.levels[0] > cells.levels[4]


def test_the_front_holds_what_nothing_beats() -> None:
    view = view_of_study("two objectives")
    front = mark("pareto", view, Points, "front")
    assert set(front.trials) == {trial.number for trial in view.record.history.front()}
    assert "one objective" in kind_of("pareto")(view_of_study("many")).note


def test_races_are_means_of_the_folds_so_far() -> None:
    data = race.data(view_of(make_record([{"x": 1}, {"x": 2}], [[1.0, 3.0, 5.0], [1.0, 1.0, 1.0]])))
    assert data.courses[0].scores == (1.0, 2.0, 3.0)
    assert data.best == 0


def test_learning_curves_are_drawn_where_folds_report_them() -> None:
    progress = ((1, 0.2), (2, 0.4))
    record = make_record([{"x": 1}], [[0.5, 0.5]])
    trial = record.history[0]
    folds = [FoldResult(fold, {"score": 0.5}, progress=progress) for fold in range(2)]
    found = trial.told(folds)
    record.history._log.told[0] = found
    line = mark("curves", view_of(record), Line)
    assert (line.x, line.y, line.role) == ((1.0, 2.0), (0.2, 0.4), "best")


def test_trials_that_were_stopped_early_are_no_failures() -> None:
    record = make_record([{"x": i} for i in range(4)], [[0.5], [0.2], "no", [0.7]])
    log = record.history._log
    log.told[1] = replace(log.told[1], state=State.PRUNED)
    view = view_of(record)
    assert (view.complete, view.pruned, view.failed) == ((0, 3), (1,), (2,))
    data = kind_of("history").data(view)
    assert (data.pruned, data.failed) == ((1,), (2,))
    parts = trials(view)
    assert parts["pruned"]["reason"] == ["stopped early, at 0.2"]


def test_slices_have_trends_with_bands() -> None:
    rng = np.random.default_rng(0)
    kinds = ["a", "b"]
    params = [{"x": float(x), "kind": kinds[i % 2]} for i, x in enumerate(rng.uniform(size=40))]
    scores = [[p["x"] + noise for noise in rng.normal(0, 0.01, 3)] for p in params]
    view = view_of(make_record(params, scores))
    found = {one.column.name: one.trend for one in kind_of("slice").data(view).slices}
    trend = found["x"]
    assert trend.mean[-1] - trend.mean[0] > 0.4
    assert list(trend.x) == sorted(trend.x)
    bands = zip(trend.low, trend.mean, trend.high, strict=True)
    assert all(low <= mean <= high for low, mean, high in bands)
    assert found["kind"].x == (0.0, 1.0)
    assert any(kind_of("importance").data(view).errors)


def test_points_of_a_level_are_one_path() -> None:
    text = render(kind_of("history")(view_of(make_record(points(300)))))
    assert text.count("<path") < 30


def test_unknown_names_are_met_with_the_known_ones() -> None:
    record = records()["many"]
    with pytest.raises(UsageError, match=r"no metric `gian`\. Did you mean `gain`"):
        view_of(record, metric="gian")
    with pytest.raises(UsageError, match=r"no parameter `dept`\. Did you mean `depth`"):
        view_of(record, params=["dept"])
