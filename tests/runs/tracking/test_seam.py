from dataclasses import replace

from tunesmith.runs.tracking.seam import tracked_study, tracked_trial
from tunesmith.testing.records import make_record


def test_a_study_has_one_name_and_each_series_another() -> None:
    record = make_record([{"x": 1}])
    one, again = tracked_study(record), tracked_study(record)
    assert one == again
    assert one.facts == {
        "python": "3.11.0",
        "git_commit": "c" * 40,
        "git_branch": "main",
        "seed": "0",
        "search": "grid",
    }
    other = replace(record, head=replace(record.head, generation=2))
    assert tracked_study(other).uid != one.uid


def test_a_failed_trial_has_a_reason_and_no_means() -> None:
    record = make_record([{"x": 1}, {"x": 2}], [[0.25, 0.75], "boom"])
    good, bad = (tracked_trial(trial, record.metrics) for trial in record.history.completed)
    assert (good.means, good.folds) == ({"score": 0.5}, ({"score": 0.25}, {"score": 0.75}))
    assert (bad.means, bad.failure) == ({}, "ValueError: boom")
    assert round(good.fit_time_s, 9) == 0.2
