"""A sign of a leak, and its sentence."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Kind = Literal["disguise", "alone", "twins", "groups"]


@dataclass(frozen=True)
class Sign:
    """Something in a table that makes scores too good."""

    kind: Kind
    name: str = ""
    """Column that it is about; empty if it is about rows."""
    share: float = 0.0
    """Share of the error of guessing that the column takes away, or of the test rows."""

    @classmethod
    def of(cls, content: Any) -> "Sign | None":
        """Read a recorded sign; ``None`` if it is something else."""
        given = content if isinstance(content, dict) else {}
        name, share = given.get("name"), given.get("share")
        kind: Kind | None = next((k for k in get_args(Kind) if k == given.get("kind")), None)
        if kind is None or not isinstance(name, str):
            return None
        return cls(kind, name, float(share) if isinstance(share, int | float) else 0.0)

    @property
    def content(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    def text(self, markup: Callable[[str], str]) -> str:
        """Return the sentence, without a period.

        Args:
            markup: of a column's name.
        """
        name = markup(self.name)
        match self.kind:
            case "disguise":
                return (
                    f"{name} alone tells the target without a mistake: it may be the target in"
                    " disguise, or known only after it"
                )
            case "alone":
                return (
                    f"{name} alone takes away {self.share:.1%} of the error of guessing: see that"
                    " it is known before the target is"
                )
            case "twins":
                return (
                    f"{self.share:.0%} of the test rows are equal to a training row, target"
                    " included, so that learning by heart looks good: remove duplicates, or name"
                    " their origin under data.groups"
                )
        return (
            f"rows with the same {name} stand on both sides of the folds, and their targets are"
            " alike: name it under data.groups, or the scores tell nothing about new ones"
        )
