"""Searches in a program's output."""

import pytest

from tunesmith.objective.program.results import printed
from tunesmith.objective.program.results.metrics import MetricsError
from tunesmith.objective.program.results.printed import PrintedResults


@pytest.mark.parametrize("is_error", [False, True])
@pytest.mark.parametrize(
    ("pattern", "line"), [("(a+)+$", "a" * 60 + "b"), (r"(?:x\w*)*=(\d+)", "x" * 60)]
)
def test_a_pattern_that_never_ends_is_a_failure_of_the_fold(
    monkeypatch: pytest.MonkeyPatch, pattern: str, line: str, is_error: bool
) -> None:
    monkeypatch.setattr(printed, "PATIENCE_S", 0.1)
    results = PrintedResults(pattern, ("score",))
    heard = results.listen()
    stream = heard.stderr if is_error else heard.stdout
    for _ in range(1000):  # after the first, nothing more is searched
        stream.feed(f"{line}\n".encode())
    heard.close()
    with pytest.raises(MetricsError, match=r"took over 0\.1 s: write it without repeats") as caught:
        results.read(heard)
    assert caught.value.kind == "slow-pattern"


@pytest.mark.parametrize(
    ("pattern", "printed", "found"),
    [
        (r"loss: ([0-9.]+)", b"\x1b[1mloss:\x1b[0m \x1b[38;5;2m0.25\x1b[0m\n", 0.25),
        (r"loss: (\S+)", b"epoch 9\x1b[2K\rloss: \x1b[32m1e-3\x1b[0m", 1e-3),
        (r"loss: \x1b\[32m(\S+)\x1b", b"loss: \x1b[32m7\x1b[0m", 7),
        (r"loss: ([0-9.]+)", b"loss: 0.5,0.25,0.75", 0.5),
    ],
)
def test_colours_are_no_part_of_what_is_printed(pattern: str, printed: bytes, found: float) -> None:
    results = PrintedResults(pattern, ("loss",))
    heard = results.listen()
    heard.stdout.feed(printed)
    heard.close()
    assert results.read(heard) == {"loss": found}


@pytest.mark.parametrize("text", ["0,25", "1.234,5", "12,3456", "-0,5"])
def test_a_number_with_a_decimal_comma_is_not_cut(text: str) -> None:
    results = PrintedResults(r"loss: ([-0-9.]+)", ("loss",))
    heard = results.listen()
    heard.stdout.feed(f"loss: {text}\n".encode())
    heard.close()
    with pytest.raises(MetricsError, match=f"a part of '{text}'"):
        results.read(heard)
