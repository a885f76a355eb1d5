"""Notes in the report."""

from tunesmith.analysis.summary import summarise
from tunesmith.reporting.sections.notes import MAX_NOTES, trial_notes
from tunesmith.testing.figures import points
from tunesmith.testing.records import make_record


def test_notes_are_code_that_nothing_ends() -> None:
    record = make_record(points(3))
    assert trial_notes(summarise(record, with_effects=False)) == ""
    noted = record.with_notes({1: ("a | b", "@all <b>`x`</b>\n# c")})
    text = trial_notes(summarise(noted, with_effects=False))
    assert "| 1 | `a \\| b` |" in text
    assert "| 1 | `` @all <b>`x`</b> # c `` |" in text


def test_a_long_list_ends() -> None:
    record = make_record(points(3)).with_notes({0: tuple(map(str, range(MAX_NOTES + 5)))})
    assert "And 5 more" in trial_notes(summarise(record, with_effects=False))
