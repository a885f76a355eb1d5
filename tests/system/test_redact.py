import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.system.redact import MARK, _spared, clean, printable, redact, spare, spared


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


VALUE = "aB3" * 8
WRITTEN = {
    "a URL in JSON": f"https:\\/\\/ann:{VALUE}@host\\/x",
    "a URL in a URL": f"to=https%3A%2F%2Fann%3A{VALUE}%40host%2Fx",
    "a query in JSON": f"https://host/x?sv=1\\u0026sig={VALUE}",
    "a query in a URL": f"next=%2Fx%3Fpage%3D1%26access_token%3D{VALUE}",
    "a fragment": f"https://host/x#access_token={VALUE}&state=1",
    "an option": f"train.py --api-key {VALUE}",
    "an option with a sign": f"train.py --hub-token='{VALUE}'",
    "a list of arguments": f"Command '['train.py', '--password', '{VALUE}']' failed",
    "a list over lines": f'[\n        "--api-key",\n        "{VALUE}"\n]',
    "curl": f"curl -s -u ann:{VALUE} https://host",
    "curl in a list": f"['curl', '-u', 'ann:{VALUE}']",
    "netrc": f"machine host login ann password {VALUE}",
    "netrc over lines": f"machine host\n  login ann\n  password {VALUE}",
    "words in quotes": f'password: "correct horse {VALUE} 9"',
    "a login of a registry": f'{{"auths": {{"host": {{"auth": "{VALUE}"}}}}}}',
    "a key of a service": f"CLEARML_API_SECRET_KEY={VALUE}",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=list(WRITTEN))
def test_known_forms_are_hidden_however_they_are_written(text: str) -> None:
    shown = redact(text, {})
    assert VALUE not in shown
    assert MARK in shown
    assert redact(shown, {}) == shown


@pytest.mark.parametrize(
    "text",
    [
        "--tokenizer bert-base-2 --token-limit 2048 --password-file /run/x1",
        "python train.py --api-key {key1234} --token 12345678",
        "https://example.org/a%2Fb?x=1%26y=2 the password is wrong",
        "'token': 'some word with 7 spaces', auth: BasicAuth",
        "curl -u me https://host:80/x; login as ann, password reset",
    ],
)
def test_text_about_secrets_is_left_alone(text: str) -> None:
    assert redact(text, {}) == text


def test_tokens_of_further_services_are_hidden() -> None:
    some, digits = "aB3" * 16, "0a1b2c3d" * 5
    tokens = [f"{begin}{some}" for begin in ("ntn_", "pcsk_", "wandb_v1_", "isat_", "dp.st.prd.")]
    tokens += [f"sk.eyJ{some}", f"sk_{digits}", f"sqp_{digits}", f"xoxd-{some}", f"LTAI{some}"]
    text = " | ".join(tokens)
    assert redact(text, {}) == " | ".join([MARK] * len(tokens))


ENVIRON = {
    "DB_PASS": "hunter2/horse+x",
    "SORT_KEY": "0.123456789",
    "CACHE_KEY": "/var/cache/some/where",
    "KERNEL_KEY": "polynomial-kernel",
    "AUTH_METHOD": "kubernetes",
    "PWD": "/home/ann/project",
    "TOKEN_TTL": "3600 seconds",
    "COMPASS": "north-north-west",
}


def test_numbers_paths_and_descriptions_are_no_secrets() -> None:
    text = " ".join(
        value for name, value in ENVIRON.items() if name not in ("DB_PASS", "KERNEL_KEY")
    )
    assert redact(text, ENVIRON) == text


def test_words_of_the_study_are_no_secrets() -> None:
    assert redact("polynomial-kernel", ENVIRON) == MARK
    before = set(spared())
    try:
        spare(["polynomial-kernel"])
        assert redact("polynomial-kernel", ENVIRON) == "polynomial-kernel"
    finally:
        _spared.intersection_update(before)


@pytest.mark.parametrize(
    "written",
    [
        "hunter2/horse+x",
        "hunter2%2Fhorse%2Bx",
        "hunter2%2fhorse%2bx",
        "hunter2\\/horse+x",
        "68756e746572322f686f7273652b78",
        base64.b64encode(b"hunter2/horse+x").decode(),
        base64.b64encode(b"ann:hunter2/horse+x").decode(),
        base64.b64encode(b"a:hunter2/horse+x and more").decode(),
        base64.urlsafe_b64encode(b"hunter2/horse+x").decode(),
        "\x1b[1mhunter2\x1b[0m/horse+x",
    ],
)
def test_values_are_hidden_however_they_are_written(written: str) -> None:
    shown = clean(f"see {written}.", ENVIRON)
    assert MARK in shown
    assert "horse" not in shown
    assert written[4:-6] not in shown


def test_lines_and_parts_of_a_value_are_hidden() -> None:
    environ = {
        "SIGNING_KEY": "first line of it\nsecond line of it",
        "CREDS": '{"user": "ann", "password": "correct horse"}',
        "MAIN_DB": "Server=x;Password=battery staple 7;",
        "URL": "https://ann:staple%20battery@x.example/",
    }
    said = "second line of it, correct horse, battery staple 7, staple battery, ann"
    assert redact(said, environ) == f"{MARK}, {MARK}, {MARK}, {MARK}, ann"


@pytest.mark.parametrize(
    "text", ["x" * 200_000, "a." * 100_000, "eyJ" * 60_000, "?a;" * 60_000, "curl " * 40_000]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    redact(text, ENVIRON)
    assert time.process_time() - began < 5


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text, ENVIRON)
    assert redact(once, ENVIRON) == once
