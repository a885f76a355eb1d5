import pytest

from tunesmith.importers.draft import Draft, study_name
from tunesmith.importers.refusal import Refused


def test_a_parameter_is_there_once() -> None:
    draft = Draft("tool", "a.py:1")
    draft.parameter("x", [1, 2], (3, 4))
    with pytest.raises(Refused, match="there twice"):
        draft.parameter("x", [1, 2], (5, 6))
    assert draft.place(("space", "x", "values")) == (3, 4)
    draft.check_space()


def test_an_empty_space_is_refused() -> None:
    with pytest.raises(Refused, match="nothing to search"):
        Draft("tool", "a.py:1").check_space()


def test_an_invalid_definition_is_refused_at_its_place() -> None:
    draft = Draft("tool", "a.py:1")
    draft.parameter("x", {"float": [2, 1]}, (3, 4))
    with pytest.raises(Refused, match="`x`") as caught:
        draft.check_space()
    assert caught.value.place == (3, 4)


def test_one_metric_stands_alone() -> None:
    draft = Draft("tool", "a.py:1")
    draft.metric("loss", "minimize", "a note", "a note")
    assert draft.finished()["objective"]["metric"] == {"name": "loss", "direction": "minimize"}
    assert draft.notes == {("objective", "metric"): ["a note"]}


def test_names_of_studies() -> None:
    assert study_name("Größe / 2") == "Groe-2" or study_name("Größe / 2").isascii()
    assert study_name("///") == "study"
