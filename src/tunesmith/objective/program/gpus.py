"""GPUs, one per run: a run holds a lock on its GPU's file, which the kernel frees at any death."""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunesmith.system.files import make_private, make_state_folder

VARIABLE = "CUDA_VISIBLE_DEVICES"
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
        visible = [name.strip() for name in environ.get(VARIABLE, "").split(",") if name.strip()]
        return cls(tuple((visible or [str(index) for index in range(n)])[:n]), folder)

    @contextmanager
    def one(self) -> Iterator[str]:
        """Lock a GPU for one run and give its name; wait until one is free."""
        make_state_folder(self.folder)
        while True:
            for name in self.names:
                handle = os.open(self._lock_file(name), os.O_RDWR)
                try:
                    if _is_locked(handle):
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


def _is_locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
