"""Programs that are imported once for all tests: `dvc`, `tunesmith`, `python` for scripts.

Most of what a call of them costs is their imports, a second or more. Tests that call them as a
person would, and do not look at processes, put ``folder()`` first on the path. What runs is the
real program in a process of its own. ``TUNESMITH_TESTS_PRELOADED=0`` starts each one anew.
"""

import atexit
import os
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
INSTALLED = Path(sys.executable).parent
PROGRAMS = {
    "dvc": [
        "dvc.cli:main",
        "dvc.*",
        "dvc_data.index",
        "dvc_data.hashfile.db.local",
        "dvc_render",
        "dulwich.porcelain",
        "flatten_dict",
        "networkx",
        "pygit2",
        "scmrepo.git",
        "scmrepo.git.backend.pygit2.filter",
        "tabulate",
        "fsspec.implementations.memory",
    ],
    "tunesmith": [
        "tunesmith.__main__:main",
        "tunesmith.*",
        "pandas",
        "pyarrow.pandas_compat",
        "ruamel.yaml",
        "sklearn.svm",
        "sklearn.tree",
        "email.parser",
    ],
    # For scripts that read a table and fit something.
    "python": [
        "__main__:run_script",
        "numpy.random",
        "pandas",
        "pyarrow.pandas_compat",
        "sklearn.datasets",
        "sklearn.ensemble",
        "sklearn.linear_model",
        "sklearn.model_selection",
        "sklearn.pipeline",
        "sklearn.svm",
        "sklearn.tree",
        "yaml",
        "ruamel.yaml",
    ],
}


def is_possible() -> bool:
    """Say if this system can tell how another's child has ended, and nobody wants it otherwise."""
    return hasattr(os, "pidfd_open") and os.environ.get("TUNESMITH_TESTS_PRELOADED", "1") != "0"


def path(*, preloaded: bool = True) -> str:
    """Return a ``PATH`` on which the programs come first, preloaded or else as installed."""
    is_so = preloaded and is_possible()
    return os.pathsep.join(
        [*([str(folder())] if is_so else []), str(INSTALLED), os.environ["PATH"]]
    )


@cache
def folder() -> Path:
    """Start the servers; their folder of programs, which is gone with this process."""
    place = tempfile.TemporaryDirectory(prefix="tunesmith-programs-")
    atexit.register(place.cleanup)
    for name, (entry, *names) in PROGRAMS.items():
        serve(Path(place.name), INSTALLED / name, entry, names)
    return Path(place.name)


def serve(place: Path, script: Path, entry: str, names: list[str]) -> None:
    """Preload a program for as long as this process lives.

    Args:
        place: the folder for what stands for it, under its own name.
        script: the program.
        entry: what it calls, as ``module:function``.
        names: of modules; ``name.*`` are all below a package.
    """
    address = str(place / f"{script.name}.socket")
    stub = (HERE / "stub.py").read_text()
    stub = stub.replace("@ADDRESS@", address).replace("@SCRIPT@", str(script))
    (place / script.name).write_text(f"#!{sys.executable} -SEI\n{stub}")
    (place / script.name).chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(16)
        number = listener.fileno()
        server_py = str(HERE / "server.py")
        command = [sys.executable, server_py, str(number), str(script), entry, *names]
        # It ends with its standard input, so with this process.
        server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[number]
        )
    atexit.register(_end, server)


def _end(server: "subprocess.Popen[bytes]") -> None:
    assert server.stdin is not None
    server.stdin.close()
    server.wait()
