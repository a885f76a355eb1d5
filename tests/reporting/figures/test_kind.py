"""The contract that every kind of figure keeps, and what each shows."""

import math
import re
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar
from xml.etree import ElementTree

import numpy as np
import pytest

from tunesmith import registry
from tunesmith.analysis.numbers import share_interval
from tunesmith.errors import UsageError
from tunesmith.history import FoldResult, Metric
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.drawing.chart import (
    Bars,
    Cells,
    Line,
    Panel,
    Parallel,
    Points,
    Rug,
    legend,
)
from tunesmith.reporting.drawing.svg import LETTER, render
from tunesmith.reporting.figures import contour, history, importance, race
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
    "predictions",
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
    failed = mark("slice", view, Rug, "failed")
    assert failed.trials == (3, 10, 17, 24, 31, 38)
    assert failed.x == tuple(float(1 + i % 9) for i in failed.trials)


@pytest.fixture(scope="module")
def sloped() -> FigureView:
    """A number that matters, and a kind that does not."""
    rng = np.random.default_rng(0)
    kinds = ["a", "b"]
    params = [{"x": float(x), "kind": kinds[i % 2]} for i, x in enumerate(rng.uniform(size=40))]
    scores = [[p["x"] + noise for noise in rng.normal(0, 0.01, 3)] for p in params]
    return view_of(make_record(params, scores))


def test_bars_stand_beside_the_names_of_their_parameters(sloped: FigureView) -> None:
    data = kind_of("importance").data(sloped)
    # Ticks rise from the bottom, bars are listed from the top.
    ticks = panel("importance", sloped).y.ticks
    assert [text for _, text in ticks] == list(data.names)[::-1]
    bars = mark("importance", sloped, Bars)
    assert (bars.values, bars.intervals) == (data.shares, data.intervals)
    assert data.names == ("x", "kind")
    assert kind_of("importance")(sloped).note.startswith("x matters most: 100%")


def test_the_contour_shows_a_pair_that_exists_together() -> None:
    params = [{"kind": "a", "x": i / 5, "z": i} for i in range(5)]
    params += [{"kind": "b", "y": i / 5, "z": i} for i in range(5)]
    view = view_of(make_record(params))
    assert view.pair == ("kind", "x")
    assert view_of(make_record(params), params=["z", "y"]).pair == ("z", "y")
    assert view_of(make_record([{"x": 1}, {"x": 2}])).pair == ()


def test_the_contour_passes_over_a_pair_that_few_trials_have() -> None:
    params = [{"kind": "a", "x": i / 20, "z": i % 7} for i in range(20)]
    params += [{"kind": "b", "y": i / 2, "degree": i} for i in range(2)]
    assert view_of(make_record(params)).pair == ("kind", "x")
    view = view_of(make_record(params))
    importance = replace(view.summary.importance, pair=("degree", "y"))
    told = replace(view, summary=replace(view.summary, importance=importance))
    assert told.pair == ("kind", "x")


def test_the_contour_of_lists_has_a_tile_for_each_pair_of_values() -> None:
    space = {"boxes": [{"n": [5, 20, 80], "depth": [2, 10]}], "constraints": []}
    grid = [{"n": n, "depth": depth} for n in (5, 20, 80) for depth in (2, 10)][:-1]
    view = view_of(make_record(grid, [[i / 10, i / 10] for i in range(5)], space=space))
    made = panel("contour", view)
    by_label = {axis.label: axis for axis in (made.x, made.y)}
    assert [text for _, text in by_label["n"].ticks] == ["5", "20", "80"]
    data = contour.data(view)
    shown = {value for row in data.surface for value in row}
    assert {round(value, 9) for value in shown if not math.isnan(value)} == {0, 0.1, 0.2, 0.3, 0.4}
    # The pair that no trial has.
    assert any(math.isnan(value) for value in shown)
    assert kind_of("contour")(view).note == contour.TILED


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
    assert view.summary.chosen is not None
    assert mark("pareto", view, Points, "best").trials == (view.summary.chosen.number,)
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
    found = trial.completed(folds)
    record.history._log.completed[0] = found
    line = mark("curves", view_of(record), Line)
    assert (line.x, line.y, line.role) == ((1.0, 2.0), (0.2, 0.4), "best")


def test_trials_that_were_stopped_early_are_no_failures() -> None:
    record = make_record([{"x": i} for i in range(4)], [[0.5], [0.2], "no", [0.7]])
    log = record.history._log
    log.completed[1] = replace(log.completed[1], state=State.PRUNED)
    view = view_of(record)
    assert (view.successful, view.pruned, view.failed) == ((0, 3), (1,), (2,))
    data = kind_of("history").data(view)
    assert (data.pruned, data.failed) == ((1,), (2,))
    parts = trials(view)
    assert parts["pruned"]["reason"] == ["stopped early, at 0.2"]


