from tunesmith.config.yaml12 import read_yaml
from tunesmith.importers.draft import Draft
from tunesmith.importers.writing import comment, text_of


def test_notes_stay_comments() -> None:
    draft = Draft("tool", "a.py:1")
    draft.put(("study",), "s", "two\nlines: {\x1b[31m}")
    draft.put(("objective", "command"), ["python", "a b", "--x={x}"])
    draft.parameter("x", [1, "no", None], (1, 1), "long " * 60)
    draft.put(("search", "method"), "grid", "why")
    text = text_of(draft)
    assert read_yaml(text).data == {
        "study": "s",
        "objective": {"command": ["python", "a b", "--x={x}"]},
        "space": {"x": [1, "no", None]},
        "search": {"method": "grid"},
    }
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100


def test_boxes_and_steps_are_lists() -> None:
    draft = Draft("tool", "a.py:1")
    draft.content["space"] = [{"a": [1, 2]}, {"b": [3]}]
    draft.note(("space", 1, "b"), "a note")
    assert read_yaml(text_of(draft)).data == {"space": [{"a": [1, 2]}, {"b": [3]}]}
    assert "  - # a note\n    b: [3]" in text_of(draft)


def test_a_comment_is_indented() -> None:
    assert comment("a  b", 2) == ["  # a b"]
