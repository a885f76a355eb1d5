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
