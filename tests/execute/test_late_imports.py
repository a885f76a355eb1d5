import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tunesmith.execute import late_imports
from tunesmith.execute.late_imports import import_early, import_if_possible


@pytest.fixture(autouse=True)
def threaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package whose import is refused, and modules that import it."""
    monkeypatch.setattr(late_imports, "STARTING_THREADS", ("threaded_one",))
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    files = {
        "threaded_one/__init__.py": "",
        "threaded_one/part.py": "",
        "needing.py": "import threaded_one\n",
        "trying.py": "try:\n    import threaded_one\nexcept ImportError:\n    pass\n",
        "stubborn.py": "try:\n    import threaded_one\nexcept:\n    pass\n",
        "halved/__init__.py": "from halved import whole\nimport threaded_one\n",
        "halved/whole.py": "",
        "failing.py": "raise SystemExit(3)\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    importlib.invalidate_caches()
    yield tmp_path
    for name in sys.modules.keys() - before:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["threaded_one", "threaded_one.part", "needing", "trying"])
def test_a_module_that_needs_threads_is_left_out_as_a_whole(name: str) -> None:
    assert import_early(name)
    assert name not in sys.modules
    assert "threaded_one" not in sys.modules
    # Nothing stands in the way of the real import later.
    assert importlib.import_module(name)
    assert "threaded_one" in sys.modules


@pytest.mark.parametrize("name", ["json", "failing", "no_such_module"])
def test_other_modules_are_imported_if_that_is_possible(name: str) -> None:
    assert import_early(name)
    assert import_if_possible(name)
    assert (name in sys.modules) == (name == "json")


@pytest.mark.parametrize("name", ["stubborn", "halved"])
def test_what_is_imported_by_half_is_told(name: str) -> None:
    assert not import_early(name)


def test_nothing_is_refused_afterwards() -> None:
    import_early("needing")
    assert import_if_possible("needing")
    assert sys.modules["needing"]
