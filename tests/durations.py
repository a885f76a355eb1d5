"""How long tests took, as `make durations` notes it: for their order, and for `make quick`.

As a plugin (``-p tests.durations``) it does the noting.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("durations.json")
LONG_S = 0.1
"""A function whose cases take longer together is left out of `make quick`."""


def function(nodeid: str) -> str:
    """Name a test without its parameters.

    >>> function("tests/a.py::TestB::test_c[1-x]")
    'tests/a.py::TestB::test_c'
    """
    return nodeid.partition("[")[0]


def known() -> dict[str, float]:
    """Read what was noted: test function -> seconds of all its cases."""
    found: dict[str, float] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


SECONDS: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what every phase of every test takes; called once this module is a plugin."""
    SECONDS[function(report.nodeid)] += report.duration  # type: ignore[assignment]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Note it, unless this is a worker, which knows its own part alone."""
    if not hasattr(session.config, "workerinput"):
        write(SECONDS)


def write(seconds: Mapping[str, float]) -> None:
    """Note what is worth it, in the order of names."""
    noted = {name: round(s, 2) for name, s in sorted(seconds.items()) if s >= LONG_S}
    FILE.write_text(json.dumps(noted, indent=0) + "\n", encoding="utf-8")
