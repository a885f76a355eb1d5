"""How processes of our own start: with modules from trusted places, whatever the project holds.

Python looks into ``PYTHONPATH`` and the working folder before it looks anywhere else, also for what
it imports before its first line. So neither leads our processes: they are told where this one's
modules come from. The project's places are added when its own code is loaded (``handover``).
"""

import sys
from collections.abc import Mapping, Sequence

from tunesmith import shadows

START = """\
import sys
sys.path[:] = sys.argv.pop(1).split("\\n")
from tunesmith.execute import {module}
{module}.start(sys.argv[1:])
"""


def own_program(module: str, arguments: Sequence[str]) -> list[str]:
    """The command that calls ``start`` of a module of this package in a process of its own."""
    places = "\n".join(shadows.trusted_places())
    return [sys.executable, "-P", "-c", START.format(module=module), places, *arguments]


def without_path(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment to start with; the whole one is handed over when the process is up."""
    return {name: value for name, value in environ.items() if name != "PYTHONPATH"}
