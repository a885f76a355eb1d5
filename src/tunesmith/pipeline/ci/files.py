"""Files of a project that are results: CI commits them, and they start no run."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tunesmith.config.model import OutputsSection
from tunesmith.errors import UsageError
from tunesmith.pipeline.ci.metrics import USUAL, metrics_files
from tunesmith.pipeline.dvc.document import FILE, LOCK
from tunesmith.pipeline.dvc.stages import stages_at


def result_files(root: Path, outputs: OutputsSection) -> list[str]:
    """List the files that CI may commit: outputs of the study, metrics, and DVC's outs kept by Git.

    Args:
        root: the project folder, which the names are relative to.
        outputs: of the study.

    Raises:
        UsageError: ``dvc.yaml`` cannot be read.
    """
    names = [*outputs.paths.values(), LOCK, *_kept_by_git(root), *metrics_files(root)]
    return list(dict.fromkeys(names))


def _kept_by_git(folder: Path) -> Iterator[str]:
    pipeline = folder / FILE
    if not pipeline.is_file():
        yield USUAL
        return
    for stage in stages_at(pipeline).values():
        for path, flags in stage.outs.items():
            # DVC writes all other outs into `.gitignore`.
            if flags.get("cache") is False:
                yield path


def within(root: Path, folder: Path, names: Sequence[str]) -> list[str]:
    """Names of files, relative to the repository.

    Args:
        root: of the repository.
        folder: that the names are relative to.
        names: of files.

    Raises:
        UsageError: one leads out of the repository.
    """
    base = root.resolve()
    # Links are followed first: one of them could lead a commit out of the repository.
    paths = [(folder / name).resolve() for name in names]
    for name, path in zip(names, paths, strict=True):
        # A file within `.git` may be a hook, which Git would run.
        if not path.is_relative_to(base) or ".git" in path.relative_to(base).parts:
            raise UsageError(f"{name} is not in the repository {root}.")
    return [path.relative_to(base).as_posix() for path in paths]
