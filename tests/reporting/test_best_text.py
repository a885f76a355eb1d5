from tunesmith.analysis.summary import summarise
from tunesmith.analysis.winner import winner_of
from tunesmith.reporting.best_text import best_text
from tunesmith.testing.records import make_record


def test_the_winner_with_its_scores_and_parameters() -> None:
    record = make_record([{"b": 1, "a": "x"}, {"b": 2, "a": "y"}], [[0.5, 0.6], [0.8, 0.9]])
    text = "best: trial 1, score 0.850 ± 0.050\n  a = y\n  b = 2"
    assert best_text(winner_of(record)) == text
    assert best_text(summarise(record, with_effects=False)) == text


def test_nothing_is_best_without_trials() -> None:
    assert best_text(winner_of(make_record([]))) == "no usable result"
