"""The environment of a program: the user's own, without variables that it must not see."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch

from tunesmith.config.program import EnvironmentSection
from tunesmith.system.redact import is_secret

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
CI_RUNNER = re.compile(
    r"^(ACTIONS_.*|RUNNER_.*|GITHUB_(ENV|PATH|OUTPUT|STATE|STEP_SUMMARY)|CI_JOB_JWT.*)$"
)
"""Variables by which a program could alter later steps of a CI job, or act in its name."""
# `TOKENIZERS_PARALLELISM` and the like are no secrets, hence the look-ahead.
SECRET_NAME = re.compile(
    r"passwd|password|token(?!iz)|secret|api_?key|access_?key|private_?key|credential",
    re.IGNORECASE,
)
"""Names of variables that are not passed on, whatever their values are."""
MARK = "TUNESMITH_STUDY"
"""Variable on all processes of a study's programs, by which orphans of a dead run are found."""


@dataclass(frozen=True)
class Surroundings:
    """Parts of the environment that are the same in all runs of the program."""

    section: EnvironmentSection
    restored: Mapping[str, str | None]
    """Variables as the user had set them, if worker processes have other values."""
    n_threads: int
    """Number of threads of numerical libraries, unless the user set it: the cores of each run."""
    mark: str

    def environ(self, own: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of one run.

        Args:
            own: variables of this very run.
        """
        users = {**os.environ, **{k: v for k, v in self.restored.items() if v is not None}}
        for name in [name for name, value in self.restored.items() if value is None]:
            users.pop(name, None)
        kept = {name: value for name, value in users.items() if self._is_handed_on(name, value)}
        threads = dict.fromkeys(THREAD_VARIABLES, str(self.n_threads))
        # Programs that only ask Git must not lock the index of the project.
        asking = {"GIT_OPTIONAL_LOCKS": "0"}
        # Later ones win: the user's number of threads over ours, and the run's own over all.
        return {**threads, **asking, **kept, **self.section.set, MARK: self.mark, **own}

    def _is_handed_on(self, name: str, value: str) -> bool:
        if any(fnmatch(name, pattern) for pattern in self.section.keep):
            return True
        if CI_RUNNER.match(name) or SECRET_NAME.search(name):
            return False
        return not is_secret(name, value)
