"""Verification that files, history, ledger and ``dvc.lock`` of a study agree.

Files are compared, byte by byte, with what would be written now. Nothing is written. A digest in a
file only shows an edit, and ``dvc.lock`` may have been written after one (``dvc commit -f``, a
frozen stage), so neither is evidence enough. The reference is the ledger, or in a fresh clone the
history; its scores are confirmed by evaluating some of them again (``refit``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.summary import Summary
from tunesmith.config.model import Definition
from tunesmith.ledger.histories.portable import write_history
from tunesmith.ledger.lock import holder
from tunesmith.ledger.records import StudyRecord
from tunesmith.objective.identity.unwatched import unwatched
from tunesmith.objective.outline import Outline
from tunesmith.pipeline.dvc.agreement import Tuning, disagreements
from tunesmith.pipeline.findings import (
    REBUILD,
    Finding,
    as_typed,
    first_difference,
    note,
    unseen,
)
from tunesmith.pipeline.latest_record import HISTORY, LatestRecord
from tunesmith.pipeline.staleness import left_to_do, stale_reasons
from tunesmith.pipeline.verify.evidence import Evidence, look
from tunesmith.pipeline.verify.predictions import of_predictions
from tunesmith.pipeline.verify.refit import draw, refit
from tunesmith.pipeline.verify.winner import of_winner, without_record
from tunesmith.runs.import_history import misfit
from tunesmith.runs.models.reading import summary_of
from tunesmith.runs.outputs import contents_of
from tunesmith.system.files import inside


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The result of a verification."""

    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    """Names of everything that was compared: files, and ``dvc.lock``."""
    source: str | None
    """The reference: ``ledger``, ``history`` or nothing."""
    n_trials: int
    """Trials with results in it."""
    reading: Mapping[str, str] = field(default_factory=dict)
    """Files that programs have read, with their digests."""
    n_refit: int = 0
    """Folds that were evaluated again."""

    @property
    def is_verified(self) -> bool:
        """True if everything was compared, and nothing disagrees."""
        if any(finding.level != "note" for finding in self.findings):
            return False
        return self.source is not None

    @property
    def is_nothing(self) -> bool:
        """True if there is nothing yet that could disagree."""
        return not self.findings and not self.checked and self.source is None


@dataclass(frozen=True)
class Refit:
    """Number of recorded folds to evaluate again, and how to compare them."""

    n: int
    seed: int
    """Seed of the draw."""
    tolerance: float = 0.0
    """Relative, per score; 0 for bit by bit."""
    is_unshared: bool = False
    """True if each gets a fit of its own; those that came from shared fits are drawn first."""


def verify(
    definition: Definition, again: Refit | None = None, *, needs_data: bool = True
) -> Verification:
    """Compare all files and records of a study, and return every disagreement at once.

    Args:
        definition: of the study.
        again: also evaluate some of the recorded folds anew, which runs the project's code.
        needs_data: missing data counts as not verified; otherwise it is only noted.

    Raises:
        UsageError: an output's path leads out of the project.
    """
    evidence = look(definition, needs_data=needs_data)
    verification = verified(evidence)
    if again is None:
        return verification
    n, differing = _evaluated_again(evidence, again)
    return replace(verification, findings=(*verification.findings, *differing), n_refit=n)


def _evaluated_again(evidence: Evidence, again: Refit) -> tuple[int, list[Finding]]:
    """Evaluate recorded folds again, if the data and code are still the same."""
    latest, definition = evidence.found, evidence.definition
    name = f"study `{definition.file.study}`"
    if latest is None or evidence.objective is None:
        what = "has no recorded fold" if latest is None else "cannot be run as it is"
        return 0, [Finding(name, f"{what}, so that none is evaluated again", "recorded folds")]
    record, objective = latest.record, evidence.objective
    # With other data or code, other scores are right: a comparison would show nothing.
    space, budget = definition.space, definition.file.budget_parameter
    is_other = any(stale_reasons(definition, record, objective))
    if is_other or misfit(record, space, objective, budget):
        return 0, [Finding(name, "is another than now, so that no fold is evaluated again")]
    if again.is_unshared:
        execution = definition.file.execution.model_copy(update={"share": "off"})
        file = definition.file.model_copy(update={"execution": execution})
        definition = replace(definition, file=file)
    drawn = draw(record, again.n, again.seed, shared_first=again.is_unshared)
    return refit(definition, drawn, again.tolerance)


def verified(evidence: Evidence) -> Verification:
    """Verify evidence that was gathered."""
    findings = list(evidence.problems)
    names = list(evidence.definition.file.outputs.paths.values())
    checked = [name for name in names if inside(evidence.definition.root, name).exists()]
    if evidence.found is None:
        findings += without_record(evidence, checked)
    else:
        findings += _of_study(evidence, evidence.found)
    if evidence.dvc is not None:
        if evidence.dvc.locked is not None:
            checked.append("dvc.lock")
        findings += _of_lock(evidence, evidence.dvc)
    findings += _unwatched(evidence)
    n_completed = evidence.found.record.history.n_completed if evidence.found else 0
    source = None if evidence.found is None else evidence.found.source
    reading = evidence.found.record.head.reading if evidence.found else {}
    source_file = evidence.definition.source
    typed = tuple(replace(one, fix=as_typed(one.fix, source_file)) for one in findings)
    return Verification(
        findings=typed, checked=tuple(checked), source=source, n_trials=n_completed, reading=reading
    )


