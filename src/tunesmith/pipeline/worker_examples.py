"""Files that start pull workers: an array job of SLURM, a Job of Kubernetes, a workflow of GitHub.

They hold no password and no address: these come from the environment, or from a secret.
"""

import json
import platform
import re
import shlex
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.pipeline.ci.files import within
from tunesmith.pipeline.ci.workflows import CiProject, FileTemplate, Wishes, scalar
from tunesmith.system import git
from tunesmith.system.files import NewFile

NAME = "tunesmith-workers"
TARGETS = {
    "slurm": ("slurm.sh", f"{NAME}.sh"),
    "kubernetes": ("kubernetes.yaml", f"{NAME}.yaml"),
    "github": ("github.yml", f".github/workflows/{NAME}.yml"),
}
"""Template and target of each example; the first two lie in the project, the third at its top."""
BUDGET = "330m"
"""Time of a worker on GitHub, whose jobs end after six hours."""
UNKNOWN = "COMMIT"
NO_REMOTE = "# The repository holds the data, or fetch them here."


@dataclass(frozen=True, kw_only=True)
class WorkerExample:
    """A file that starts workers of a study.

    Args:
        kind: ``slurm``, ``kubernetes`` or ``github``.
        definition: of the study.
        name: of the configuration's file.
        config: option by which a command in the project folder takes it; may be empty.
    """

    kind: str
    definition: Definition
    name: str
    config: str

    @property
    def file(self) -> NewFile:
        """The file, with its place."""
        template, target = TARGETS[self.kind]
        root = self.definition.root
        # Outside of a repository, a workflow would be of no use, but is harmless.
        top = Path(git.answer(root, "rev-parse", "--show-toplevel") or root)
        place = top if self.kind == "github" else root
        # A job of GitHub works in the repository, and the other two in the project's folder.
        values = {**self._values(top), "file": target, "basename": Path(target).name}
        text = files("tunesmith.templates").joinpath("workers", template).read_text("utf-8")
        return NewFile(place / target, FileTemplate(text).substitute(values))

    def _values(self, top: Path) -> dict[str, str]:
        study, root = self.definition.file.study, self.definition.root
        project = CiProject(self.definition, top, Wishes())
        folder = within(top, root, ["."])[0]
        worker = f"tunesmith worker{self.config} --idle-timeout 10m"
        # Not the whole group of processes: the worker itself ends its fits.
        limited = f"timeout --foreground --preserve-status {BUDGET} {worker}"
        return {
            "study": study,
            "job": _job(study),
            "name": self.name,
            "config": self.config,
            "folder": scalar(folder),
            "shell_folder": shlex.quote(folder),
            # Workers compare code and data, so that a later commit without changes there will do.
            "commit": git.commit(root, "HEAD") or UNKNOWN,
            "data": "dvc pull -q --allow-missing" if project.has_remote else NO_REMOTE,
            "install": scalar(project.install),
            "work": json.dumps(f"{limited} || test $? -eq 143"),
            "python": json.dumps(".".join(platform.python_version_tuple()[:2])),
        }


def _job(study: str) -> str:
    """Return a name that Kubernetes and SLURM take.

    >>> _job("Churn_2 (north)")
    'tunesmith-churn-2-north'
    """
    # Kubernetes adds five letters, and allows 63 in all; a dash must not come first or last.
    plain = re.sub(r"[^a-z0-9]+", "-", study.lower()).strip("-")[:40].strip("-")
    return f"tunesmith-{plain}".strip("-")
