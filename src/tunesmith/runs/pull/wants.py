"""Comparison of a worker with the run, before its first fit: versions, code, data, sharing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.objective.objective import Objective, SharingObjective
from tunesmith.system import git
from tunesmith.system.fingerprint import versions
from tunesmith.version import VERSION

OWN = "tunesmith"
OUTER = "outer"
"""Name in a run's wants of the outer fold whose search it makes."""
EVERYTHING = "."
"""Name that stands for the names of all files of a project."""
MOST_NAMED = 10
"""Number of files that a message names."""
WORDS = {
    "data": "the data",
    "code": "the project's code",
    "objective": "the section `objective` of the configuration",
}
"""Parts of a study's context, for messages."""


@dataclass(frozen=True, kw_only=True)
class Offering:
    """The run whose fits are offered.

    Args:
        definition: of its study.
        objective: built from it.
        study: name of the study in the ledger.
        run_id: number of the run.
        say: gets sentences that a user should read.
    """

    definition: Definition
    objective: Objective
    study: str
    run_id: int
    say: Callable[[str], None]


class WorkerDiffersError(UsageError):
    """A worker differs from the run: its fits would not be those of the run.

    Args:
        study: name of the study.
        apart: one phrase for each difference.
        commits: commit of the run, and the one here.
    """

    def __init__(
        self, study: str, apart: list[str], commits: tuple[str | None, str | None]
    ) -> None:
        listed = "".join(f"\n  {phrase}" for phrase in apart)
        there, here = commits
        at = ""
        if there and there != here:
            at = f"\n  The run is at commit {there}, this checkout at {here or 'none'}."
        super().__init__(
            f"this worker cannot take fits of `{study}`, because it differs from the run:{listed}"
            f"{at}\n  Give it the run's commit, data and environment, and start it again."
        )


@dataclass(frozen=True)
class Wants:
    """Everything that the fits of a study depend on: versions, digests, sharing.

    Args:
        definition: of the study.
        objective: built from it.
    """

    definition: Definition
    objective: Objective

    def content(self) -> dict[str, Any]:
        """Describe it as plain JSON."""
        objective, file = self.objective, self.definition.file
        execution = file.execution
        passed = objective.passed if isinstance(objective, SharingObjective) else ()
        paths = file.objective.all_import_paths
        outer = self.definition.outer
        return {
            OUTER: None if outer is None else outer.number,
            "versions": {OWN: VERSION, **versions(paths, self.definition.root)},
            "context": dict(objective.context),
            "share": execution.share,
            # For messages: another commit may have the same code, data and configuration.
            "commit": git.answer(self.definition.root, "rev-parse", "--verify", "HEAD"),
            "limits": {"fit_timeout": execution.fit_timeout, "memory": execution.memory},
            # Verifications that workers need not repeat.
            "passed": sorted(passed),
            **self._of_program(),
        }

    def _of_program(self) -> dict[str, Any]:
        """Describe the files and the interpreter of a program; empty for estimators."""
        section = self.definition.file.objective
        if not section.is_program:
            return {}
        # Runs of estimators need none of it.
        from tunesmith.objective.program.interpreter import packages_of
        from tunesmith.objective.program.objective import ProgramObjective
        from tunesmith.objective.program.observing.comparison import project_states
        from tunesmith.objective.program.observing.views import needed_files
        from tunesmith.objective.program.runner import SOURCE

        assert isinstance(self.objective, ProgramObjective)  # noqa: S101 - it has a command
        runner = self.objective.runner
        source = runner.runs / SOURCE
        states = project_states(
            runner.watching.view,
            source if source.is_dir() else None,
            needed_files(section),
            is_watched=not runner.watching.problem,
        )
        environ = runner.surroundings.environ({})
        return {
            "root": str(runner.root),
            "project": states,
            "packages": packages_of(section.argv[0], runner.root, environ),
        }

    def compare(self, wanted: Mapping[str, Any]) -> None:
        """Compare this process with a run.

        Args:
            wanted: content of the run's own wants.

        Raises:
            WorkerDiffersError: fits would not be those of the run.
        """
        here = self.content()
        if apart := list(_differences(wanted, here)):
            commits = wanted.get("commit"), here["commit"]
            raise WorkerDiffersError(self.definition.file.study, apart, commits)


def _differences(wanted: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    there, own = wanted.get("versions", {}), here["versions"]
    for name in sorted({*there, *own}):
        if there.get(name) != own.get(name):
            yield f"{name} {there.get(name, 'missing')} in the run, {own.get(name, 'missing')} here"
    context, mine = wanted.get("context", {}), here["context"]
    for name in sorted({*context, *mine} - {"versions"}):
        if context.get(name) != mine.get(name):
            yield f"{WORDS.get(name, name)} differs" if name != "data" else "the data differ"
    if wanted.get("share") != here["share"]:
        yield f"`execution.share` is {wanted.get('share')} in the run, {here['share']} here"
    limits = wanted.get("limits", {})
    for name, limit in here["limits"].items():
        if limits.get(name) != limit:
            yield f"`execution.{name}` is {limits.get(name)} in the run, {limit} here"
    yield from _differences_of_programs(wanted, here)


def _differences_of_programs(wanted: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    there, own = wanted.get("packages", {}), here.get("packages", {})
    for name in _apart(there, own):
        versions = f"{there.get(name, 'missing')} in the run, {own.get(name, 'missing')} here"
        yield f"{name} for the program: {versions}"
    there, own = wanted.get("project", {}), here.get("project", {})
    apart = _apart(there, own)
    for name in apart[:MOST_NAMED]:
        if name == EVERYTHING:
            yield "the names of the files in the project differ"
        elif name not in own:
            yield f"{name} is missing here"
        else:
            yield f"{name} differs" if name in there else f"{name} is not in the run's project"
    if len(apart) > MOST_NAMED:
        yield f"and {len(apart) - MOST_NAMED} more files"


def _apart(there: Mapping[str, str], own: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*there, *own} if there.get(name) != own.get(name))
