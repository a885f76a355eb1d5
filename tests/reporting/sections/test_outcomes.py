"""The table of trials that violate a constraint on outcomes."""

from tunesmith.analysis.summary import summarise
from tunesmith.reporting.sections.outcomes import MOST, violating
from tunesmith.reporting.sections.trials import every_trial
from tunesmith.testing.records import make_record


def test_the_closest_come_first_and_long_tables_are_cut() -> None:
    n = MOST + 3
    params = [{"depth": depth} for depth in range(n)]
    scores = [[0.5 + depth / 100] * 3 for depth in range(n)]
    summary = summarise(
        make_record(params, scores, subject_to=["score >= 0.9", "fit_time <= 2"]),
        with_effects=False,
    )
    text = violating(summary)
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == MOST
    assert rows[0].startswith(f"| {n - 1} | **0.72** | 0.1 |")
    assert "And 3 more." in text


def test_without_violations_there_is_none() -> None:
    summary = summarise(
        make_record([{"depth": 1}], [[0.9] * 3], subject_to=["score > 0.8"]), with_effects=False
    )
    assert violating(summary) == ""


def test_trials_that_cannot_win_have_no_rank_in_the_full_table() -> None:
    params, scores = [{"depth": depth} for depth in range(3)], [[0.5] * 3, [0.7] * 3, [0.6] * 3]
    for bound, ranks in {0.65: ["1", "–", "–"], 0.9: ["–"] * 3}.items():
        record = make_record(params, scores, subject_to=[f"score >= {bound}"])
        text = every_trial(summarise(record, with_effects=False))
        rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
        assert [row.split(" | ")[0].strip("| ") for row in rows] == ranks
