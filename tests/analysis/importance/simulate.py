"""Importance against known truths: ``python -m tests.analysis.importance.simulate --seeds 20``.

For each kind of study, the part of the stated intervals that hold the truth, the number of studies
that name a leading parameter, and the number of those that name the right one. With ``--before``
also for PED-ANOVA, whose shares are compared with the truth's, scaled to add up to 1, and whose
interval is twice its standard error.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.analysis.importance import pedanova
from tests.analysis.importance.situations import METRIC, SITUATIONS, Situation, Truth

from tunesmith.analysis.importance import importance
from tunesmith.history import History
from tunesmith.ledger.recorded_study import RecordedSpace


@dataclass
class Tally:
    """Counts of one kind of study."""

    held: list[bool] = field(default_factory=list)
    """Of each share of more than 1 % or less."""
    halves: list[float] = field(default_factory=list)
    leaders: list[bool] = field(default_factory=list)
    """Of each study that names a leader: is it the right one?"""
    studies: int = 0
    silent: int = 0

    def add(self, shares: Truth, errors: Truth, leader: str | None, truth: Truth) -> None:
        """Count one study; a parameter that is not mentioned counts as missed."""
        self.studies += 1
        if not shares:
            self.silent += 1
            return
        for name, share in truth.items():
            # Half a percent is how shares are printed.
            near = name in shares and abs(shares[name] - share) <= errors[name] + 0.005
            self.held.append(near)
            self.halves.append(errors.get(name, 1.0))
        if leader is not None:
            self.leaders.append(truth[leader] > max(truth.values()) - 1e-9)

    def row(self, name: str) -> str:
        """Return the counts as a line of a table."""
        held = f"{sum(self.held)}/{len(self.held)}"
        part = sum(self.held) / max(len(self.held), 1)
        width = sum(self.halves) / max(len(self.halves), 1)
        right = f"{sum(self.leaders)}/{len(self.leaders)}"
        return (
            f"| {name} | {self.studies} | {self.silent} | {held} | {part:.3f} | {width:.3f} |"
            f" {right} |"
        )

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.held + other.held,
            self.halves + other.halves,
            self.leaders + other.leaders,
            self.studies + other.studies,
            self.silent + other.silent,
        )


HEADER = (
    "| studies of this kind | studies | no claim | intervals that hold | part |"
    " mean ± | leader right |\n|---|---:|---:|---:|---:|---:|---:|"
)


def judged(situation: Situation, history: History, space: RecordedSpace) -> Tally:
    """Tally of one study."""
    found, tally = importance(history, space, METRIC), Tally()
    tally.add(dict(found.shares), found.errors, found.leader, situation.truth)
    return tally


def judged_before(situation: Situation, history: History, space: RecordedSpace) -> Tally:
    """Tally of one study by PED-ANOVA, which names a leader always."""
    shares, errors = pedanova.shares(list(history.successful), METRIC.name, space.is_log)
    total, tally = sum(situation.truth.values()), Tally()
    truth = {name: share / total for name, share in situation.truth.items()}
    twice = {name: 2 * error for name, error in errors.items()}
    tally.add(shares, twice, max(shares, key=shares.__getitem__, default=None), truth)
    return tally


def tallies(seeds: range, only: str = "", *, before: bool = False) -> Iterator[tuple[str, Tally]]:
    """Yield the tally of each kind of study."""
    for name, make in SITUATIONS.items():
        if only not in name:
            continue
        situation, tally = make(), Tally()
        for seed in seeds:
            space, history = situation.study(seed)
            recorded = RecordedSpace.of(space.to_json())
            tally += (judged_before if before else judged)(situation, history, recorded)
        yield name, tally


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--only", default="", help="part of the names of the kinds")
    parser.add_argument("--before", action="store_true", help="PED-ANOVA instead")
    asked = parser.parse_args()
    total = Tally()
    sys.stdout.write(f"{HEADER}\n")
    seeds = range(asked.first, asked.first + asked.seeds)
    for name, tally in tallies(seeds, asked.only, before=asked.before):
        sys.stdout.write(f"{tally.row(name)}\n")
        sys.stdout.flush()
        total += tally
    sys.stdout.write(f"{total.row('**all**')}\n")


if __name__ == "__main__":
    main()
