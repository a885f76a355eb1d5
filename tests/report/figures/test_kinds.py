"""The contract that every kind of figure keeps, and what each shows."""

import math

import pytest

from tunesmith import registry
from tunesmith.errors import UsageError
from tunesmith.history import FoldResult, Metric
from tunesmith.report.figures import contour, curves, history, race
from tunesmith.report.figures.chart import Bars, Cells, Line, Panel, Parallel, Points
from tunesmith.report.figures.kind import kind_of
from tunesmith.report.figures.svg import render
from tunesmith.report.figures.view import view_of
from tunesmith.testing.figures import FigureContract, points, records, view_of_study
from tunesmith.testing.records import make_record

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


def panel(name: str, record: str = "many", index: int = 0, **choice: object) -> Panel:
    found = kind_of(name)(view_of(records()[record], **choice)).panels[index]  # type: ignore[arg-type]
    assert isinstance(found, Panel)
    return found


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
    assert panel("history", metric="loss").y.label == "loss (lower is better)"


def test_the_best_scores_have_the_strongest_colour_in_either_direction() -> None:
    for direction in ("maximize", "minimize"):
        metrics = (Metric("m", direction),)  # type: ignore[arg-type]
        record = make_record(
            [{"x": i} for i in range(5)], [[float(i)] for i in range(5)], metrics=metrics
        )
        levels = view_of(record).levels
        assert sorted(levels, reverse=direction == "minimize") == list(levels)
        assert {levels[0], levels[-1]} == {0, 7}


def test_a_far_outlier_does_not_flatten_the_others() -> None:
    scores = [[0.8 + i / 100] for i in range(20)] + [[-1e6]]
    chart = history.draw(history.data(view_of(make_record([{"x": i} for i in range(21)], scores))))
    assert chart.panels[0].y.low > 0  # type: ignore[union-attr]


def test_log_parameters_have_log_axes_and_conditional_ones_gaps() -> None:
    found = kind_of("parallel")(view_of_study("many")).panels[0]
    assert isinstance(found, Parallel)
    scales = {axis.label: axis.scale for axis in found.axes}
    assert (scales["rate"], scales["depth"], scales["kernel"]) == ("log", "linear", "category")
    names = [axis.label for axis in found.axes]
    assert None in found.columns[names.index("degree")]
    assert "constant" not in names


def test_slices_show_failed_trials_where_they_were() -> None:
    marks = panel("slice", params=["depth"]).marks
    failed = [m for m in marks if isinstance(m, Points) and m.role == "failed"]
    assert failed[0].trials == (3, 10, 17, 24, 31, 38)
    assert failed[0].x == tuple(float(1 + i % 9) for i in failed[0].trials)


def test_bars_stand_beside_the_names_of_their_parameters() -> None:
    found = panel("importance")
    bars = found.marks[0]
    assert isinstance(bars, Bars)
    data = kind_of("importance").data(view_of_study("many"))
    # Ticks rise from the bottom, bars are listed from the top.
    assert [text for _, text in found.y.ticks] == list(data.names)[::-1]
    assert bars.values == data.shares
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
    cells = kind_of("contour")(view_of(make_record(corner), params=["x", "y"])).panels[0].marks[0]  # type: ignore[union-attr]
    assert isinstance(cells, Cells)
    middle = cells.levels[: cells.n_columns][cells.n_columns // 2]
    assert middle == -1
    assert max(cells.levels) > 0


def test_folds_are_rows_from_the_best_down() -> None:
    record = make_record([{"x": i} for i in range(3)], [[0.1, 0.2], [0.8, 0.9], [0.4, 0.5]])
    found = kind_of("folds")(view_of(record)).panels[0]
    assert [text for _, text in found.y.ticks] == ["0", "2", "1"]  # type: ignore[union-attr]
    cells = found.marks[0]  # type: ignore[union-attr]
    assert cells.texts[:2] == ("trial 1, fold 0: 0.8", "trial 1, fold 1: 0.9")
    assert cells.levels[0] > cells.levels[4]


def test_the_front_holds_what_nothing_beats() -> None:
    view = view_of_study("two objectives")
    front = [m for m in kind_of("pareto")(view).panels[0].marks if m.role == "front"]  # type: ignore[union-attr]
    assert set(front[0].trials) == {trial.number for trial in view.record.history.front()}
    assert "one objective" in kind_of("pareto")(view_of_study("many")).note


def test_races_are_means_of_the_folds_so_far() -> None:
    data = race.data(view_of(make_record([{"x": 1}, {"x": 2}], [[1.0, 3.0, 5.0], [1.0, 1.0, 1.0]])))
    assert data.courses[0].scores == (1.0, 2.0, 3.0)
    assert data.best == 0


def test_learning_curves_are_drawn_where_folds_report_them() -> None:
    class Reporting(FoldResult):
        progress = ((1, 0.2), (2, 0.4))

    record = make_record([{"x": 1}], [[0.5, 0.5]])
    trial = record.history[0]
    found = trial.told([Reporting(fold, {"score": 0.5}) for fold in range(2)])
    record.history._log.told[0] = found
    chart = curves.KIND(view_of(record))
    line = chart.panels[0].marks[0]  # type: ignore[union-attr]
    assert isinstance(line, Line)
    assert (line.x, line.y, line.role) == ((1.0, 2.0), (0.2, 0.4), "best")


def test_points_of_a_level_are_one_path() -> None:
    text = render(kind_of("history")(view_of(make_record(points(300)))))
    assert text.count("<path") < 30


def test_unknown_names_are_met_with_the_known_ones() -> None:
    record = records()["many"]
    with pytest.raises(UsageError, match=r"no metric `gian`\. Did you mean `gain`"):
        view_of(record, metric="gian")
    with pytest.raises(UsageError, match=r"no parameter `dept`\. Did you mean `depth`"):
        view_of(record, params=["dept"])
