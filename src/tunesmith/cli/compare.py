"""``tunesmith compare``."""

from dataclasses import dataclass
from pathlib import Path

import click

from tunesmith.cli.common.options import config_option, find_config, json_option, print_json
from tunesmith.cli.common.streams import show
from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.errors import UsageError
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord
from tunesmith.pipeline.repository import Repository


@click.command("compare")
@click.argument("before")
@click.argument("after", required=False)
@config_option
@click.option("--md", "as_markdown", is_flag=True, help="Print Markdown.")
@json_option
def command(
    before: str, after: str | None, config: Path | None, *, as_markdown: bool, as_json: bool
) -> None:
    """Compare two studies: what changed, which best is better, which parameters moved.

    BEFORE and AFTER are each a study of this ledger (churn, or churn@1 for its first series of
    trials), a ledger file (old/ledger.db, or old/ledger.db:churn), or a Git revision (main, HEAD~1)
    whose history is committed (outputs: {history: ...}). AFTER is the present study by default.
    """
    from tunesmith.analysis.compare import as_json as json_of
    from tunesmith.analysis.compare import compare
    from tunesmith.reporting.comparison_text import markdown, plain

    if as_markdown and as_json:
        raise UsageError("--md and --json: choose one of them.")
    definition = load_definition(find_config(config))
    name = after or definition.file.study
    records = [_Sources(definition).record(side) for side in (before, name)]
    compared = compare(records[0], records[1], (before, name))
    if as_json:
        print_json("comparison", json_of(compared))
    else:
        show(markdown(compared) if as_markdown else plain(compared), nl=not as_markdown)


@dataclass(frozen=True)
class _Sources:
    """The places that a side of a comparison may be in, seen from the present study."""

    definition: Definition

    def record(self, side: str) -> StudyRecord:
        """Find the record of a side.

        Raises:
            UsageError: it is no study, ledger file or revision.
        """
        # The colons of a server's address part no study from a file.
        has_study = ":" in side and "://" not in side
        path, _, study = side.rpartition(":") if has_study else (side, "", "")
        if Path(path or side).is_file():
            with Ledger.open(Path(path or side), create=False) as ledger:
                return ledger.load(study or None)
        problems = []
        # A study goes before a branch of the same name.
        for find in (self._in_ledger, self._in_git):
            try:
                return find(side)
            except UsageError as error:
                problems.append(str(error))
        listed = "\n  ".join(problems)
        raise UsageError(f"`{side}` is no study, ledger file or revision to compare:\n  {listed}")

    def _in_ledger(self, side: str) -> StudyRecord:
        name, _, generation = side.partition("@")
        if generation and not generation.isdecimal():
            raise UsageError(f"`{generation}` is no number of a series.")
        location = self.definition.ledger
        if isinstance(location, Path) and not location.is_file():
            raise UsageError("there is no ledger yet: nothing has been run.")
        with Ledger.open(location, create=False) as ledger:
            return ledger.load(name, int(generation) if generation else None)

    def _in_git(self, side: str) -> StudyRecord:
        from tunesmith.pipeline.committed import CommittedStudy, trials_at

        repository = Repository.of(self.definition.root)
        commit = repository.commit_of(side)
        if commit is None:
            raise UsageError("Git knows no such revision.")
        if self.definition.source is None:
            raise UsageError("this study has no configuration file.")
        # Git names files from the top of the repository.
        place = self.definition.source.resolve().relative_to(repository.root.resolve())
        record, _ = trials_at(CommittedStudy(repository, commit, side, place.as_posix()))
        return record
