"""Models and out-of-fold predictions of a study that has ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tunesmith.analysis.chosen import chosen_trial
from tunesmith.errors import NoResultError, UsageError
from tunesmith.history import HOLDOUT, Trial, shortfall
from tunesmith.ledger.records import StudyRecord
from tunesmith.models.build import (
    Built,
    Member,
    RankedTrial,
    average_of,
    candidates_for,
    cost_of,
    ensemble_of,
)
from tunesmith.models.material import Material, ModelSource
from tunesmith.models.predictions import predictions_of
from tunesmith.models.store import ModelStore
from tunesmith.types import Params

if TYPE_CHECKING:
    import pandas as pd

DEFAULTS = ("current", "defaults")
"""Origins of the trial that a model has to beat."""


@dataclass(frozen=True)
class StudyModels:
    """Makes models of the trials of a study.

    Args:
        objective: of the study, over the same rows.
        record: of the study.
        store: fold models that the search has kept.

    Raises:
        UsageError: the objective gives no models, as a program or a function does not.
    """

    objective: Any
    record: StudyRecord
    store: ModelStore | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.objective, ModelSource):
            raise UsageError(
                "what was tuned gives no models here: a program or a function keeps its own."
                " `best_params` has the parameters to use."
            )

    def build(self, kind: str) -> Built:
        """Build a model.

        Args:
            kind: ``best`` fits the winner on all rows, ``average`` takes the mean of its fold
                models, ``ensemble`` is a greedy ensemble over the best trials.

        Raises:
            NoResultError: no trial has a score on every fold.
            UsageError: the answers cannot be averaged.
        """
        winner = self.winner
        material = Material(self.objective, self.store)
        # Every model is shown beside this one, which a reviewer would have otherwise.
        single = self.objective.best_estimator(winner.params)
        if kind == "best":
            members = (Member(winner.number, winner.params, 1.0),)
            built = Built(kind=kind, model=single, members=members, n_fits=1, n_kept=0)
        elif kind == "average":
            built = average_of(material, RankedTrial(winner.number, winner.params))
        else:
            built = self._ensemble(material, winner)
        return self._measured(built, single)

    def _ensemble(self, material: Material, winner: Trial) -> Built:
        ranked = self.ranked
        default = self._default(ranked)
        wanted = [winner.number, *([] if default is None else [default])]
        sign = self.record.objectives[0].sign
        candidates = candidates_for(material, ranked, always_in=wanted)
        return ensemble_of(material, candidates, sign=sign, default=default)

    def _measured(self, built: Built, single: Any) -> Built:
        rows = self.objective.test_rows(0).X
        both = replace(built, cost=cost_of(built.model, rows), single_cost=cost_of(single, rows))
        # These rows took no part in any choice, so that they flatter none of the two.
        if not self.objective.has_holdout:
            return both
        return replace(
            both,
            holdout=self.objective.fold_score(built.model, HOLDOUT),
            single_holdout=self.objective.fold_score(single, HOLDOUT),
        )

    def predictions(self, n_trials: int = 1) -> "pd.DataFrame":
        """Return the out-of-fold predictions of the winner, and of the next best trials.

        Args:
            n_trials: 1 for the winner alone.

        Raises:
            NoResultError: no trial has a score on every fold.
        """
        trials = best_trials(self.record, self.objective, n_trials)
        material = Material(self.objective, self.store)
        return predictions_of(material, trials, beside_of(self.objective))

    # -- trials ------------------------------------------------------------------------------

    @property
    def winner(self) -> Trial:
        """The trial that the configuration chooses.

        Raises:
            NoResultError: there is none.
        """
        return winner_of(self.record)

    @property
    def ranked(self) -> list[RankedTrial]:
        """Complete trials that meet all constraints, the best first, each point once."""
        return ranked_trials(self.record, self.objective)

    def _default(self, ranked: list[RankedTrial]) -> int | None:
        numbers = {one.number for one in ranked}
        origins = {
            trial.origin: trial.number
            for trial in reversed(list(self.record.history.completed))
            if trial.number in numbers
        }
        return next((origins[name] for name in DEFAULTS if name in origins), None)


def winner_of(record: StudyRecord) -> Trial:
    """Return the trial that the configuration chooses.

    Raises:
        NoResultError: there is none.
    """
    chosen = chosen_trial(record.history, record.recorded, record.metrics)
    if chosen is None:
        raise NoResultError(
            f"study `{record.head.name}` has no trial with a score on every fold, so that there"
            " is no model."
        )
    return chosen


def ranked_trials(record: StudyRecord, objective: Any) -> list[RankedTrial]:
    """Return the complete trials that meet all constraints, the best first, each point once.

    Args:
        record: of the study.
        objective: of the study; it tells which points are the same.
    """
    history, metric = record.history, record.objectives[0]
    complete = [trial for trial in history.successful if not shortfall(trial, history.subject_to)]
    complete.sort(key=lambda trial: (-metric.sign * trial.mean(metric.name), trial.number))
    by_key: dict[str, RankedTrial] = {}
    for trial in complete:
        key = objective.key(trial.params, 0)
        # A point may have been tried twice; an ensemble would count it double.
        by_key.setdefault(key, RankedTrial(trial.number, trial.params))
    return list(by_key.values())


def best_trials(record: StudyRecord, objective: Any, n_trials: int) -> dict[int, Params]:
    """Return the params of the winner and of the next best trials, by number.

    Args:
        record: of the study.
        objective: of the study.
        n_trials: 1 for the winner alone.

    Raises:
        NoResultError: there is no winner.
    """
    winner = winner_of(record)
    first = objective.key(winner.params, 0)
    others = [
        one for one in ranked_trials(record, objective) if objective.key(one.params, 0) != first
    ]
    # A rule such as `one_se` may choose a trial that is not the first of the ranking.
    chosen = [RankedTrial(winner.number, winner.params), *others][:n_trials]
    return {one.number: one.params for one in chosen}


def beside_of(objective: Any, columns: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return columns of the data, with a value for every row of the study.

    Args:
        objective: over a table.
        columns: their names, beside the place of each row in the files.
    """
    rows = getattr(getattr(objective, "table", None), "rows", None)
    numbers = getattr(rows, "numbers", None)
    beside = {} if numbers is None else {"file_row": numbers}
    return beside | {name: _column(objective, name) for name in columns}


def frames_of(objective: Any) -> "list[pd.DataFrame]":
    """Return the tables with a row for every row of the study; none if it has no names of columns.

    Args:
        objective: over a table, or over rows in memory.
    """
    rows = getattr(getattr(objective, "table", None), "rows", objective)
    frames = [rows.X, getattr(rows, "left_out", None)]
    return [frame for frame in map(_pandas, frames) if frame is not None]


def _pandas(rows: Any) -> Any:
    """Return rows as a table of pandas; ``None`` if they have no names."""
    # Frames of other libraries, polars above all.
    made = rows.to_pandas() if hasattr(rows, "to_pandas") else rows
    return made if hasattr(made, "columns") and hasattr(made, "iloc") else None


def _column(objective: Any, name: str) -> Any:
    column = next(frame[name] for frame in frames_of(objective) if name in frame.columns)
    # A fold may lack some categories, and all folds are in one file.
    return column.astype(object if column.dtype == "category" else column.dtype)
