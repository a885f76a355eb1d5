"""The winner of a study, without a summary if no other trial has a say in the choice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tunesmith.analysis.choice.policy import Policy
from tunesmith.analysis.choice.preference import Preference
from tunesmith.analysis.outcomes import Outcomes
from tunesmith.analysis.ranking import Ranked, as_ranked
from tunesmith.history import Metric, Trial
from tunesmith.ledger.records import StudyRecord

if TYPE_CHECKING:
    from tunesmith.analysis.nested import Nested
    from tunesmith.analysis.score_table import ReferenceComparison
    from tunesmith.analysis.summary import Summary


@dataclass(frozen=True, kw_only=True)
class Winner:
    """The best trial of a study in which the best mean score wins; fields as in ``Summary``."""

    study: str
    metrics: tuple[Metric, ...]
    objectives: tuple[Metric, ...]
    chosen: Ranked | None
    holdout: Mapping[str, float] | None
    n_folds: int
    selection: str = "best"
    preference: Preference = field(default_factory=Preference)
    front: tuple[Trial, ...] = ()
    """The Pareto front if there are several objectives, else empty; in number order."""
    comparisons: "tuple[ReferenceComparison, ...]" = ()
    outcomes: Outcomes = field(default_factory=Outcomes)
    nested: "Nested | None" = None

    @property
    def metric(self) -> Metric:
        """The first objective, which ranks."""
        return self.objectives[0]


def winner_of(record: StudyRecord) -> "Winner | Summary":
    """Return the winner; a summary without effects if other trials have a say in the choice.

    Args:
        record: of the study.
    """
    policy, history = Policy.of(record.recorded), record.history
    is_single = len(record.objectives) == 1
    is_plain = is_single or policy.preference.rule == "lexicographic"
    if not is_plain or policy.selection != "best" or history.subject_to:
        # Statistics take longer to import than most commands to answer.
        from tunesmith.analysis.summary import summarise

        return summarise(record, with_effects=False)
    best = history.best()
    holdout = None if best is None else record.holdout.get(best.number)
    return Winner(
        study=record.head.name,
        metrics=record.metrics,
        objectives=record.objectives,
        chosen=None if best is None else as_ranked(best, 1, record.metrics),
        holdout=None if holdout is None else holdout.scores,
        n_folds=history.most_folds,
        preference=policy.preference,
        front=() if is_single else tuple(history.front()),
    )
