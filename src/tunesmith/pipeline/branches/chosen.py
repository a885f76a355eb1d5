"""The parameters to apply to a training branch: the winner's, or another trial's."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tunesmith.analysis.compare import differences
from tunesmith.analysis.summary import summarise
from tunesmith.errors import TunesmithError, UsageError
from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.records import StudyRecord
from tunesmith.parameters.adopt import chosen_by
from tunesmith.parameters.texts import best_parameters, parameters_text
from tunesmith.pipeline.committed import CommittedStudy, trials_at
from tunesmith.pipeline.parameters import Parameters, parse
from tunesmith.system.fingerprint import digest


@dataclass(frozen=True)
class TrialChoice:
    """The trial that the user asks for; by default the winner."""

    trial: int | None = None
    selection: str | None = None
    take: str | None = None
    """``winner`` or ``edited``, if somebody has edited the best parameters."""

    @property
    def is_other(self) -> bool:
        """True if another trial than the winner may be meant."""
        return self.trial is not None or self.selection is not None


@dataclass(frozen=True)
class Chosen:
    """Parameters to apply, and the file that they were read from."""

    parameters: Parameters
    where: str


def chosen(there: CommittedStudy, base: str | None, choice: TrialChoice) -> Chosen:
    """Return the parameters to apply.

    Args:
        there: the study on the tuning branch.
        base: the commit that both branches come from.
        choice: the trial that was asked for.

    Raises:
        UsageError: there are none, the choice is not clear, or the trial cannot be found.
    """
    winner = there.parameters(there.found)
    if winner is None:
        raise nothing_tuned(there)
    if choice.is_other:
        return _of_trial(there, winner, choice)
    if there.outputs.tuned is None:
        return Chosen(winner, there.found)
    edited = _edited(there, winner, base)
    if edited is not None and choice.take == "edited":
        return Chosen(edited, there.best)
    # Either may be what is wanted, and training on the wrong one costs more than a question.
    if edited is not None and choice.take is None:
        raise _unclear(there, winner, edited)
    if choice.take is None:
        _refuse_held_back(there, winner, base)
    text = winner.text
    # The two files may have different formats, and the program reads only that of its own.
    if Path(there.found).suffix != Path(there.best).suffix:
        text = parameters_text(winner.params, winner.meta, Path(there.best).suffix)
    return Chosen(parse(text, there.best), there.found)


def nothing_tuned(there: CommittedStudy) -> UsageError:
    """Error that says that no study has been run on the tuning branch."""
    return UsageError(
        f"`{there.branch}` has no tuned parameters yet ({there.found}).\n"
        "  Run the study there, and commit."
    )


# -- edits on the tuning branch ------------------------------------------------------------------


def _edited(there: CommittedStudy, winner: Parameters, base: str | None) -> Parameters | None:
    """Parameters that somebody wrote into the file on the tuning branch; ``None`` if unedited."""
    own = there.parameters(there.best)
    # A file that is as it was when the branches began was not edited for this experiment.
    if own is None or own.digest == winner.digest or _is_as_in(there, base):
        return None
    return own if own.is_edited or own.meta.get("adopted") else None


def _is_as_in(there: CommittedStudy, base: str | None) -> bool:
    blobs = there.repository.blobs([(rev, there.best) for rev in (base, there.commit) if rev])
    return len(blobs) == 2 and blobs[0] == blobs[1]


def _unclear(there: CommittedStudy, winner: Parameters, edited: Parameters) -> UsageError:
    changes = ", ".join(differences(winner.params, edited.params))
    number = winner.meta.get("trial")
    return UsageError(
        f"{there.best} on `{there.branch}` is not what the study found: trial {number} has other"
        f" values ({changes}).\n"
        "  Take what the study found: `--take winner`.\n"
        "  Take what was chosen by hand:  `--take edited`."
    )


def _refuse_held_back(there: CommittedStudy, winner: Parameters, base: str | None) -> None:
    """Refuse if the gate says to keep the current parameters: the file is unchanged then."""
    gate = there.definition.file.gate
    own = there.parameters(there.best)
    if gate is None or not gate.keep or own is None or own.digest == winner.digest:
        return
    if _is_as_in(there, base):
        raise UsageError(
            f"the gate of study `{there.definition.file.study}` keeps the current parameters:"
            f" there is nothing to bring (see {there.outputs.report} on `{there.branch}`).\n"
            "  Bring the winner all the same: `--take winner`."
        )


# -- another trial -------------------------------------------------------------------------------


def _of_trial(there: CommittedStudy, winner: Parameters, choice: TrialChoice) -> Chosen:
    record, where = _record(there, winner)
    summary = summarise(record, with_effects=False)
    trial = chosen_by(summary, choice.trial, choice.selection)
    # The winner by another name must not be marked as adopted: later runs would leave it alone.
    if digest(dict(trial.params)) == winner.digest:
        return Chosen(winner, there.found)
    text = best_parameters(summary, Path(there.best).suffix, trial, is_adopted=True)
    return Chosen(parse(text, there.best), where)


def _record(there: CommittedStudy, winner: Parameters) -> tuple[StudyRecord, str]:
    """Return the trials that the winner is one of, and the place that they were read from."""
    problems = []
    # The ledger first: it holds earlier series, too, and a commit holds one only.
    for find in (_in_ledger, _in_commit):
        try:
            for record, where in find(there):
                if _holds(record, winner):
                    return record, where
                problems.append(f"{where}: it holds other trials")
        except TunesmithError as error:
            problems.append(str(error).splitlines()[0])
    listed = "\n  ".join(problems)
    raise UsageError(
        f"the trials of `{there.branch}` are not to be had here:\n  {listed}\n"
        "  Commit them with the study: `outputs: {history: outputs/history.jsonl}`."
    )


def _holds(record: StudyRecord, winner: Parameters) -> bool:
    number = winner.meta.get("trial")
    if not isinstance(number, int) or not 0 <= number < record.history.n_completed:
        return False
    return digest(dict(record.history[number].params)) == winner.meta.get("digest")


def _in_ledger(there: CommittedStudy) -> Iterator[tuple[StudyRecord, str]]:
    """The series of the study in this machine's ledger, the last one first."""
    location, name = there.definition.ledger, there.definition.file.study
    if isinstance(location, Path) and not location.is_file():
        raise UsageError("there is no ledger here")
    with Ledger.open(location, create=False) as ledger:
        last = ledger.load(name)
        yield last, "the ledger"
        # The committed winner may be of an earlier series than the last one on this machine.
        for generation in range(last.head.generation - 1, 0, -1):
            yield ledger.load(name, generation), "the ledger"


def _in_commit(there: CommittedStudy) -> Iterator[tuple[StudyRecord, str]]:
    yield trials_at(there)
