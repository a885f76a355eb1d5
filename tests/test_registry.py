import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from tunesmith import registry
from tunesmith.errors import UsageError


@pytest.mark.parametrize(
    ("group", "name"), [(g, n) for g, table in registry.BUILTIN.items() for n in table]
)
def test_every_line_leads_somewhere(group: str, name: str) -> None:
    found = registry.load(group, name)
    # A format is a module with two functions.
    assert callable(found) or (callable(found.read) and callable(found.update))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown name `gird` .* Did you mean `grid`\? Known: "):
        registry.load("samplers", "gird")


def test_an_outside_package_registers_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    def fake() -> EntryPoints:
        return EntryPoints([EntryPoint("mine", "collections:OrderedDict", "tunesmith.samplers")])

    registry._all.cache_clear()
    registry.outside.cache_clear()
    monkeypatch.setattr(registry, "entry_points", fake)
    try:
        assert "mine" in registry.names("samplers")
        assert registry.load("samplers", "mine").__name__ == "OrderedDict"
    finally:
        registry._all.cache_clear()
        registry.outside.cache_clear()


def test_names_import_nothing_heavy() -> None:
    code = (
        "import sys; from tunesmith import registry; registry.names('samplers');"
        "print(sorted({'sklearn', 'pandas', 'optuna', 'scipy', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
