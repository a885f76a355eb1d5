from typing import Any

import pytest

from tunesmith.data.leaks.sign import Sign

SIGNS = [
    Sign("disguise", "a|b", 1.0),
    Sign("alone", "x", 0.987),
    Sign("twins", share=0.19),
    Sign("groups", "id", 0.9),
]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_recorded_sign_is_read_back(sign: Sign) -> None:
    assert Sign.of(sign.content) == sign


@pytest.mark.parametrize("sign", SIGNS)
def test_names_are_marked_up_and_sentences_have_no_end(sign: Sign) -> None:
    text = sign.text(lambda name: f"<{name}>")
    assert (f"<{sign.name}>" in text) == bool(sign.name)
    assert not text.endswith(".")


@pytest.mark.parametrize(
    "content", [None, [], "alone", {}, {"kind": "other", "name": "x"}, {"kind": "alone"}]
)
def test_anything_else_is_no_sign(content: Any) -> None:
    assert Sign.of(content) is None
