"""What tests of several floors need."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tests.durations import known
from tests.order import mark_long, slow_first
from tests.proved import skip_unproved

from tunesmith.system.ci_commands import SIGNS

# Beside other tests, threads that wait for each other make small fits many times slower. Processes
# that tests start have these variables, too; it is early enough for libraries of this one.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ["DVC_NO_ANALYTICS"] = "1"

# A CI job's variables change what commands print: tests that want them set them themselves.
for sign in SIGNS:
    os.environ.pop(sign, None)

# How long an example takes says how busy a machine is. `--hypothesis-profile=long` tries more of
# them wherever a test does not say how many; the suite tries few, each time others.
settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile("suite")

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real browser without a window, driven by Playwright."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip(f"no browser on this machine (looked for {', '.join(CHROMIUM)})")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        # Containers often have no user namespaces to build a sandbox from; the pages are ours.
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def _forgotten_modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forget the modules that a test's own project brought: the next project has a `model`, too."""
    before = set(sys.modules)
    yield
    base = tmp_path_factory.getbasetemp()
    for name in set(sys.modules) - before:
        path = getattr(sys.modules[name], "__file__", None)
        if path is not None and Path(path).is_relative_to(base):
            del sys.modules[name]


def pytest_xdist_auto_num_workers() -> int:
    """Count for `-n auto`: one worker more than cores, because many tests wait for programs."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes long in every worker: none is left alone with it at the end."""
    n_workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    seconds = known()
    mark_long(items, seconds)
    skip_unproved(items)
    items[:] = slow_first(items, n_workers, seconds)
