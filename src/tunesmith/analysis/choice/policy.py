"""Settings of a configuration that decide which trial is chosen, and if it is adopted."""

from dataclasses import dataclass, field

from tunesmith.analysis.choice.preference import Preference
from tunesmith.config.model import File
from tunesmith.ledger.recorded_study import RecordedConfirm, RecordedStudy, Selection


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Settings of the configuration that decide the choice."""

    selection: Selection = "best"
    has_gate: bool = False
    min_improvement: float = 0.0
    keeps: bool = False
    """True if the best-parameters file stays as it is unless the verdict is to adopt."""
    within: float | str | None = None
    """Largest loss that `simplest` and `fastest` accept; ``None`` for the usual margin."""
    preference: Preference = field(default_factory=Preference)
    """Trade-off between several metrics."""
    confirm: RecordedConfirm | None = None
    """Limits of the evaluations on further splits; ``None`` if those count for nothing."""

    @classmethod
    def of(cls, file: File | RecordedStudy) -> "Policy":
        """Take the policy from a configuration, present or recorded."""
        gate, preference = file.gate, Preference.of(file.preference)
        given = file.confirm or RecordedConfirm()
        limits = None if given == "off" else RecordedConfirm(given.fits, given.within)
        if isinstance(file, File):
            rule, within = file.selection.rule, file.selection.within
        else:
            rule, within = file.selection, file.within
        if gate is None:
            return cls(selection=rule, within=within, preference=preference, confirm=limits)
        return cls(
            selection=rule,
            has_gate=True,
            min_improvement=gate.min_improvement,
            keeps=gate.keep,
            within=within,
            preference=preference,
            confirm=limits,
        )

    @property
    def is_usual(self) -> bool:
        """True if the best mean score wins: of the first metric, and of further ones for equals."""
        return self.selection == "best" and self.preference.rule == "lexicographic"
