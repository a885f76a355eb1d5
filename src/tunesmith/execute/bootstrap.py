"""Start processes of our own with modules from trusted places only.

Python looks into ``PYTHONPATH`` and the working folder before it looks anywhere else, also for the
modules that it imports before its first line. A file of the project could so replace a standard
module. Our processes therefore get neither: they are told the places of this process's modules. The
project's places are added when its own code is loaded (``shared_data``).
"""

import sys
from collections.abc import Mapping, Sequence

from tunesmith.system import shadows

START = """\
import sys
sys.path[:] = sys.argv.pop(1).split("\\n")
from tunesmith.execute import {module}
{module}.start(sys.argv[1:])
"""


def own_program(module: str, arguments: Sequence[str]) -> list[str]:
    """Build the command that calls ``start`` of a module of this package in a new process."""
    places = "\n".join(shadows.trusted_places())
    # `-P` keeps the working folder out of `sys.path`, which `-c` would put there first.
    return [sys.executable, "-P", "-c", START.format(module=module), places, *arguments]


def without_path(environ: Mapping[str, str]) -> dict[str, str]:
    """Copy an environment without ``PYTHONPATH``; the whole one is sent when the process is up."""
    return {name: value for name, value in environ.items() if name != "PYTHONPATH"}
