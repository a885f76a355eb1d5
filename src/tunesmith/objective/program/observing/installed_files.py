"""Paths that do not count for results: the system, installed packages, the user's settings."""

import os
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from tunesmith.objective.program.observing.workspace import is_environment

SYSTEM = (
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/etc",
    "/snap",
    "/nix",
    "/boot",
)
"""Folders of the system, whose files do not count; nor do installed packages."""
DATA = ("/run/media", "/dev/shm")  # noqa: S108 - looked at, not written
"""Folders in them that hold data: disks that users attach, and files in memory."""
LEADS_ELSEWHERE = ("/proc", "/dev")
"""Folders of the system with links to files that processes have open."""
OWN = str(Path(__file__).parents[3])
"""Tunesmith itself, which has no place in a reading."""
INSTALLED = {"site-packages", "dist-packages"}
PACKAGES = r"/(?:site-packages|dist-packages|lib/python3[^/]*)/"
"""Part of a path; everything below it is installed."""


def is_below(path: str, folder: str) -> bool:
    """True if a path is a folder, or lies in it."""
    return path == folder or path.startswith(f"{folder}/")


def is_installed(path: str) -> bool:
    """True if a path belongs to the system, to installed packages, or to the user's settings."""
    is_data = any(is_below(path, folder) for folder in DATA)
    if _is_settings(path) or (not is_data and any(is_below(path, folder) for folder in SYSTEM)):
        return True
    return is_package(path.lstrip("/"), "")


def is_package(name: str, root: str) -> bool:
    """True if a path below a folder belongs to an environment of installed packages."""
    folder, _, last = name.rpartition("/")
    if folder and _holds_packages(folder, root):
        return True
    if last in INSTALLED or (last.startswith("python3") and folder.rpartition("/")[2] == "lib"):
        return True
    return is_below(f"{root}/{name}", OWN) or _is_environment(f"{root}/{name}")


@cache
def _holds_packages(folder: str, root: str) -> bool:
    return is_package(folder, root)


def _is_settings(path: str) -> bool:
    home = str(Path.home())
    return home != "/" and path.startswith(f"{home}/.")


@cache
def _is_environment(folder: str) -> bool:
    return is_environment(folder)


@cache
def surely_installed(root: str, folders: tuple[str, ...]) -> Callable[[bytes], object]:
    """Test quickly if an absolute path is installed; false also if that is not certain.

    Args:
        root: the project, which may lie anywhere and hold an environment.
        folders: folders of the run, whose paths all count.
    """
    around = (root, *folders)
    system = [f"{re.escape(f)}/" for f in SYSTEM if f not in LEADS_ELSEWHERE]
    starts = "|".join(s for s in system if not _begins_any(s, around))
    ways = [f"(?:{starts})"] if starts else []
    if not any(re.search(PACKAGES, f"{folder}/python3/") for folder in around):
        ways.append(f"/.*?{PACKAGES}")
    within = "|".join(re.escape(f"{folder}/") for folder in (*folders, *LEADS_ELSEWHERE, *DATA))
    # Dots and doubled slashes may lead elsewhere.
    pattern = f"(?!{within})(?!.*/\\.{{0,2}}(?:/|$))(?:{'|'.join(ways) or '(?!)'})"
    return re.compile(os.fsencode(pattern), re.DOTALL).match


def _begins_any(start: str, folders: Iterable[str]) -> bool:
    return any(re.match(start, f"{folder}/") for folder in folders)
