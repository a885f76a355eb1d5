"""Description of a function that is sent to other machines, and its comparison there.

Fits that are made elsewhere have to be the fits that this process would make. So a worker compares
the versions of packages and the project's own files with those of the run before its first fit, and
the bytes of function and data with their digest.
"""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.execute import shared_data
from tunesmith.execute.libraries import libraries
from tunesmith.system.fingerprint import file_digest, reached, top_names, versions
from tunesmith.system.shadows import trusted_places
from tunesmith.version import VERSION

OWN = "tunesmith"
MAIN = "__main__"
MAX_NAMED = 5
"""Number of differences that a message names."""


def describe(path: Path, modules: Iterable[str]) -> dict[str, Any]:
    """Describe a function that ``shared_data.dump`` has written.

    Returns:
        Plain data, which workers of any version can read: ``digest`` and ``size`` of the file,
        ``modules`` to preload, ``versions``, project ``files`` (name, path, digest), and the
        ``places`` of modules, the ``folder`` and hidden modules of this process.
    """
    names = list(modules)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "blake2b").hexdigest()
    around = shared_data.surroundings_of({})
    return {
        "digest": digest,
        "size": path.stat().st_size,
        "modules": libraries(names),
        "versions": {OWN: VERSION, **versions([*libraries(names), *names])},
        "named": sorted(top_names(names)),
        "files": list(_project_files(names)),
        "places": [place for place in around["places"] if not _is_installation(place)],
        "kept_out": around["kept_out"],
        "spared": around["spared"],
        "cwd": around["cwd"],
    }


def _is_installation(place: str) -> bool:
    names = ("site-packages", "dist-packages")
    return any(name in place for name in names) or place.startswith(sys.base_prefix)


def _project_files(modules: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (path within its place, place, digest) of the project's own files behind modules."""
    installed = {*libraries(modules), MAIN}
    tops = {name.partition(".")[0] for name in modules if name not in installed}
    for top in sorted(tops - {OWN, MAIN}):
        for place in map(Path, sys.path):
            sources, _ = reached({top}, place.absolute())
            for source in sources:
                inside = source.relative_to(place.absolute()).as_posix()
                yield inside, str(place.absolute()), file_digest([source])
            if sources:
                break


def differences(sent: Mapping[str, Any]) -> list[str]:
    """Compare this machine with that of the run.

    Args:
        sent: from ``describe``.

    Returns:
        One phrase for each difference, such as ``numpy 2.4.6 in the run, 2.4.5 here``.
    """
    wanted = sent["versions"]
    here = {OWN: VERSION, **versions([*sent["named"], *sent["modules"]])}
    names = sorted({*wanted, *here})
    apart = [name for name in names if wanted.get(name) != here.get(name)]
    phrases = [
        f"{name} {wanted.get(name, 'missing')} in the run, {here.get(name, 'missing')} here"
        for name in apart
    ]
    return phrases + list(_changed_files(sent))


def _changed_files(sent: Mapping[str, Any]) -> Iterator[str]:
    for inside, place, digest in sent["files"]:
        places = (place, *sys.path)
        there = next((Path(p) / inside for p in places if (Path(p) / inside).is_file()), None)
        if there is None:
            yield f"{inside}, which the run imports, is not here"
        elif file_digest([there]) != digest:
            yield f"{inside} is not as in the run"


def listed(phrases: list[str]) -> str:
    """Join differences for a message; of many, the first few.

    >>> listed(["a", "b"])
    'a; b'
    """
    more = len(phrases) - MAX_NAMED
    return "; ".join(phrases[:MAX_NAMED]) + (f"; and {more} more" if more > 0 else "")


def surroundings(sent: Mapping[str, Any], environ: Mapping[str, str]) -> bytes:
    """Describe the module path, folder and environment for worker processes on this machine.

    The run's own folders come first if they exist here, as on a shared disk; installed packages and
    the environment are those of this machine.
    """
    projects = [place for place in sent["places"] if os.path.isdir(place)]  # noqa: PTH112 - text
    own = [place for place in trusted_places() if place not in projects]
    cwd = sent["cwd"]
    return shared_data.encoded(
        {
            "places": [*projects, *own],
            "kept_out": sent["kept_out"],
            "spared": sent["spared"],
            "cwd": cwd if cwd is not None and os.path.isdir(cwd) else None,  # noqa: PTH112
            "environ": dict(environ),
        }
    )
