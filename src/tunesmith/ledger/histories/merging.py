"""Merging of two histories into one: every valid line counts.

A conflict leaves two histories in one text, with markers between them; editors and mails tear or
repeat lines. Each line of a trial is valid by itself: its evaluations count at any place. If lines
are missing, the trials after the gap are not part of the series until a run asks for them again and
finds their evaluations.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeAlias

from pydantic import ValidationError

from tunesmith.ledger.histories.portable import (
    KIND,
    FurtherLine,
    HistoryError,
    HoldoutLine,
    NoteLine,
    RunLine,
    StudyLines,
    TrialLine,
    first_error,
    json_object,
    read_history,
)
from tunesmith.ledger.records import StudyRecord

OURS, BASE, THEIRS, END = "<<<<<<<", "|||||||", "=======", ">>>>>>>"
Content: TypeAlias = dict[str, Any]
Line: TypeAlias = tuple[int, str]
"""(number of the line in the text, from 1; its content)"""


@dataclass
class Series:
    """Lines of one series of trials, from any text."""

    head: Content
    head_text: str
    _: KW_ONLY
    run_text: str = ""
    run: Content | None = None
    trials: dict[int, tuple[str, Content]] = field(default_factory=dict)
    """Trials by number."""
    holdouts: dict[int, tuple[str, Content]] = field(default_factory=dict)
    further: dict[int, tuple[str, Content]] = field(default_factory=dict)
    """Results on further splits by trial number, the longest list that either side has."""
    notes: dict[str, Content] = field(default_factory=dict)
    """Every note of either side, by its line."""
    others: list[tuple[str, Content]] = field(default_factory=list)
    """Trials that have the number of another one."""

    @property
    def mark(self) -> tuple[str, str]:
        """Identity of the series."""
        return self.head["study"], self.head["identity"]

    def take(self, text: str, content: Content) -> None:
        """Add a line that is valid by itself."""
        if "trial" in content:
            if self.trials.setdefault(content["trial"], (text, content))[0] != text:
                self.others.append((text, content))
        elif "holdout" in content:
            self.holdouts.setdefault(content["holdout"], (text, content))
        elif "further" in content:
            known = self.further.get(content["further"])
            if known is None or len(known[1]["folds"]) < len(content["folds"]):
                self.further[content["further"]] = text, content
        elif "note" in content:
            self.notes.setdefault(text, content)
        elif self.run is None:
            self.run_text, self.run = text, content

    def has(self, text: str, content: Content) -> bool:
        """True if it contains this very trial."""
        there = self.trials.get(content.get("trial", -1))
        return there is not None and there[0] == text

    def unite(self, other: "Series") -> None:
        """Add the lines of the same series in another text."""
        if other.run is not None:
            self.take(other.run_text, other.run)
        apart = [*other.holdouts.values(), *other.further.values(), *other.notes.items()]
        for text, content in [*other.trials.values(), *other.others, *apart]:
            # A repeat of a doubled trial says nothing new.
            if (text, content) not in self.others:
                self.take(text, content)

    def lines(self) -> Iterator[str]:
        """Lines of its text, in order; trials with a number of others form their own series."""
        yield self.head_text
        if self.run_text:
            yield self.run_text
        yield from (text for _, (text, _) in sorted(self.trials.items()))
        yield from (text for _, (text, _) in sorted(self.holdouts.items()))
        yield from (text for _, (text, _) in sorted(self.further.items()))
        # In the order in which they were written; sorting keeps it.
        yield from sorted(self.notes, key=lambda text: int(self.notes[text]["note"]))
        if self.others:
            yield self.head_text
            yield from (text for text, _ in self.others)

    def records(self) -> Iterator[StudyRecord]:
        """Return the series up to the first gap, then all other trials as a series of their own.

        Only the evaluations of the latter are meaningful.
        """
        completed, n = [], 0
        while n in self.trials:
            completed.append(self.trials[n][1])
            n += 1
        listed = [content for _, content in self.holdouts.values() if content["holdout"] < n]
        listed += [content for _, content in self.further.values() if content["further"] < n]
        listed += [content for content in self.notes.values() if content["note"] < n]
        yield self._record([*completed, *listed])
        loose = [content for number, (_, content) in self.trials.items() if number >= n]
        loose += [content for _, content in self.others]
        if loose:
            yield self._record([{**c, "trial": place} for place, c in enumerate(loose)])

    def _record(self, contents: Iterable[Content]) -> StudyRecord:
        section = StudyLines.of(self.head)
        for content in ([] if self.run is None else [self.run]) + list(contents):
            section.add(content)
        return section.record()


@dataclass(frozen=True)
class Gathered:
    """Content of a text."""

    series: Sequence[Series]
    left_out: Mapping[int, str]
    """Number of a line -> reason why it is not valid."""

    @property
    def records(self) -> list[StudyRecord]:
        """Records of every series; see ``Series.records``."""
        return [record for series in self.series for record in series.records()]


def histories(text: str) -> tuple[list[StudyRecord], Mapping[int, str]]:
    """Read the series of a history, merged or not, and the lines that are left out.

    Returns:
        Records, and the number of a line -> reason why it is not valid.
    """
    # The usual case: a history without a conflict is read strictly.
    try:
        records = list(read_history(text).values())
    except HistoryError:
        records = []
    # Each series has a head line, so fewer studies than heads means that one was there twice.
    if records and len(records) == text.count(f'"kind": "{KIND}"'):
        return records, {}
    gathered = gather(text)
    return gathered.records, gathered.left_out


def gather(text: str) -> Gathered:
    """Collect every valid line of a history, merged or not."""
    left_out: dict[int, str] = {}
    by_mark: dict[tuple[str, str], Series] = {}
    for side in _sides(text, left_out):
        for series in _series(_headed(side), left_out):
            if series.mark in by_mark:
                by_mark[series.mark].unite(series)
            else:
                by_mark[series.mark] = series
    return Gathered(list(by_mark.values()), dict(sorted(left_out.items())))


def merge(ours: str, theirs: str) -> str:
    """Merge two histories into one: every line of either, once.

    Raises:
        HistoryError: a line of one of them is not valid.
    """
    for text, whose in ((ours, "ours"), (theirs, "theirs")):
        for number, why in gather(text).left_out.items():
            raise HistoryError(f"{whose}, line {number}: {why}")
    both = gather("\n".join([ours, theirs]))
    return "".join(f"{line}\n" for series in both.series for line in series.lines())


def _sides(text: str, left_out: dict[int, str]) -> Iterator[list[Line]]:
    """Split a text with conflicts into its sides; any other text is its only side."""
    sides: tuple[list[Line], list[Line]] = [], []
    now = ""
    # The same division into lines as in `read_history`, so that both name the same numbers.
    for number, line in enumerate(text.split("\n"), 1):
        marker = line[: len(OURS)] if line[: len(OURS)] in (OURS, BASE, THEIRS, END) else ""
        if marker:
            now = "" if marker == END else marker
            left_out[number] = "a conflict marker of Git"
        elif line.strip() and now != BASE:
            # Lines outside of conflicts belong to both sides.
            for side, other in zip(sides, (THEIRS, OURS), strict=True):
                if now != other:
                    side.append((number, line))
    yield from sides[:1] if sides[0] == sides[1] else sides


def _headed(lines: Sequence[Line]) -> list[Line]:
    """Lines with the first head line of a study moved to their beginning."""
    # Sorted or moved lines of one study are still its own.
    heads = [line for line in lines if f'"kind": "{KIND}"' in line[1]]
    if len(heads) != 1 or heads[0] is lines[0]:
        return list(lines)
    return [heads[0], *(line for line in lines if line is not heads[0])]


def _series(lines: Sequence[Line], left_out: dict[int, str]) -> Iterator[Series]:
    series: Series | None = None
    for number, line in lines:
        try:
            content = json_object(line)
            if "kind" in content:
                if series is not None:
                    yield series
                series = None
                empty = StudyLines.of(content)
                series = Series(content, line)
                continue
            _check(content)
            if series is None:
                raise HistoryError("the line that says which study it is of is missing")
            # A trial is checked as if it were the first one, since its number decides nothing here.
            StudyLines(empty.head, empty.log.emptied()).add(
                {**content, "trial": 0} if "trial" in content else content
            )
            if series.has(line, content):
                raise HistoryError("it stands there twice")
            series.take(line, content)
        except ValidationError as error:
            left_out[number] = first_error(error)
        except (ValueError, HistoryError, RecursionError) as error:
            left_out[number] = _plain(error)
    if series is not None:
        yield series


def _plain(error: Exception) -> str:
    return str(error) if isinstance(error, HistoryError) else f"no whole JSON ({error})"


def _check(content: Content) -> None:
    """Check that a line is valid by itself.

    Raises:
        ValidationError: it is not valid.
    """
    if "trial" in content:
        TrialLine.model_validate(content)
    elif "holdout" in content:
        HoldoutLine.model_validate(content)
    elif "further" in content:
        FurtherLine.model_validate(content)
    elif "note" in content:
        NoteLine.model_validate(content)
    else:
        RunLine.model_validate(content)
