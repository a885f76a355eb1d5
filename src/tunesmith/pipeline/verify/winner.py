"""Verification of the best-parameters file: its content and its owner."""

import os
import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.analysis.compare import differences
from tunesmith.analysis.ranking import Ranked, find_ranked
from tunesmith.analysis.summary import Summary
from tunesmith.errors import UsageError
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.edits import edit_of
from tunesmith.pipeline.findings import REBUILD, Finding, first_difference, note, unseen
from tunesmith.pipeline.latest_record import LatestRecord
from tunesmith.pipeline.verify.evidence import Evidence
from tunesmith.space.parameter import canonical_json
from tunesmith.system import git
from tunesmith.system.fingerprint import digest

ADOPT = "`tunesmith adopt` takes the winner over."
RESTORE = "`tunesmith run` restores it, evaluating nothing."


def of_winner(
    evidence: Evidence, latest: LatestRecord, summary: Summary, *, is_behind: bool
) -> Iterator[Finding]:
    """Yield findings on the best parameters.

    Args:
        evidence: of the verification.
        latest: the latest record of the study.
        summary: of it.
        is_behind: true if the last run may have ended before it wrote them.
    """
    name = evidence.definition.file.outputs.best.path
    best = BestFile.of(evidence.definition)
    if summary.chosen is None:
        return
    expected = _expected(summary, latest.source)
    if not best.path.is_file():
        yield Finding(name, "is missing", expected, REBUILD)
        return
    try:
        params, meta = best.read()
        edit = edit_of(best, latest.record)
    except UsageError as error:
        yield Finding(name, _reason(error, best), expected, _restoring(best))
        return
    if evidence.is_peoples:
        if edit is not None:
            yield note(name, edit.words, ADOPT)
        elif not _same(params, summary.chosen.params):
            number = (meta or {}).get("trial")
            words = evidence.brought(params) or f"holds trial {number}"
            yield note(name, f"{words}; a run writes trial {summary.chosen.number}")
    elif origin := evidence.brought(params):
        yield note(name, origin)
    # A killed run leaves the winner of the run before, whose digest is intact.
    elif is_behind and edit is None and _is_a_trial(latest, params, meta):
        return
    elif not _is_in_order(best, summary, params):
        words = edit.words if edit is not None else _deviation(best, summary, params)
        is_left = evidence.definition.file.outputs.tuned is not None
        yield Finding(name, words, expected, _restoring(best, ADOPT if is_left else RESTORE))


def _reason(error: UsageError, best: BestFile) -> str:
    """First line of an error, which the path of the file stands before anyway."""
    reason = str(error).splitlines()[0].removeprefix(f"{best.path}:").strip()
    return f"line {reason}" if reason[:1].isdigit() else reason


def _restoring(best: BestFile, usual: str = RESTORE) -> str:
    """Remedy for a file with other parameters; a run replaces none that it cannot read."""
    path = best.path
    try:
        if best.blocker is None:
            return usual
    except UsageError:
        pass  # it is no text, which a run refuses as well
    head = git.commit(path.parent, "HEAD")
    text = None if head is None else git.content(path.parent, head, path.name)
    if text is not None and best.shape.blocker(text, path) is None:
        near = shlex.quote(os.path.relpath(path, Path.cwd()))
        return f"`git checkout HEAD -- {near}` brings back what is committed."
    return "Mend its text; or move it away, and `tunesmith run` writes it anew."


def _expected(summary: Summary, source: str) -> str:
    trial = _rightful(summary)
    return "the current parameters" if trial is None else f"trial {trial.number} of the {source}"


def _rightful(summary: Summary) -> Ranked | None:
    """Trial whose parameters belong into the file; ``None`` if the earlier parameters stay."""
    gate = summary.gate
    if gate is None or not gate.holds_back:
        return summary.chosen
    return find_ranked(summary.ranking, gate.reference)


def _is_in_order(best: BestFile, summary: Summary, params: Mapping[str, Any]) -> bool:
    if summary.gate is None or not summary.gate.holds_back:
        return _would_stay(best, summary)
    # The gate kept the current parameters, which a run or a person wrote before the study.
    kept = _rightful(summary)
    known_ones = [summary.current_parameters, None if kept is None else kept.params]
    return any(_same(params, known) for known in known_ones if known is not None)


def _would_stay(best: BestFile, summary: Summary) -> bool:
    """Tell whether writing the winner would leave the file as it is."""
    try:
        there, wanted = best.content or "", best.text(summary)
        return there.replace("\r\n", "\n") == wanted.replace("\r\n", "\n")
    except UsageError:
        return False


def _deviation(best: BestFile, summary: Summary, params: Mapping[str, Any]) -> str:
    trial = _rightful(summary)
    changed = [] if trial is None else differences(trial.params, params)
    if changed:
        return f"holds other parameters ({', '.join(changed)})"
    if best.blocker is not None:
        return best.blocker.words
    return first_difference(best.content or "", best.text(summary, trial))


def _is_a_trial(
    latest: LatestRecord, params: Mapping[str, Any], meta: Mapping[str, Any] | None
) -> bool:
    """Tell whether the file holds an earlier winner of the same study, as it was written."""
    number, history = (meta or {}).get("trial"), latest.record.history
    if not isinstance(number, int) or not 0 <= number < history.n_completed:
        return False
    return _same(history[number].params, params)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return canonical_json(dict(one)) == canonical_json(dict(other))


def without_record(evidence: Evidence, present: Collection[str]) -> Iterator[Finding]:
    """Yield findings if there is neither ledger nor history, only a digest in the file.

    Args:
        evidence: of the verification.
        present: outputs that are there.
    """
    name = evidence.definition.file.outputs.best.path
    best = BestFile.of(evidence.definition)
    origin = _brought(evidence, best)
    if origin is not None:
        yield note(name, origin)
    # A user-owned file and an applied one claim nothing about a study in this clone.
    claims = set(present) - ({name} if evidence.is_peoples or origin else set())
    words = "has neither a ledger here nor a history, so that only digests are compared"
    fix = "" if evidence.committed else "`outputs: {history: outputs/history.jsonl}` adds one."
    # Anybody can write a digest, so it does not confirm that a study wrote the file.
    if present:
        kind = unseen if claims else note
        yield kind(f"study `{evidence.definition.file.study}`", words, fix)
    if origin is not None or not best.path.is_file():
        return
    try:
        params, meta = best.read()
    except UsageError as error:
        yield Finding(name, _reason(error, best), "parameters", _restoring(best))
        return
    if meta is not None and meta.get("digest") != digest(params):
        words = f"edited by hand since trial {meta.get('trial')}"
        own = Finding(name, words, "parameters with their digest", RESTORE)
        yield note(name, words) if evidence.is_peoples else own


def _brought(evidence: Evidence, best: BestFile) -> str | None:
    """The experiment that these very parameters came from, as a commit notes it."""
    try:
        return evidence.brought(best.read()[0]) if best.path.is_file() else None
    except UsageError:
        return None
