"""What a comment and a summary say, and that they fit."""

import pytest

from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.text import (
    MAX_LINKS_CHARACTERS,
    Link,
    _links,
    is_web,
    md_text,
    origin,
    parameters_table,
    parse_links,
)
from tunesmith.pipeline.parameters import Parameters
from tunesmith.system.fingerprint import digest


def parameters(*, edited: bool = False, meta: bool = True, **params: object) -> Parameters:
    known = {"study": "ch|urn", "trial": 7, "metric": "recall", "mean": 0.875}
    mark = digest({**params, "x": 1}) if edited else digest(params)
    return Parameters("", params, {**known, "digest": mark} if meta else {})


def test_parameters_beside_those_of_the_base() -> None:
    before, here = parameters(a=1, b="x|y"), parameters(a=1, b="@ann", c=None)
    text = parameters_table(before, here, "main")
    assert text.splitlines()[0] == "From trial 7 of study `ch\\|urn`, `recall` 0.875."
    assert "| `a` | `1` | `1` |" in text
    assert "| `b` | `x\\|y` | **`@ann`** |" in text
    assert "| `c` | – | **`null`** |" in text
    assert origin(parameters(edited=True, a=1)).endswith("**edited by hand since**.")
    assert origin(parameters(meta=False, a=1)) == "Set by hand."


def test_links() -> None:
    given = ["HTML report=https://forge.example/a?b=c", "None made="]
    assert parse_links(given) == (Link("HTML report", "https://forge.example/a?b=c"),)
    assert md_text("a [b](c) @d") == "a \\[b\\](c) \\@d"
    for odd in ("no url", "x=javascript:alert(1)", "=https://a", "x=https://a b", "x=https://a)(b"):
        with pytest.raises(UsageError, match="expected NAME=https"):
            parse_links([odd])
    assert not is_web("https://a\n(b")


@pytest.mark.parametrize(("n", "length"), [(1, 20), (80, 1000), (400, 30), (3, 9000)])
def test_links_that_do_not_fit_are_counted(n: int, length: int) -> None:
    given = [Link(f"artifact {i}", f"https://forge.example/{'a' * length}/{i}") for i in range(n)]
    text = _links(given)
    assert len(text) <= MAX_LINKS_CHARACTERS + 40
    n_kept = text.count("](https://")
    assert (f"_{n - n_kept} more links did not fit_" in text) == (n_kept < n)
