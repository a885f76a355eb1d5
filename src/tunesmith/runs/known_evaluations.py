"""Evaluations in histories of Git's commits and DVC's cache, whatever search made them.

A clone, a CI runner or a temporary workspace has no ledger. Evaluations with the same data, code
and objective count there all the same, as they would in the ledger.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.config.model import Definition
from tunesmith.formats import FormatError, yaml
from tunesmith.history import FoldResult
from tunesmith.ledger.histories.merging import histories
from tunesmith.ledger.histories.portable import KIND, TAKEN_FROM
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyRecord
from tunesmith.ledger.rows import as_recorded
from tunesmith.objective.objective import Objective, changed_files, holding
from tunesmith.runs.factory import HOUSEKEEPING
from tunesmith.system import git
from tunesmith.system.files import inside
from tunesmith.types import NOT_RECORDED

MAX_VERSIONS = 100
"""Number of versions of the file that are read, the newest first."""
MAX_BYTES = 1 << 28
CHANGE_NO_SCORE = (*HOUSEKEEPING, "subject_to")
"""Keys of the objective on which no score depends."""
CACHE = ".dvc/cache"
CONFIGS = (".dvc/config", ".dvc/config.local")


@dataclass(frozen=True)
class Known:
    """Evaluations of the present objective, from one history."""

    results: Mapping[str, FoldResult]
    """Results by key."""
    provenance: Mapping[str, Any]
    """Provenance of the run that made them."""


@dataclass(frozen=True)
class HistorySearch:
    """Search for evaluations of the present objective in the histories of a project."""

    definition: Definition
    objective: Objective

    def lacking_in(self, ledger: Ledger) -> list[Known]:
        """Find the evaluations that histories have and the ledger of this machine lacks."""
        found: list[Known] = []
        known: set[str] = set()
        for record in self._records():
            results = _results(record, self.objective)
            # The ledger is asked once per key, for keys that no newer history has.
            asked = results.keys() - known
            known |= ledger.known(asked, holds=holding(self.objective)).keys()
            new = {key: result for key, result in results.items() if key not in known}
            if new and record.origin is not None:
                found.append(Known(new, record.origin.provenance))
                known |= new.keys()
        return found

    def keys(self, *, only_alone: bool = False) -> set[str]:
        """Return the keys of all evaluations that histories have.

        Args:
            only_alone: leave out those of shared fits.
        """
        return {
            key
            for record in self._records()
            for key, result in _results(record, self.objective).items()
            if not (only_alone and result.is_shared)
        }

    def _records(self) -> Iterator[StudyRecord]:
        """Series with scores like the present one's, each from the newest history that has it."""
        name, seen = self.definition.file.outputs.history, set[tuple[str, str]]()
        for text in () if name is None else _texts(self.definition.root, name):
            heads = _heads(text, self.objective)
            if {(head.get("study"), head.get("identity")) for head in heads} <= seen:
                continue
            # A text may hold a series twice: trials without a place in the first one follow as a
            # second.
            records = [
                record
                for record in histories(text)[0]
                if (record.head.name, record.head.identity) not in seen and self._counts(record)
            ]
            seen |= {(record.head.name, record.head.identity) for record in records}
            yield from records

    def _counts(self, record: StudyRecord) -> bool:
        """True if all that its scores depend on is the same; space and search may differ."""
        objective, n_folds = (
            self.objective,
            {len(trial.folds) + trial.n_left_out for trial in record.history.completed},
        )
        return (
            _dependence(record.head.recorded) == self._present
            and dict(record.head.context) == dict(objective.context)
            and record.metrics == objective.metrics
            and n_folds <= {objective.n_folds}
            and not changed_files(objective, record.head.reading)
        )

    @cached_property
    def _present(self) -> Any:
        return _dependence(as_recorded(self.definition.as_json()))


def take_in(ledger: Ledger, study_id: int, evaluations: Sequence[Known], source: str) -> None:
    """Record evaluations as those of runs that evaluated nothing themselves.

    Args:
        ledger: open for writing.
        study_id: the series that is going to use them.
        evaluations: evaluations from histories.
        source: origin of the evaluations, for the provenance.
    """
    for known in evaluations:
        run_id = ledger.begin_run(study_id, {**known.provenance, TAKEN_FROM: source})
        ledger.record(study_id, run_id, results=known.results)
        ledger.end_run(run_id, NOT_RECORDED, 0, 0, 0)


