"""Words for the files that the programs of a study have read."""

from collections.abc import Mapping

from tunesmith.objective.program.observing.states import (
    ABSENT,
    EVERYTHING,
    TOP,
    is_file,
    is_listing,
)

SHOWN = 4
NOT_COUNTED = (
    "installed packages, the system, its environment variables and the network do not count"
)


def named(name: str, state: str) -> str:
    """Return a name of a reading in words.

    >>> named("data/", "names 1f"), named("local.yaml", "absent"), named("train.py", "file 1f")
    ('the list of files in data/', 'local.yaml (not there)', 'train.py')
    """
    if name == EVERYTHING:
        return "the names of all files"
    if is_listing(state):
        return "the list of files in " + ("the project folder" if name == TOP else name)
    return f"{name} (not there)" if state == ABSENT else name


def read_words(reading: Mapping[str, str]) -> str:
    """Return the files that results depend on, in a line; files with content first.

    >>> read_words({"train.py": "file 1f", "local.yaml": "absent", "lib": "folder"})
    'train.py, lib, local.yaml (not there)'
    """
    if EVERYTHING in reading:
        return f"all {len(reading) - 1:,} files that a run finds: runs were not watched"
    ordered = sorted(reading.items(), key=lambda item: (not is_file(item[1]), item[0]))
    words = [named(name, state) for name, state in ordered]
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return ", ".join(words[:SHOWN]) + more
