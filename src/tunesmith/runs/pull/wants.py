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
        passed = objective.passed if isinstance(objective, SharingObjective) else ()
        paths = file.objective.all_import_paths
        return {
            "versions": {OWN: VERSION, **versions(paths, self.definition.root)},
            "context": dict(objective.context),
            "share": file.execution.share,
            # For messages: another commit may have the same code, data and configuration.
            "commit": git.answer(self.definition.root, "rev-parse", "--verify", "HEAD"),
            # Verifications that workers need not repeat.
            "passed": sorted(passed),
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
