"""Tell installed packages from modules of the project.

Installed packages stay as they are while a process runs, so one import can serve several runs.
Modules of a project may be edited between two runs: every worker imports them afresh.
"""

import site
import sysconfig
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

OWN = "tunesmith"


def libraries(modules: Iterable[str]) -> list[str]:
    """Select the modules that are installed, in order; nothing is imported.

    >>> libraries(["numpy.random", "no_such_module", "json"])
    ['numpy.random', 'json']
    """
    return [name for name in modules if _is_installed(name.partition(".")[0])]


def _is_installed(package: str) -> bool:
    if package == OWN:
        return True
    # `__main__` is another module in every process, so it is never preloaded.
    if package == "__main__":
        return False
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return False
    if spec is None or spec.origin is None:
        return False
    origin = Path(spec.origin)
    return spec.origin in ("built-in", "frozen") or any(map(origin.is_relative_to, _places()))


@cache
def _places() -> tuple[Path, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = [*map(sysconfig.get_path, names), *site.getsitepackages(), site.getusersitepackages()]
    return tuple(map(Path, folders))
