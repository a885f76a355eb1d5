"""The public names: listed, documented, each with an example that runs (as a doctest)."""

import inspect
import re
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest

import tunesmith
import tunesmith.sklearn as searches

NAMES = [name for name in tunesmith.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(getattr(tunesmith, name)) or "")


@pytest.mark.parametrize("name", searches.__all__)
def test_every_search_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(getattr(searches, name)) or "")


def test_every_entry_of_the_reference_has_an_example() -> None:
    page = (Path(__file__).parents[1] / "docs/api.md").read_text()
    entries = re.findall(r"^<!-- ::: tunesmith\.([\w.]+)", page, re.MULTILINE)
    lacking = [one for one in entries if ">>>" not in (attrgetter(one)(tunesmith).__doc__ or "")]
    assert entries
    assert lacking == []


def test_the_api_is_listed_before_anything_is_imported() -> None:
    code = (
        "import tunesmith, sys; print(*dir(tunesmith));"
        "print('pandas' in sys.modules, tunesmith.sklearn.GridSearchCV.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    listed, used = done.stdout.splitlines()
    assert sorted(listed.split()) == sorted([*tunesmith.__all__, "sklearn"])
    assert used == "False GridSearchCV"
