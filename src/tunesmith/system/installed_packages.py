"""Installed distributions, read quickly.

The standard library parses the whole description of every distribution to tell its name, which
takes most of a second if two hundred are installed. Names and versions stand in its first lines.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, distributions
from inspect import getmodulename


@cache
def packages() -> Mapping[str, str]:
    """Every installed distribution and its version, by name; read once a process.

    >>> "click" in packages()
    True
    """
    by_name = {name: version for _, name, version in _all()}
    return dict(sorted(by_name.items()))


@cache
def providers() -> Mapping[str, tuple[str, ...]]:
    """Top-level module -> the distributions that it comes from; read once a process.

    >>> providers()["sklearn"]
    ('scikit-learn',)
    """
    by_module: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for distribution, name, _ in _all():
        for top in _tops(distribution):
            by_module[top][name] = None
    return {top: tuple(names) for top, names in by_module.items()}


def _all() -> Iterator[tuple[Distribution, str, str]]:
    for distribution in distributions():
        fields = dict(_fields(distribution))
        if fields.get("name"):
            yield distribution, fields["name"], fields.get("version", "")


def _fields(distribution: Distribution) -> Iterator[tuple[str, str]]:
    places = ("METADATA", "PKG-INFO", "")  # the last: an egg-info that is a file
    text = next(filter(None, map(distribution.read_text, places)), "")
    for line in text.partition("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        if (key := name.lower()) in ("name", "version"):
            yield key, value.strip()


def _tops(distribution: Distribution) -> Iterable[str]:
    declared = (distribution.read_text("top_level.txt") or "").split()
    if declared:
        return declared
    record = distribution.read_text("RECORD")
    if record is None:
        names: Iterable[str] = map(str, distribution.files or ())
    else:
        names = (row[0] for row in csv.reader(record.splitlines()) if row)
    return {top for name in names if "." not in (top := _top(name))}


def _top(file: str) -> str:
    folder, slash, _ = file.partition("/")
    return folder if slash else getmodulename(file) or file
