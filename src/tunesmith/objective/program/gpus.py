"""GPUs, one per run: a run holds a lock on its GPU's file, which the kernel frees at any death."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunesmith.execute.cluster.devices import ASSIGNED, VARIABLE, visible
from tunesmith.system.files import make_private, make_state_folder
from tunesmith.system.portable.locks import lock_alone

__all__ = ["VARIABLE", "Gpus"]
PAUSE_S = 0.05


@dataclass(frozen=True)
class Gpus:
    """The GPUs of this machine, which runs share."""

    names: tuple[str, ...]
    folder: Path
    """Folder of the lock files; runs of all studies that use it share the GPUs."""

    @classmethod
    def first(cls, n: int, folder: Path, environ: Mapping[str, str]) -> "Gpus":
        """The first ``n`` of the GPUs that the environment leaves visible."""
        return cls(tuple(visible(n, environ)), folder)

    @contextmanager
    def one(self) -> Iterator[str]:
        """Lock a GPU for one run and give its name; wait until one is free.

        On a cluster, the worker's host has assigned one to this process already.
        """
        if assigned := os.environ.get(ASSIGNED):
            yield assigned
            return
        make_state_folder(self.folder)
        while True:
            for name in self.names:
                handle = os.open(self._lock_file(name), os.O_RDWR)
                try:
                    if lock_alone(handle):
                        yield name
                        return
                finally:
                    # This gives the lock back, because programs do not inherit the descriptor (PEP
                    # 446).
                    os.close(handle)
            time.sleep(PAUSE_S)

    def _lock_file(self, name: str) -> Path:
        file = self.folder / f"gpu-{name}.lock"
        make_private(file)
        return file
