"""DVCLive: a folder for each trial with its parameters, metrics and plots, which DVC can show.

No DVC experiment is made: each would be a commit of the user's repository for every trial.
"""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunesmith.errors import StorageError
from tunesmith.runs.tracking.seam import (
    TrackedEnd,
    TrackedStudy,
    TrackedTrial,
    finite,
)
from tunesmith.system.files import write_atomic

FOLDER = "dvclive"
HALF = ".half"
"""Ending of a folder that is not yet whole."""
NO_FILE_NAME = re.compile(r"[^\w\-. ]|^\.")
ALONE = {"DVC_STUDIO_OFFLINE": "true", "DVCLIVE_RESUME": ""}
"""With these, DVCLive does not post to DVC Studio, nor take an earlier folder for its own."""


class DVCLiveTracker:
    """Writes the trials of a study as folders of DVCLive.

    Args:
        address: folder for all studies; by default ``dvclive``.
    """

    def __init__(self, address: str | None = None) -> None:
        try:
            from dvclive import Live
        except ImportError as error:
            raise StorageError(
                f"dvclive: {error.name} is not installed."
                "\n  Install it: pip install 'tunesmith[dvclive]'"
            ) from None
        self._live: Any = _without_repository(Live)
        self._root = Path(address or FOLDER)
        self._folder = self._root

    def begin(self, study: TrackedStudy) -> None:
        """Name the folder of the study; its series of trials have folders of their own in it."""
        self._folder = self._root / study.name / study.short_uid
        facts = {"study": study.name, **study.facts}
        with self._whole(self._folder / "study") as live:
            live.log_params(facts)

    def numbers(self) -> set[int]:
        """Numbers of the trials that have a whole folder."""
        names = [path.name for path in self._folder.glob("*")]
        return {int(name) for name in names if name.isdecimal()}

    def trial(self, trial: TrackedTrial) -> None:
        """Write the folder of a trial: folds are the steps of its plots, means its summary."""
        with self._whole(self._folder / f"{trial.number:06d}") as live:
            live.log_params({name: _value(value) for name, value in trial.params.items()})
            for scores in trial.folds:
                for name, score in finite(scores).items():
                    live.log_metric(_file_name(name), score)
                live.next_step()
            failure = {"failure": trial.failure} if trial.failure else {}
            told = {"state": str(trial.state), "origin": trial.origin, **failure}
            # Means take the place of the last fold's scores.
            scores = {**finite(trial.means), "fit_time_s": trial.fit_time_s}
            live.summary.clear()
            live.summary.update({"trial": trial.number, **told, **scores})

    def finish(self, end: TrackedEnd) -> None:
        """Write the best trial and its means, and the texts."""
        for name, text in end.texts.items():
            write_atomic(self._folder / name, text)
        if end.best is None:
            return
        with self._whole(self._folder / "best", again=True) as live:
            told = {"trial": end.best, "n_trials": end.n_trials, "stopped_by": end.stopped_by}
            live.summary.update({**told, **finite(end.means)})

    @contextmanager
    def _whole(self, folder: Path, *, again: bool = False) -> Iterator[Any]:
        """Give a ``Live`` whose folder has its name only when it is whole.

        Args:
            folder: its name.
            again: write it even if it is there.
        """
        half = folder.with_name(folder.name + HALF)
        shutil.rmtree(half, ignore_errors=True)
        kept = {name: os.environ.get(name) for name in ALONE}
        os.environ.update(ALONE)
        try:
            live = self._live(str(half), save_dvc_exp=False, dvcyaml=None, report=None)
            yield live
            live.sync()
        finally:
            _restore(kept)
        if folder.exists():
            if not again:
                shutil.rmtree(half)
                return
            shutil.rmtree(folder)
        half.rename(folder)


def _without_repository(live: Any) -> Any:
    """Return DVCLive's class without its look for a repository.

    In a Git repository without DVC, it would make the files of DVC and stage them.

    Raises:
        StorageError: another version of DVCLive looks for it in another way.
    """
    if not hasattr(live, "_init_dvc"):
        raise StorageError(
            "dvclive: this version would change your repository."
            "\n  Install an earlier one: pip install 'dvclive<3.50'"
        )

    def init_dvc(self: Any) -> None:
        self._dvc_file = "dvc.yaml"

    return type("Live", (live,), {"_init_dvc": init_dvc})


def _restore(kept: Mapping[str, str | None]) -> None:
    for name, value in kept.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _value(value: Any) -> Any:
    """Value as DVCLive takes it: it knows no null."""
    return "null" if value is None else value


def _file_name(name: str) -> str:
    """Name of a metric as that of a file: DVCLive makes a file for each.

    >>> _file_name("../a/b"), _file_name("f1")
    ('_._a_b', 'f1')
    """
    return NO_FILE_NAME.sub("_", name)
