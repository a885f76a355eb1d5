"""Histories that people have merged: every good line counts, and two of them become one.

A conflict leaves two histories in one text, with markers between them; editors and mails tear or
double lines. A trial's line is good by itself: its evaluations count wherever it stands. Where
lines are missing, the trials behind the gap have no place in the list any more until a run asks for
them again, and finds their evaluations.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pydantic import ValidationError

from tunesmith.history import TrialLog
from tunesmith.ledger.portable import (
    KIND,
    HistoryError,
    HoldoutLine,
    RunLine,
    Section,
    TrialLine,
    first_error,
    json_object,
    read_history,
)
from tunesmith.ledger.records import StudyRecord

OURS, BASE, THEIRS, END = "<<<<<<<", "|||||||", "=======", ">>>>>>>"
Content: TypeAlias = dict[str, Any]
Line: TypeAlias = tuple[int, str]
"""Its number in the text, from 1, and what stands in it."""


@dataclass
class Series:
    """The lines of one series of trials, from wherever they come."""

    head: Content
    head_text: str
    run_text: str = ""
    run: Content | None = None
    trials: dict[int, tuple[str, Content]] = field(default_factory=dict)
    """By number."""
    holdouts: dict[int, tuple[str, Content]] = field(default_factory=dict)
    others: list[tuple[str, Content]] = field(default_factory=list)
    """Trials with the number of another one."""

    @property
    def mark(self) -> tuple[str, str]:
        """What tells it from other series."""
        return self.head["study"], self.head["identity"]

    def take(self, text: str, content: Content) -> None:
        """Take in a line that is good by itself."""
        if "trial" in content:
            if self.trials.setdefault(content["trial"], (text, content))[0] != text:
                self.others.append((text, content))
        elif "holdout" in content:
            self.holdouts.setdefault(content["holdout"], (text, content))
        elif self.run is None:
            self.run_text, self.run = text, content

    def has(self, text: str, content: Content) -> bool:
        """Whether it has this very trial."""
        there = self.trials.get(content.get("trial", -1))
        return there is not None and there[0] == text

    def unite(self, other: "Series") -> None:
        """Take in what another text has of the same series."""
        if other.run is not None:
            self.take(other.run_text, other.run)
        lines = [*other.trials.values(), *other.others, *other.holdouts.values()]
        for text, content in lines:
            if (text, content) not in self.others:
                self.take(text, content)

    def lines(self) -> Iterator[str]:
        """Its text, in order; trials that share a number with others as a series of their own."""
        yield self.head_text
        if self.run_text:
            yield self.run_text
        yield from (text for _, (text, _) in sorted(self.trials.items()))
        yield from (text for _, (text, _) in sorted(self.holdouts.items()))
        if self.others:
            yield self.head_text
            yield from (text for text, _ in self.others)

    def records(self) -> Iterator[StudyRecord]:
        """The series up to the first gap; then, as if it were another one, all that has no place.

        Of the latter only the evaluations mean something.
        """
        told, n = [], 0
        while n in self.trials:
            told.append(self.trials[n][1])
            n += 1
        listed = [content for _, content in self.holdouts.values() if content["holdout"] < n]
        yield self._record([*told, *listed])
        loose = [content for number, (_, content) in self.trials.items() if number >= n]
        loose += [content for _, content in self.others]
        if loose:
            yield self._record([{**c, "trial": place} for place, c in enumerate(loose)])

    def _record(self, contents: Iterable[Content]) -> StudyRecord:
        section = Section.of(self.head)
        for content in ([] if self.run is None else [self.run]) + list(contents):
            section.add(content)
        return section.record()


@dataclass(frozen=True)
class Gathered:
    """What a text holds."""

    series: Sequence[Series]
    left_out: Mapping[int, str]
    """Number of a line -> why it says nothing."""

    @property
    def records(self) -> list[StudyRecord]:
        """Of every series; see ``Series.records``."""
        return [record for series in self.series for record in series.records()]


def histories(text: str) -> tuple[list[StudyRecord], Mapping[int, str]]:
    """The series of a history, merged or not, and the lines that had to be left out.

    Returns:
        Records, and the number of a line -> why it says nothing.
    """
    try:
        found = list(read_history(text).values())
    except HistoryError:
        found = []
    if found and len(found) == text.count(f'"kind": "{KIND}"'):
        return found, {}
    gathered = gather(text)
    return gathered.records, gathered.left_out


def gather(text: str) -> Gathered:
    """Take every good line of a history, merged or not."""
    left_out: dict[int, str] = {}
    found: dict[tuple[str, str], Series] = {}
    for side in _sides(text, left_out):
        for series in _series(side, left_out):
            if series.mark in found:
                found[series.mark].unite(series)
            else:
                found[series.mark] = series
    return Gathered(list(found.values()), dict(sorted(left_out.items())))


def merge(ours: str, theirs: str) -> str:
    """One history from two: every line that either has, once.

    Raises:
        HistoryError: a line of one of them says nothing.
    """
    for text, whose in ((ours, "ours"), (theirs, "theirs")):
        for number, why in gather(text).left_out.items():
            raise HistoryError(f"{whose}, line {number}: {why}")
    both = gather("\n".join([ours, theirs]))
    return "".join(f"{line}\n" for series in both.series for line in series.lines())


def _sides(text: str, left_out: dict[int, str]) -> Iterator[list[Line]]:
    """The text; of one with conflicts, what each side has of it."""
    sides: tuple[list[Line], list[Line]] = [], []
    now = ""
    for number, line in enumerate(text.split("\n"), 1):
        marker = line[: len(OURS)] if line[: len(OURS)] in (OURS, BASE, THEIRS, END) else ""
        if marker:
            now = "" if marker == END else marker
            left_out[number] = "a conflict marker of Git"
        elif line.strip() and now != BASE:
            for side, other in zip(sides, (THEIRS, OURS), strict=True):
                if now != other:
                    side.append((number, line))
    yield from sides[:1] if sides[0] == sides[1] else sides


def _series(lines: Sequence[Line], left_out: dict[int, str]) -> Iterator[Series]:
    series: Series | None = None
    for number, line in lines:
        try:
            content = json_object(line)
            if "kind" in content:
                if series is not None:
                    yield series
                series = None
                empty = Section.of(content)
                series = Series(content, line)
                continue
            _check(content)
            if series is None:
                raise HistoryError("the line that says which study it is of is missing")
            Section(empty.head, TrialLog(empty.log.objectives)).add(
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
    """Whether a line is good by itself.

    Raises:
        ValidationError: it is not.
    """
    if "trial" in content:
        TrialLine.model_validate(content)
    elif "holdout" in content:
        HoldoutLine.model_validate(content)
    else:
        RunLine.model_validate(content)
