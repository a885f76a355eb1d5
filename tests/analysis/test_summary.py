import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from tunesmith.analysis.ranking import running_best
from tunesmith.analysis.summary import summarise
from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.reporting.markdown import render
from tunesmith.testing.records import make_record


def test_the_comparison_is_paired_and_corrected() -> None:
    scores = [[0.70, 0.80, 0.75], [0.72, 0.83, 0.76]]
    summary = summarise(make_record([{"n": 1}, {"n": 2}], scores, origins=["defaults"]))
    (found,) = summary.comparisons
    gains = np.array([0.02, 0.03, 0.01])
    assert found.name == "defaults"
    assert math.isclose(found.gain, gains.mean())
    assert math.isclose(found.error, math.sqrt(gains.var(ddof=1) * (1 / 3 + 1 / 2)))


def test_what_sharing_spared_is_counted() -> None:
    log = TrialLog((Metric("score"),))
    shared = [FoldResult(fold, {"score": 0.5}, n_sharing=4) for fold in range(2)]
    log.tell(log.ask({"n": 1}, '{"n":1}', "grid").completed(shared))
    proposed = log.ask({"n": 9}, '{"n":9}', "random")
    best = replace(proposed, params={"n": 5}, key='{"n":5}', proposed={"n": 9}, n_points=9)
    log.tell(best.completed([FoldResult(fold, {"score": 0.7}, n_sharing=9) for fold in range(2)]))
    summary = summarise(replace(make_record([{"n": 1}]), history=log.view()))
    assert summary.n_points == 10
    assert summary.n_spared == round(2 * (1 - 1 / 4) + 2 * 8)
    text = render(summary)
    assert "Each trial is the best of several points that its fits score: 10 points." in text
    assert "Sharing saved 18 fits." in text


def test_edges_are_the_ends_of_ranges_only() -> None:
    space = {
        "boxes": [{"n": {"int": [1, 5]}, "x": {"float": [0.0, 1.0]}, "k": [1, 2]}],
        "constraints": [],
    }
    record = make_record([{"n": 5, "x": 0.5, "k": 2}], [[1.0]], space=space)
    assert [(e.name, e.side) for e in summarise(record).edges] == [("n", "high")]


def test_next_to_an_end_is_at_the_end() -> None:
    ranges = {
        "a": {"float": [0.0, 10.0]},
        "b": {"float": [0.0, 10.0]},
        "c": {"float": [0.001, 10.0], "log": True},
        "d": {"float": [0.001, 10.0], "log": True},
        "e": {"int": [3, 40]},
        "max_features": {"float": [0.2, 1.0]},
        "outside": {"float": [0.0, 1.0]},
    }
    point = {"a": 9.95, "b": 9.85, "c": 9.4, "d": 0.0011, "e": 39, "max_features": 0.9999}
    space = {"boxes": [ranges], "constraints": []}
    record = make_record([{**point, "outside": 1.005}], [[1.0]], space=space)
    found = [(e.name, e.value, e.side, e.end) for e in summarise(record).edges]
    # In logarithms, 0.0011 is 1.03 % of the range away from its end.
    assert found == [("a", 9.95, "high", 10.0), ("c", 9.4, "high", 10.0)]


def test_a_value_next_to_the_first_of_a_list_is_not_at_its_end() -> None:
    lists = {"C": [0.001, 0.01, 0.1, 1, 10, 100], "n": [10, 100, 1000, 100000]}
    space = {"boxes": [lists], "constraints": []}
    for point, names in (({"C": 1, "n": 1000}, []), ({"C": 100, "n": 10}, ["C", "n"])):
        record = make_record([point], [[1.0]], space=space)
        assert [edge.name for edge in summarise(record).edges] == names


def test_the_ranges_of_other_boxes_have_no_ends_here() -> None:
    ranges = {"a": [0.1, 1.0], "b": [0.1, 100.0]}
    boxes = [{"kind": [kind], "C": {"float": ends}} for kind, ends in ranges.items()]
    space = {"boxes": boxes, "constraints": []}
    expected = {("a", 0.5): [], ("a", 1.0): [1.0], ("b", 20.0): [], ("b", 99.5): [100.0]}
    for (kind, value), ends in expected.items():
        record = make_record([{"kind": kind, "C": value}], [[1.0]], space=space)
        found = [edge.end for edge in summarise(record).edges]
        assert found == ends, (kind, value)


