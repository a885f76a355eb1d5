"""Sides that import next to nothing, so that measuring them takes little."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any


def orphan(seconds: float) -> Callable[[], int]:
    """A process that leaves behind a busy child in a session of its own."""
    burn = f"import time\nwhile time.process_time() < {seconds}: pass"
    start = f"subprocess.Popen([sys.executable, '-c', {burn!r}], start_new_session=True)"
    code = f"import subprocess, sys; {start}"
    return lambda: subprocess.run([sys.executable, "-c", code], check=False).returncode


def broken(*_: Any) -> Any:
    """A side that cannot even begin."""
    raise ValueError("there are no such data")
