"""The program's own parameters file on a training branch, with the tuned values."""

from collections.abc import Sequence

from tunesmith.errors import UsageError
from tunesmith.objective.program.passing.params_file import Template
from tunesmith.pipeline.committed import CommittedStudy
from tunesmith.pipeline.repository import TreeEntry
from tunesmith.types import Params


def program_files(there: CommittedStudy, training: str, params: Params) -> dict[str, TreeEntry]:
    """Return the file that training should read, by path; empty if it holds none of the values.

    Args:
        there: the study on the tuning branch.
        training: the commit of the training branch, whose own text is kept but for the values.
        params: to be trained with.

    Raises:
        UsageError: the file cannot hold one of them.
    """
    path = _path(there)
    template = None if path is None else _template(there, training)
    if path is None or template is None or not template.values(params):
        return {}
    mode = there.repository.entries(training, [path])[path].mode
    return {path: TreeEntry(mode, there.repository.store(template.with_held(params)))}


def has_same_values(there: CommittedStudy, path: str, commits: Sequence[str]) -> bool:
    """Tell whether the file has the same values in all commits, whatever else was edited in it."""
    if path != _path(there):
        return False
    names = there.definition.parameter_names
    try:
        one, other = (_template(there, commit) for commit in commits)
        return bool(one and other and one.values(names) == other.values(names))
    except UsageError:
        return False


def _path(there: CommittedStudy) -> str | None:
    section = there.definition.file.objective.params_file
    path = None if section is None else there.path(section.path)
    # One file for both is written as the best parameters already.
    return None if path == there.best else path


def _template(there: CommittedStudy, commit: str) -> Template | None:
    """The file as a commit has it; ``None`` if it has none."""
    section, path = there.definition.file.objective.params_file, _path(there)
    text = None if path is None else there.repository.read(commit, path)
    if section is None or text is None:
        return None
    if "\N{REPLACEMENT CHARACTER}" in text:
        raise UsageError(f"{path} on `{commit[:12]}` is not UTF-8 text: its values cannot be set.")
    return Template(section, text)
