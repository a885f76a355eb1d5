"""Files of others, of which best parameters are one section."""

from pathlib import Path

import pytest

from tunesmith.config.model import BestSection
from tunesmith.errors import UsageError
from tunesmith.parameters.content import content_of
from tunesmith.parameters.shape import Shape

NAMES = frozenset({"depth"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("params.yaml", "names: {0: cat, 1: dog}  # classes\ntrain:\n  depth: 3  # mine\n"),
        ("params.yaml", "base: &base\n  seed: 1\ntrain:\n  <<: *base\n  depth: 3  # mine\n"),
        ("params.toml", "since = 2020-01-01\n[train]\ndepth = 3  # mine\n"),
        ("params.json", '\ufeff{\r\n    "train": {"depth": 3},\r\n    "x": 1\r\n}'),
    ],
)
def test_what_a_configuration_may_not_hold_stays_as_it_is(name: str, text: str) -> None:
    shape = Shape(BestSection(path=name, at="train"), NAMES)
    written = shape.write(text, Path(name), {"depth": 4}, {})
    assert written == text.replace("3  #", "4  #").replace(": 3}", ": 4}")
    assert shape.read(content_of(written, Path(name)), name)[0] == {"depth": 4}


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: !x 1\n", "a: 1\n---\nb: 2\n", "a: ["])
def test_what_readers_disagree_on_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"params\.yaml:\d+:\d+: "):
        content_of(text, Path("params.yaml"))