def _unwatched(evidence: Evidence) -> Iterator[Finding]:
    """Yield a note if the code of an estimator reads by itself what no digest holds."""
    section = evidence.definition.file.objective
    if evidence.found is not None and not section.is_program:
        for text in unwatched(section.all_import_paths, evidence.definition.root):
            yield note("the project's code", text)


def _of_lock(evidence: Evidence, dvc: Tuning) -> Iterator[Finding]:
    """Yield findings on ``dvc.lock``: DVC does not take an interrupted run for finished."""
    definition, found = evidence.definition, evidence.found
    left = None if found is None else left_to_do(definition, found.record)
    outs = set() if dvc.locked is None else set(dvc.locked.outs)
    for finding in disagreements(dvc):
        # An interrupted run makes DVC's stage fail, so that dvc.lock lacks its outs.
        is_unfinished = left is not None and finding.place in outs
        yield note(finding.place, f"{finding.found} ({left})") if is_unfinished else finding


# -- the study -----------------------------------------------------------------------------------


def _of_study(evidence: Evidence, latest: LatestRecord) -> Iterator[Finding]:
    definition, record = evidence.definition, latest.record
    if evidence.objective is not None:
        yield from _of_identity(evidence, record, evidence.objective)
    yield from _of_outdated(evidence, record)
    yield from _of_history(evidence, latest)
    # An added gate alone may have changed the policy of the last run.
    policy = Policy.of(definition.file)
    summary = summary_of(definition, record, policy, latest.nested)
    behind = _behind(evidence, latest)
    if behind:
        yield unseen(f"study `{record.head.name}`", behind)
    yield from of_winner(evidence, latest, summary, is_behind=bool(behind))
    files = [*_of_files(evidence, latest, summary), *of_predictions(evidence.definition, record)]
    for finding in files:
        yield note(finding.place, f"{finding.found} ({behind})") if behind else finding


def _of_outdated(evidence: Evidence, record: StudyRecord) -> Iterator[Finding]:
    """Yield a finding if scores come from shared fits of an earlier version."""
    if not record.outdated:
        return
    text, _, fix = record.outdated.partition("; ")
    # A run without DVC would leave dvc.lock out of date.
    fix = f"{fix}." if evidence.dvc is None else evidence.dvc.again
    place = f"study `{record.head.name}`"
    yield Finding(place, text, "evaluations that count", f"{fix} Commit what it writes.")


def _of_identity(evidence: Evidence, record: StudyRecord, objective: Outline) -> Iterator[Finding]:
    definition, place = evidence.definition, f"study `{record.head.name}`"
    # A run without DVC would leave dvc.lock out of date.
    fix = "`tunesmith run` finds them." if evidence.dvc is None else evidence.dvc.again
    if reasons := list(stale_reasons(definition, record, objective)):
        text = f"is stale: {', '.join(reasons)} since its results were found"
        yield Finding(place, text, "results of the project as it is", fix)
    elif problem := misfit(record, definition.space, objective, definition.file.budget_parameter):
        yield Finding(place, problem, "trials of this study", fix)


def _behind(evidence: Evidence, latest: LatestRecord) -> str:
    """Reason for which the files may be older than the record; empty if they are not."""
    definition, runs = evidence.definition, latest.record.runs
    if holder(definition.ledger, definition.file.study) is not None:
        return "a run is on"
    if latest.source == HISTORY or not runs or runs[-1].stopped_by is not None:
        return ""
    return "the last run was cut off before it wrote its files; `tunesmith run` continues it"


def _of_history(evidence: Evidence, latest: LatestRecord) -> Iterator[Finding]:
    """Check that the history, the only record in a clone, is what a run would write."""
    committed = evidence.committed
    if latest.source != HISTORY or committed is None:
        return
    path = inside(evidence.definition.root, committed.name)
    if not path.is_file():
        yield Finding(committed.name, "is missing here, and committed", "the file", REBUILD)
    # In a clone the history is the reference itself, so its own form is all that can be checked.
    elif not _is_same(path, write_history((latest.record, *latest.nested))):
        yield Finding(committed.name, "was edited by hand", "what a run writes", REBUILD)


def _of_files(evidence: Evidence, latest: LatestRecord, summary: Summary) -> Iterator[Finding]:
    """Compare every output but the best parameters with what would be written now."""
    root, outputs = evidence.definition.root, evidence.definition.file.outputs
    # Reports are pure functions of the record, so that bytes can be compared.
    wanted = contents_of(latest.record, outputs, summary, latest.nested)
    if latest.source == HISTORY and outputs.history is not None:
        del wanted[outputs.history]  # it is what the others are compared with
    for name, content in wanted.items():
        path = inside(root, name)
        expected = f"what the {latest.source} says of {_trials(summary)}"
        if not path.is_file():
            yield Finding(name, "is missing", expected, REBUILD)
        elif not _is_same(path, content):
            there = path.read_bytes().decode(errors="replace")
            yield Finding(name, first_difference(there, content), expected, REBUILD)


def _is_same(path: Path, content: str) -> bool:
    # Git may write the line ends of another system into a working tree (`core.autocrlf`).
    return path.read_bytes().replace(b"\r\n", b"\n") == content.replace("\r\n", "\n").encode()


def _trials(summary: Summary) -> str:
    return "1 trial" if summary.n_trials == 1 else f"{summary.n_trials:,} trials"