def _results(record: StudyRecord, objective: Objective) -> dict[str, FoldResult]:
    """Whole results by key; one that was pruned is of no use to another search."""
    return {
        objective.key(trial.params, fold.fold): fold
        for trial in record.history.completed
        for fold in trial.folds
        if fold.stopped_at is None and fold.counts
    }


# -- which of them count ---------------------------------------------------------------------------


def _heads(text: str, objective: Objective) -> Iterator[dict[str, Any]]:
    wanted = dict(objective.context)
    for line in text.splitlines():
        if not line.startswith(f'{{"kind": "{KIND}"'):
            continue
        try:
            head = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(head, dict) and head.get("context") == wanted:
            yield head


def _dependence(recorded: RecordedStudy) -> Any:
    """Parts of a definition, as the ledger stores it, that scores depend on."""
    objective = recorded.objective
    section = None if objective is None else objective.without(CHANGE_NO_SCORE)
    return section, recorded.seed, recorded.outer


# -- where they are --------------------------------------------------------------------------------


def _texts(root: Path, name: str) -> Iterator[str]:
    """Histories that are available: the file, its versions in Git on any branch, those of DVC."""
    size = 0
    for text in (*_file(inside(root, name)), *_of_git(root, name), *_of_dvc(root, name)):
        size += len(text)
        if size > MAX_BYTES:
            return
        yield text


def _file(path: Path) -> Iterator[str]:
    try:
        if path.is_file():
            yield path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return


def _of_git(root: Path, name: str) -> Iterator[str]:
    for blob in _blobs(root, name):
        text = git.answer(root, "cat-file", "blob", blob)
        if text is not None:
            yield text


def _blobs(root: Path, name: str) -> list[str]:
    """Versions of a file below the project folder, on any branch, the newest first."""
    # Without `-m`, Git shows no change of a merge, and a merged history is in no other commit.
    shape = ("--all", "--format=", "--raw", "--no-abbrev", "--no-renames", "--full-history", "-m")
    listed = git.answer(root, "log", *shape, f"--max-count={MAX_VERSIONS}", "--", name) or ""
    rows = [line.split() for line in listed.splitlines() if line.startswith(":")]
    return list(dict.fromkeys(row[3] for row in rows if row[4][0] != "D"))[:MAX_VERSIONS]


def _of_dvc(root: Path, name: str) -> Iterator[str]:
    """Versions in DVC's cache, if the history is an output of that kind."""
    folder = next((p for p in (root, *root.parents) if (p / ".dvc").is_dir()), None)
    if folder is None:
        return
    cache = _cache(folder)
    if not (cache / "files").is_dir():
        return
    for md5 in dict.fromkeys(_digests(root, folder, Path(name).name)):
        yield from _file(cache / "files/md5" / md5[:2] / md5[2:])


def _cache(folder: Path) -> Path:
    # A percent sign in the address of a remote is no reference to another key.
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read([folder / name for name in CONFIGS], encoding="utf-8")
    except (ConfigParserError, UnicodeDecodeError):
        return folder / CACHE
    named = parser.get("cache", "dir", fallback="")
    return folder / ".dvc" / named if named else folder / CACHE


def _digests(root: Path, folder: Path, name: str) -> Iterator[str]:
    """Digests of outputs of this name, from every ``dvc.lock`` that is here or in Git."""
    for place in (root, *root.parents):
        texts = [*_file(place / "dvc.lock"), *_of_git(place, "dvc.lock")]
        for text in texts:
            # Searched as text first, since parsing every version of a lock file takes long.
            if name in text:
                yield from _outs(text, name)
        if place == folder:
            return


def _outs(lock: str, name: str) -> Iterator[str]:
    try:
        stages = yaml.read(lock).get("stages")
    except FormatError:
        return
    for stage in stages.values() if isinstance(stages, dict) else ():
        for out in stage.get("outs") or ():
            if Path(str(out.get("path"))).name == name and isinstance(out.get("md5"), str):
                yield out["md5"]