def test_a_list_of_numbers_has_ends_as_well() -> None:
    lists = {"a": [9, 3, 6], "b": [1, 2, None], "c": [1, 2], "d": [0.1, 1, 10], "e": [0, True, 2]}
    space = {"boxes": [lists], "constraints": []}
    record = make_record([{"a": 9, "b": 1, "c": 1, "d": 1, "e": 2}], [[1.0]], space=space)
    assert [(e.name, e.side) for e in summarise(record).edges] == [("a", "high")]


def test_importance_finds_the_parameter_that_matters() -> None:
    rng = np.random.default_rng(0)
    points = [{"a": float(a), "b": float(b)} for a, b in rng.random((40, 2))]
    scores = [[p["a"] ** 2 + 0.01 * p["b"]] * 2 for p in points]
    shares = summarise(make_record(points, scores)).importance.shares
    assert shares[0][0] == "a"
    assert shares[0][1] > 0.9


def test_importance_says_why_there_is_none() -> None:
    assert summarise(make_record([{"n": 1}])).importance.reason == "needs two parameters that vary"


def test_trends_never_split_equal_values() -> None:
    points = [{"n": n % 9} for n in range(40)]
    scores = [[p["n"] / 10] for p in points]
    levels = summarise(make_record(points, scores)).trends["n"]
    assert sum(level.n for level in levels) == 40
    assert [level.label for level in levels] == ["0 – 1", "2 – 3", "4 – 5", "6 – 7", "8"]
    assert all(a.mean < b.mean for a, b in pairwise(levels))


def test_the_running_best_skips_failures() -> None:
    nan = math.nan
    found = running_best([nan, 0.5, nan, 0.4, 0.6], Metric("m"))
    assert math.isnan(found[0])
    assert found[1:] == [0.5, 0.5, 0.5, 0.6]


def test_warnings_are_gathered_by_trial_and_kind() -> None:
    log = TrialLog((Metric("score"),))
    texts = [("A: one", "A: two"), ("", ""), ("B: x", "A: three")]
    for number, warnings in enumerate(texts):
        trial = log.ask({"n": number}, str(number), "grid")
        folds = [FoldResult(f, {"score": 1.0}, warning=w) for f, w in enumerate(warnings)]
        log.tell(trial.completed(folds))
    record = replace(make_record([{"n": 0}]), history=log.view())
    found = [(group.kind, group.numbers) for group in summarise(record).warnings]
    assert found == [("A", (0, 2)), ("B", (2,))]
    report = render(summarise(record))
    assert "- 2 trials of 3 warned of `A`: `two` (first: trial 0)." in report


RANGES = {"boxes": [{"a": {"float": [0.0, 1.0]}, "n": {"int": [0, 23]}}], "constraints": []}


def test_further_trials_are_compared_with_chance() -> None:
    rng = np.random.default_rng(0)
    points = [{"a": float(a), "n": int(24 * b)} for a, b in rng.random((30, 2))]
    hill = [-((float(p["a"]) - 0.5) ** 2) for p in points]
    for noise, words in (
        (0.5, ", less than two trials differ by chance alone"),
        (1e-5, ", more than two trials differ by chance alone"),
    ):
        scores = [[h + float(e) for e in noise * rng.normal(size=4)] for h in hill]
        record = make_record(points, scores, space=RANGES)
        outlook = summarise(record).outlook
        assert outlook is not None
        assert outlook.gain >= 0
        text = render(summarise(record))
        assert "By a model of these scores, 20 further trials would gain " in text
        assert words in text


def test_nothing_is_foretold_from_few_trials_or_an_unknown_space() -> None:
    points = [{"n": n} for n in range(24)]
    space = {"boxes": [{"n": {"int": [0, 23]}}], "constraints": []}
    assert summarise(make_record(points[:19], space=space)).outlook is None
    assert summarise(make_record(points)).outlook is None
    assert summarise(make_record(points, space=space), with_effects=False).outlook is None
    assert "Every point of the space has been tried." in render(
        summarise(make_record(points, space=space))
    )
