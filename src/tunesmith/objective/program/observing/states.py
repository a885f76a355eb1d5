"""States of names in a reading, as texts: the ledger and Git's history store them.

A state is a word and, for content, its digest. A series of trials has several states of a name, one
a line, if one run looked at more of it than another.
"""

ABSENT, FOLDER, OTHER = "absent", "folder", "other"
FILE, NAMES, MODULES, ALL, LINK = "file ", "names ", "modules ", "all ", "link "
"""Prefixes of states that contain a digest."""
PROGRAM, NO_PROGRAM = " x", " -"
"""Ends of the states of files that were executed or asked for as programs."""
TOP = "./"
"""The name of the project folder itself."""
EVERYTHING = "."
"""The name for the names of all files of a project."""


def each_of(states: str) -> list[str]:
    """Split the states of a name.

    >>> each_of("folder\\nnames 1f")
    ['folder', 'names 1f']
    """
    return states.split("\n")


def is_file(state: str) -> bool:
    """True for the content of a file."""
    return state.startswith(FILE)


def is_listing(state: str) -> bool:
    """True for the names in a folder: all of them, or those that Python might import."""
    return state.startswith((NAMES, MODULES))


def is_of_modules(state: str) -> bool:
    """True for a listing of names that Python might import."""
    return state.startswith(MODULES)


def is_data(states: str) -> bool:
    """True if a run has read the content of a file, or listed all names in a folder."""
    return any(state.startswith((FILE, NAMES)) for state in each_of(states))
