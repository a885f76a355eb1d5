"""Workflows for ``tunesmith ci init``: templates filled with the project's own names.

The steps call one command each; what is worth testing is in these commands, not in YAML.
"""

import json
import math
import os
import re
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from string import Template

from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition, OutputsSection
from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.files import result_files, within
from tunesmith.pipeline.dvc.agreement import study_stage
from tunesmith.pipeline.dvc.document import FILE
from tunesmith.pipeline.dvc.stages import Stage, stages_at
from tunesmith.pipeline.dvc.targets import training_targets
from tunesmith.system.files import NewFile, write_files

PIPELINE = ".gitlab-ci.yml"
TARGETS = {
    "github": {
        f".github/workflows/{name}.yml": f"{name}.yml"
        for name in ("pull-request", "training", "tuning")
    },
    "gitlab": {PIPELINE: "gitlab-ci.yml", ".gitlab/tunesmith.yml": "tunesmith.yml"},
}
"""Target path of each template, by Git host."""
AFTERWARDS_S = 30 * 60
"""From the end of a run to that of its job: to save, report and commit."""
MAX_JOB_S = 6 * 3600
"""Of the machines that GitHub lends."""
VERIFY = "tunesmith verify --allow-missing-data"
"""Jobs on pull requests have no access to data that DVC keeps elsewhere."""
REMOTE = re.compile(r"^\[\s*'?remote\b", re.MULTILINE)
PLAIN = re.compile(r"[A-Za-z0-9][\w./=+ $%{}:\"'-]*\Z")


class FileTemplate(Template):
    """A template with placeholders ``%%{name}``: dollars belong to the Git host and the shell."""

    delimiter = "%%"


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """Choices that the project's files do not tell."""

    requirements: str = "requirements.txt"
    """Requirements to install, Tunesmith among them."""
    training: str | None = None
    """Command that trains; by default DVC's stage."""
    budget_s: float = 320 * 60
    """After which a run is interrupted, to be continued by the next one."""
    python: str = "3.13"
    main: str = ""
    """The branch that pull requests go into; empty if each job is to ask the Git host."""
    config: str = ""
    """``-c FILE``, if the configuration has no usual name."""
    default: str = ""
    """The default branch; empty if it is not known, and pull requests into any are reviewed."""


def workflows(git_host: str, definition: Definition, root: Path, wishes: Wishes) -> dict[str, str]:
    """The files of a Git host.

    Args:
        git_host: ``github`` or ``gitlab``.
        definition: of the study.
        root: of the repository.
        wishes: choices that the files do not tell.

    Returns:
        Path, relative to the repository -> content; by path.

    Raises:
        UsageError: it is not known how to train, or ``dvc.yaml`` cannot be read.
    """
    values = CiProject(definition, root, wishes).values
    source = files("tunesmith.templates") / "ci" / git_host
    texts = {to: source.joinpath(name).read_text("utf-8") for to, name in TARGETS[git_host].items()}
    return {to: FileTemplate(text).substitute(values) for to, text in texts.items()}


def foreseen(git_host: str, folder: Path, planned: Sequence[NewFile]) -> list[NewFile]:
    """Return the workflows of a project whose files are not written yet.

    Args:
        git_host: ``github`` or ``gitlab``.
        folder: of the new project, the top of its repository.
        planned: its files.
    """
    # Workflows are made from files, so a draft is written where nobody sees it.
    with tempfile.TemporaryDirectory(prefix="tunesmith-") as name:
        draft = Path(name)
        write_files([NewFile(draft / f.path.relative_to(folder), f.content) for f in planned])
        texts = workflows(git_host, load_definition(draft / "tuning.yaml"), draft, Wishes())
    return [NewFile(folder / path, text) for path, text in texts.items()]