def test_no_share_reaches_below_0_or_above_100_percent() -> None:
    content = importance.ImportanceData(
        metric="score", names=("x", "y"), shares=(0.8, 0.1), errors=(0.6, 0.3), claim="x or y."
    )
    content = replace(content, intervals=tuple(map(share_interval, content.shares, content.errors)))
    (shown,) = importance.draw(content).panels
    assert isinstance(shown, Panel)
    (bars,) = shown.marks
    assert isinstance(bars, Bars)
    assert [(round(low, 6), round(high, 6)) for low, high in bars.intervals] == [
        (0.2, 1.0),
        (0.0, 0.4),
    ]
    assert bars.texts == ("80% (20 to 100)", "10% (0 to 40)")
    assert [text for _, text in shown.x.ticks][::5] == ["0%", "100%"]
    # In a card of half the page, about 280 pixels are left for the panel.
    longest = importance.draw(replace(content, shares=(1.0, 0.1), intervals=((0.7, 1.0), (0, 0.4))))
    (shown,) = longest.panels
    assert isinstance(shown, Panel)
    assert len("100% (70 to 100)") * LETTER < 280 * (1 - 1.0 / shown.x.high)


def record_with_current(current: float) -> StudyRecord:
    """Eleven trials, the third of which has the current parameters."""
    scores: list[list[float] | str] = [[0.8 + i / 100] for i in range(10)] + ["no memory"]
    scores[2] = [current]
    origins = ["grid"] * 2 + ["current"]
    record = make_record([{"x": i} for i in range(11)], scores, origins=origins)
    log = record.history._log
    log.completed[4] = replace(log.completed[4], state=State.PRUNED)
    return record


def test_the_history_marks_the_current_parameters() -> None:
    view = view_of(record_with_current(0.82))
    line = mark("history", view, Line, "current")
    assert line.is_dashed
    assert set(line.y) == {0.82}
    x = panel("history", view).x
    assert line.x == (x.low, x.high)
    entries = legend(kind_of("history")(view))
    assert entries[:2] == [
        ("current parameters (trial 2)", "current", "dashes"),
        ("best so far", "best", "line"),
    ]
    assert ("best (trial 9)", "best", "dot") in entries
    assert "stroke-dasharray" in render(kind_of("history")(view))


def test_current_parameters_off_the_scale_are_told() -> None:
    view = view_of(record_with_current(-9.0))
    line = mark("history", view, Line, "current")
    assert (line.x, line.label) == ((), "current parameters (trial 2, -9, below the scale)")


def test_trials_without_a_score_lie_below_the_panel() -> None:
    view = view_of(record_with_current(0.82))
    shown = panel("history", view)
    assert [(rug.label, rug.trials) for rug in shown.rugs] == [("stopped", (4,)), ("failed", (10,))]
    # None of the dots inside is one of theirs.
    dots = [trial for m in shown.marks if isinstance(m, Points) for trial in m.trials]
    assert not {4, 10} & set(dots)
    labels = [label for label, _, _ in legend(kind_of("history")(view))]
    assert not {"stopped", "failed"} & set(labels)
    text = render(kind_of("history")(view))
    assert ">stopped</text>" in text
    assert ">failed</text>" in text


def test_names_of_upright_axes_do_not_meet() -> None:
    names = [f"a_parameter_of_length_{i}" for i in range(7)]
    rows = [{name: i + k for k, name in enumerate(names)} for i in range(6)]
    root = ElementTree.fromstring(render(kind_of("parallel")(view_of(make_record(rows)))))  # noqa: S314
    labels = [e for e in root.iter() if e.get("class") == "middle label"]
    assert len(labels) == 8
    by_height: dict[str, list[tuple[float, float]]] = {}
    for label in labels:
        half = len(label.text or "") * LETTER / 2
        x = float(label.get("x", ""))
        by_height.setdefault(label.get("y", ""), []).append((x - half, x + half))
    assert len(by_height) == 2
    for spans in by_height.values():
        ordered = sorted(spans)
        assert ordered[0][0] >= 0
        assert ordered[-1][1] <= 760
        assert all(left[1] < right[0] for left, right in pairwise(ordered))
    # One row is enough for short ones.
    short = render(kind_of("parallel")(view_of(make_record([{"x": 1}, {"x": 2}]))))
    assert len(set(re.findall(r'y="(\S+)" class="middle label"', short))) == 1


def test_whole_numbers_have_whole_ticks() -> None:
    view = view_of(make_record([{"depth": i} for i in range(1, 13)]))
    assert [tick % 1 for tick, _ in view.column("depth").axis.ticks] == [0, 0]


def test_slices_have_trends_with_bands(sloped: FigureView) -> None:
    found = {one.column.name: one.trend for one in kind_of("slice").data(sloped).slices}
    trend = found["x"]
    assert trend.mean[-1] - trend.mean[0] > 0.4
    assert list(trend.x) == sorted(trend.x)
    bands = zip(trend.low, trend.mean, trend.high, strict=True)
    assert all(low <= mean <= high for low, mean, high in bands)
    assert found["kind"].x == (0.0, 1.0)


def test_points_of_a_level_are_one_path() -> None:
    text = render(kind_of("history")(view_of(make_record(points(300)))))
    assert text.count("<path") < 30


def test_unknown_names_are_met_with_the_known_ones() -> None:
    record = records()["many"]
    with pytest.raises(UsageError, match=r"no metric `gian`\. Did you mean `gain`"):
        view_of(record, metric="gian")
    with pytest.raises(UsageError, match=r"no parameter `dept`\. Did you mean `depth`"):
        view_of(record, params=["dept"])
