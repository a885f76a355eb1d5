"""Weights & Biases: a run for each trial, in the group of its study, written offline.

Nothing is sent from here: ``wandb sync`` sends what was written, as often as need be, because each
run keeps its id. So no key and no server is needed while a study runs.
"""

import os
import shutil
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith.errors import StorageError
from tunesmith.runs.tracking.seam import TrackedEnd, TrackedStudy, TrackedTrial, finite
from tunesmith.types import State

PATIENCE_S = 60.0
"""Time in which W&B's own process has to write the end of a run."""
PAUSE_S = 0.01
BLOCK, HEADER = 32768, 7
"""Bytes of a block of its files, and before the first block and each piece of a record."""


class WandbTracker:
    """Writes the trials of a study as offline runs of Weights & Biases.

    Args:
        address: folder in which ``wandb`` lies; by default the working folder.
    """

    def __init__(self, address: str | None = None) -> None:
        # Read at the import: reports of errors would go to a server of theirs.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        try:
            import wandb
        except ImportError as error:
            raise StorageError(
                f"wandb: {error.name} is not installed."
                "\n  Install it: pip install 'tunesmith[wandb]'"
            ) from None
        self._wandb: Any = wandb
        self._root = Path(address or ".").absolute()
        self._name = self._id = ""
        self._facts: dict[str, str] = {}

    @property
    def _runs(self) -> Path:
        return self._root / "wandb"

    @property
    def _list(self) -> Path:
        """File with a line for each run that was written to its end.

        It is a file of its own, because ``wandb sync --clean`` removes folders of runs.
        """
        return self._runs / f"tunesmith-{self._id}.txt"

    def begin(self, study: TrackedStudy) -> None:
        """Name the group of the study's runs; it belongs to the project of the study's name."""
        self._name, self._id, self._facts = study.name, study.short_uid, dict(study.facts)
        self._runs.mkdir(parents=True, exist_ok=True)

    def numbers(self) -> set[int]:
        """Numbers of the trials whose runs were written to their end."""
        return {int(line) for line in self._written() if line.isdecimal()}

    def trial(self, trial: TrackedTrial) -> None:
        """Write the run of a trial: parameters as its config, means as its summary."""
        exit_code = int(trial.state is State.FAILED)
        with self._run(str(trial.number), f"trial {trial.number}", "trial", exit_code) as run:
            run.config.update(dict(trial.params))
            for fold, scores in enumerate(trial.folds):
                run.log({f"folds/{k}": v for k, v in finite(scores).items()}, step=fold)
            told = {"trial": trial.number, "state": str(trial.state), "origin": trial.origin}
            failure = {"failure": trial.failure} if trial.failure else {}
            run.summary.update({**told, **failure, "fit_time_s": trial.fit_time_s})
            run.summary.update(finite(trial.means))
        self._has_written(str(trial.number))

    def finish(self, end: TrackedEnd) -> None:
        """Write the run of the study, with the best trial and the texts."""
        line = f"study of {end.n_trials}{' with texts' if end.texts else ''}"
        if line in self._written():
            return
        with self._run("study", self._name, "study", 0) as run:
            run.config.update(self._facts)
            run.summary.update({"n_trials": end.n_trials, "stopped_by": end.stopped_by})
            if end.best is not None:
                run.summary.update({"best_trial": end.best, **finite(end.means)})
            for file_name, text in end.texts.items():
                path = Path(run.dir) / file_name
                path.write_text(text, encoding="utf-8")
                run.save(str(path), base_path=run.dir, policy="now")

        self._has_written(line)

    def _written(self) -> set[str]:
        """Lines of the list; one that was cut off has no end, and its run is written again."""
        lines = self._list.read_text().splitlines(keepends=True) if self._list.exists() else []
        return {line.strip() for line in lines if line.endswith("\n")}

    def _has_written(self, line: str) -> None:
        with self._list.open("a") as file:
            # On a line of its own, even if an earlier one was cut off.
            file.write(f"\n{line}\n" if file.tell() else f"{line}\n")

    @contextmanager
    def _run(self, part: str, name: str, kind: str, exit_code: int) -> Iterator[Any]:
        """Give an offline run that takes the place of an earlier one of the same id."""
        for folder in self._runs.glob(f"offline-run-*-{self._id}-{part}"):
            shutil.rmtree(folder)
        # Of this machine and this process, W&B would keep the packages, the source and the load.
        settings = self._wandb.Settings(
            console="off",
            disable_code=True,
            disable_git=True,
            host="unknown",
            mode="offline",
            root_dir=str(self._root),
            silent=True,
            x_disable_machine_info=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
        )
        run = self._wandb.init(
            project=self._name,
            group=self._id,
            job_type=kind,
            id=f"{self._id}-{part}",
            name=name,
            reinit="create_new",
            settings=settings,
        )
        try:
            yield run
        except BaseException:
            run.finish(exit_code=1)
            raise
        run.finish(exit_code=exit_code)
        _wait_for_end(Path(run.dir).parent)


def _wait_for_end(folder: Path) -> None:
    """Wait until the end of a run is in its file: W&B writes on after ``finish`` has returned."""
    latest = time.monotonic() + PATIENCE_S
    while not any(record.HasField("exit") for file in _files(folder) for record in records(file)):
        if time.monotonic() > latest:
            raise TimeoutError(f"{folder} has no end after {PATIENCE_S:.0f} s")
        time.sleep(PAUSE_S)


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("*.wandb"))


def records(file: Path) -> Iterator[Any]:
    """Yield the records in the file of a run, which is a log in the form of LevelDB."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, record = file.read_bytes(), HEADER, b""
    while at + HEADER <= len(data):
        if BLOCK - at % BLOCK < HEADER:
            # No piece begins so close to the end of a block.
            at += BLOCK - at % BLOCK
            continue
        _, n_bytes, kind = struct.unpack("<IHB", data[at : at + HEADER])
        record += data[at + HEADER : at + HEADER + n_bytes]
        at += HEADER + n_bytes
        # Kinds: the whole record, its first, a middle and its last piece.
        if at <= len(data) and kind in (1, 4):
            yield Record.FromString(record)
            record = b""
