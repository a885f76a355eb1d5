import pytest

from tunesmith.redact import MARK, printable, redact


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + "a1B2" * 6,
        "github_pat_" + "a1B2_" * 6,
        "glpat-" + "a1B2" * 5,
        "AKIA" + "ABCD1234" * 2,
        "hf_" + "a1B2" * 6,
        "sk-" + "a1B2" * 6,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_known_token_shapes_are_hidden(secret: str) -> None:
    text = redact(f"before {secret} after", {})
    assert secret not in text
    assert text == f"before {MARK} after"


def test_url_logins_and_query_secrets_are_hidden() -> None:
    url = "https://ann:hunter2@example.org/x?password=p1&page=2&access_token=t9"
    assert redact(url, {}) == (
        f"https://{MARK}@example.org/x?password={MARK}&page=2&access_token={MARK}"
    )


@pytest.mark.parametrize("password", ["p@ss", "p/a", "p?a", "p#a", "1:2", ""])
def test_logins_with_awkward_passwords_are_hidden(password: str) -> None:
    url = f"see postgresql://ann:{password}@db.example:5432/x, please"
    assert redact(url, {}) == f"see postgresql://{MARK}@db.example:5432/x, please"


def test_an_at_sign_after_the_host_is_no_login() -> None:
    text = "https://example.org:8080/ann@home https://example.org/p@1?to=a@b mail a@b:c"
    assert redact(text, {}) == text


def test_values_of_secret_variables_are_hidden_but_short_ones_stay() -> None:
    environ = {"DB_PASSWORD": "correct horse", "API_TOKEN": "no", "EDITOR": "correct-editor"}
    assert redact("correct horse, no, correct-editor", environ) == f"{MARK}, no, correct-editor"


def test_ordinary_text_is_left_alone() -> None:
    text = "ValueError: max_depth must be > 0 (see https://example.org/a?page=2#b), task sk-1"
    assert redact(text, {}) == text


def test_terminal_escapes_are_dropped() -> None:
    assert printable("a\x1b]0;title\x07b\x1b[2Jc\td\ne\r\x00") == "abc\td\ne"


def test_the_end_of_a_key_is_hidden_with_all_before_it() -> None:
    text = "MIIEabc\nxyz\n-----END RSA PRIVATE KEY-----\nthen an error"
    assert redact(text) == "[redacted]\nthen an error"