@dataclass(frozen=True)
class CiProject:
    """A project as the jobs of its workflows see it."""

    definition: Definition
    top: Path
    """Top of the repository."""
    wishes: Wishes

    @property
    def outputs(self) -> OutputsSection:
        """Outputs of the study."""
        return self.definition.file.outputs

    @property
    def folder(self) -> str:
        """The project folder within the repository."""
        return within(self.top, self.definition.root, ["."])[0]

    @property
    def results(self) -> list[str]:
        """Files that a job may commit, as the repository names them.

        Raises:
            UsageError: ``dvc.yaml`` cannot be read.
        """
        names = result_files(self.definition.root, self.outputs)
        return within(self.top, self.definition.root, names)

    @property
    def best(self) -> list[str]:
        """The best-parameters file, as the repository names it."""
        return within(self.top, self.definition.root, [self.outputs.best.path])

    @property
    def install(self) -> str:
        """Commands that a fresh clone needs: packages, and the data if DVC has a remote for it."""
        packages = f"python -m pip install -r {shlex.quote(self.wishes.requirements)}"
        # Without the option, data that nobody has pushed would end also jobs that do not need it.
        return f"{packages} && dvc pull --allow-missing" if self.has_remote else packages

    @property
    def has_remote(self) -> bool:
        """True if DVC has a remote for the project's data."""
        config = self.definition.root / ".dvc/config"
        text = config.read_text("utf-8", errors="replace") if config.is_file() else ""
        return REMOTE.search(text) is not None

    @cached_property
    def commands(self) -> tuple[str, str]:
        """Commands by which the project tunes and trains.

        Raises:
            UsageError: it is not known how to train, or ``dvc.yaml`` cannot be read.
        """
        found, folder = study_stage(self.definition)
        stages = stages_at(folder / FILE) if found is None else found.stages
        tuning = None if found is None else found.stage
        aside = _aside(folder, self.definition.root.resolve())
        usual = f"tunesmith run{self.wishes.config}"
        tune = usual if tuning is None else _repro_anew(tuning, aside)
        train = self.wishes.training or _train(stages, self.outputs.best.path, tuning, aside)
        if train is None:
            raise UsageError(
                "how is the model trained? There is no stage `training` in dvc.yaml.\n"
                '  Say it: `--training "python train.py"`.'
            )
        return tune, train

    @property
    def values(self) -> dict[str, str]:
        """Texts for the placeholders of the templates.

        Raises:
            UsageError: as ``commands``.
        """
        (tune, train), results, wishes = self.commands, self.results, self.wishes
        main, folder = wishes.main or wishes.default, self.folder
        prefix = "" if folder == "." else f"{folder}/"
        branches = self.definition.file.branches
        return {
            "tuning_prefix": branches.tuning,
            "training_prefix": branches.training,
            "tuning_pattern": _pattern(branches.tuning),
            "training_pattern": _pattern(branches.training),
            "folder": scalar(folder),
            "go": scalar(f"cd {shlex.quote(folder)}"),
            "prefix": prefix,
            "install": scalar(self.install),
            "tune": scalar(tune),
            "train": scalar(train),
            "verify": scalar(f"{VERIFY}{wishes.config}"),
            "config": wishes.config,
            "results": json.dumps(results),
            "trained": json.dumps([path for path in results if path not in self.best]),
            "ledger": scalar(f"{prefix}.tunesmith"),
            "page": scalar(f"{prefix}tuning-report.html"),
            "budget": duration(wishes.budget_s),
            # The run ends first, so that results are saved and reported before the job is stopped.
            "timeout_minutes": str(math.ceil((wishes.budget_s + AFTERWARDS_S) / 60)),
            "python": json.dumps(wishes.python),
            "python_plain": wishes.python,
            "only": f"\n    branches: [{scalar(main)}]" if main else "",
            "target": f" --target {shlex.quote(wishes.main)}" if wishes.main else "",
        }


def _pattern(prefix: str) -> str:
    """A beginning as GitLab's regular expressions between slashes have it."""
    return prefix.replace(".", r"\.").replace("/", r"\/")


def _aside(folder: Path, root: Path) -> str:
    """Argument that leads DVC, called in the project folder, to ``dvc.yaml``."""
    return "" if folder == root else f" --cd {shlex.quote(os.path.relpath(folder, root))}"


def _repro_anew(stage: Stage, aside: str) -> str:
    # DVC knows nothing of these two, and would say that nothing has changed.
    force = "${TUNESMITH_TRIALS:+--force} ${TUNESMITH_RESTART:+--force}"
    return f"dvc{aside} repro {force} {shlex.quote(stage.name)}"


def _train(stages: Mapping[str, Stage], best: str, tuning: Stage | None, aside: str) -> str | None:
    """All that comes of the best parameters: training, and what evaluates it."""
    targets = training_targets(stages, best, tuning.name if tuning else None)
    targets = targets or [name for name in ("training", "train") if name in stages][:1]
    return f"dvc{aside} repro {shlex.join(targets)}" if targets else None


def scalar(text: str) -> str:
    """Return a text as a YAML scalar, without quotes if it can do without.

    >>> scalar("dvc repro training"), scalar("python train.py # x"), scalar("a: b")
    ('dvc repro training', '"python train.py # x"', '"a: b"')
    """
    # `: ` would make a mapping of it.
    is_plain = PLAIN.match(text) and ": " not in text and not text.endswith((":", " "))
    return text if is_plain or text == "." else json.dumps(text, ensure_ascii=False)


def duration(seconds: float) -> str:
    """Seconds as the configuration writes them.

    >>> duration(19200), duration(90)
    ('320m', '90s')
    """
    return f"{seconds / 60:.0f}m" if seconds % 60 == 0 else f"{seconds:g}s"
