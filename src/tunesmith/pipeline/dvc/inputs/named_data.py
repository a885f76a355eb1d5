"""Data that a program's own text names: DVC has to look at it, too."""

from collections.abc import Sequence
from pathlib import Path

from tunesmith.objective.program.passing.sources import SourceFile, program_of
from tunesmith.pipeline.dvc.inputs.training_data import CODE
from tunesmith.system import git

OF_DVC = ("dvc.yaml", "dvc.lock", ".dvc")


def named_by(root: Path, command: Sequence[str], kept: Sequence[str] = ()) -> dict[str, str]:
    """Data that the text of a command's program names, and that somebody keeps.

    What a program reads and what it writes look alike in its text. Inputs are kept: by Git, by DVC,
    or as the out of a stage.

    Args:
        root: the project folder, absolute.
        command: items.
        kept: outs of stages.

    Returns:
        Path -> the file whose text names it.
    """
    program = program_of(root, command)
    # A text of an unknown kind counts as one that is run: it matters all the same.
    files = [*program.others, *(source.path for source in program.sources)]
    inside = [path for path in files if path.is_relative_to(root)]
    names = [n for path in inside if not (n := program.named(path)).endswith((*CODE, *OF_DVC))]
    listed = git.paths(root, "ls-files", "-z", "--", *names) if names else None
    tracked = {*(listed or ()), *kept}
    kept_names = [n for n in names if n in tracked or (root / f"{n}.dvc").is_file()]
    return {name: _source(program.sources, name, root) for name in kept_names}


def _source(sources: Sequence[SourceFile], name: str, root: Path) -> str:
    last = name.rpartition("/")[2]
    texts = [source for source in sources if last in source.text]
    inner = [s.path.relative_to(root).as_posix() for s in texts if s.path.is_relative_to(root)]
    return next(iter(inner), "the command")
