"""What a hunt has seen, by family, and the table of it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hunts.compare import Verdict
from hunts.draw import CONFIGURED, SHARED


@dataclass
class Figures:
    """Counts of one stratum, by family."""

    stratum: str
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        """Count a case.

        Of cases in which something is to be shared, those in which nothing was count as drawn
        only, unless they differ.
        """
        count = self.counts.setdefault(verdict.case.family, Counter())
        is_counted = verdict.n_shared > 0 or self.stratum != SHARED or bool(verdict.difference)
        count["drawn"] += 1
        count["cases"] += is_counted
        count["shared"] += verdict.n_shared > 0
        count["scores"] += verdict.n_shared
        count["failing"] += bool(verdict.expected.error) and is_counted
        count["differing"] += bool(verdict.difference)

    @property
    def n_cases(self) -> int:
        """Cases that count."""
        return self.total["cases"]

    @property
    def total(self) -> Counter[str]:
        """All families together."""
        return sum(self.counts.values(), Counter())

    def merged(self, other: "Figures") -> "Figures":
        """Both together."""
        families = {**self.counts, **other.counts}
        empty: Counter[str] = Counter()
        found = {
            name: self.counts.get(name, empty) + other.counts.get(name, empty) for name in families
        }
        return Figures(self.stratum, found)

    def save(self, path: Path) -> None:
        """Write the counts as JSON."""
        path.write_text(json.dumps({"stratum": self.stratum, "counts": self.counts}, indent=1))

    @classmethod
    def load(cls, path: Path) -> "Figures":
        """Read what ``save`` wrote."""
        data: Mapping[str, Any] = json.loads(path.read_text())
        counts = {name: Counter(count) for name, count in data["counts"].items()}
        return cls(data["stratum"], counts)

    def markdown(self) -> str:
        """The table."""
        rows = [*sorted(self.counts.items()), ("**all**", self.total)]
        lines = [
            "| family | cases | with shared fits | scores from shared fits | differing |",
            "|---|--:|--:|--:|--:|",
        ]
        for name, count in rows:
            cells = (f"{count[key]:,}" for key in ("cases", "shared", "scores", "differing"))
            lines.append(f"| {name} | {' | '.join(cells)} |")
        return "\n".join(lines)


def tables(found: Iterable[Figures]) -> str:
    """The tables of all strata, with titles."""
    titles = {SHARED: "Something is shared", CONFIGURED: "As configurations"}
    return "\n\n".join(
        f"{titles.get(one.stratum, 'Any case')}\n\n{one.markdown()}" for one in found
    )
