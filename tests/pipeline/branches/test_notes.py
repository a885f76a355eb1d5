from hypothesis import given
from hypothesis import strategies as st

from tunesmith.pipeline.branches.notes import Note, note_lines, notes_in

WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
"""What a branch may be called: no spaces, no control characters."""


@given(names=st.lists(WORDS, min_size=1, max_size=4), text=st.text(max_size=30))
def test_any_number_of_notes_is_found_in_a_message(names: list[str], text: str) -> None:
    """As a squashed merge has them: texts between, other ends of lines, the newest last."""
    blocks = ["\n".join(note_lines(name, f"d{i}", f"c{i}")) for i, name in enumerate(names)]
    told = text.replace("Tunesmith", "")
    message = "".join(f"* {told}\n\n{block}\n\n" for block in blocks)
    found = [Note("c", name, f"d{i}", f"c{i}") for i, name in enumerate(names)]
    for written in (message, message.replace("\n", "\r\n")):
        assert notes_in("c", written) == found[::-1]


@given(text=st.text())
def test_other_messages_say_nothing(text: str) -> None:
    assert notes_in("c", text) == []
    assert notes_in("c", f"{text}\nTunesmith-Experiment: one\nTunesmith-Source: c\n") == []
