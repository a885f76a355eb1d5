"""What tests of several floors need."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tunesmith.ci_commands import SIGNS

# A CI job's variables change what commands print: tests that want them set them themselves.
for sign in SIGNS:
    os.environ.pop(sign, None)

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
