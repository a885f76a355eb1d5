"""Private keys in texts, as programs, loggers and mails write them."""

from urllib.parse import quote

import pytest

from tunesmith.system.private_keys import without_keys

MARK = "[redacted]"
BODY = ("k9Qz+/" * 11)[:64]
CUT_KEY = ["-----BEGIN RSA PRIVATE KEY-----", BODY, BODY]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"2026-01-01 12:00 INFO | {line}" for line in CUT_KEY) + "\nnext line",
        "\n".join(f"> {line}" for line in CUT_KEY) + "\nnext line",
        quote("\n".join([*CUT_KEY, "-----END RSA PRIVATE KEY-----"])) + "\nnext line",
        repr("\n".join(CUT_KEY)) + "\nnext line",
        f"PuTTY-User-Key-File-2: x\nPrivate-Lines: 2\n{BODY}\n{BODY}\nnext line",
    ],
    ids=["logged", "quoted in a mail", "in a URL", "repr", "PuTTY"],
)
def test_a_key_is_hidden_however_its_lines_are_marked(text: str) -> None:
    shown = without_keys(text, MARK)
    assert "k9Qz" not in shown
    assert MARK in shown
    assert shown.endswith("next line")
