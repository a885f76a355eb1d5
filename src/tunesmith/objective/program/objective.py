"""The objective of training programs: each evaluation is a run of a command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tunesmith.history import FURTHER, HOLDOUT, FoldResult, Metric
from tunesmith.objective.program.folds import ProgramFold
from tunesmith.objective.program.further import FurtherFolds
from tunesmith.objective.program.observing.reading import changed_names
from tunesmith.objective.program.runner import Evaluation, Runner
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest
from tunesmith.types import Fit, Params, Value

NO_FURTHER = "the program has no table with one seed a fold, which could be split anew"
EVALUATION = 2
"""Version of the scores: raised when a change to this package changes them; part of every key."""


@dataclass(eq=False, kw_only=True)
class ProgramObjective:
    """Scores params by running a program on folds, with seeds, or just once."""

    runner: Runner
    folds: Mapping[int, ProgramFold]
    metrics: tuple[Metric, ...]
    objectives: tuple[Metric, ...]
    context: Mapping[str, str]
    fixed: Params
    """Parameters that the program gets besides the trial's params."""
    default_params: Params
    notes: tuple[str, ...] = ()
    further: FurtherFolds | None = None
    """Folds beyond those of the search; ``None`` if they cannot be made."""

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_fold_digests"}

    @property
    def n_folds(self) -> int:
        """Number of runs per trial."""
        return len(self.folds) - self.has_holdout

    @property
    def has_holdout(self) -> bool:
        """True if rows are held out."""
        return HOLDOUT in self.folds

    def defaults(self) -> Params:
        """Values in the program's parameter file."""
        return self.default_params

    def key(self, params: Params, fold: int) -> str:
        """Digest of everything that the scores of one run depend on."""
        if fold <= FURTHER and self.further is not None:
            of_fold = self._fold_digest(False, self.further.seed, self.further.digest(fold))
        else:
            of_fold = self._fold_digests[fold]
        return digest([of_fold, canonical_json(dict(params))])

    @property
    def n_repeat(self) -> int:
        """Number of folds of a repeat of further splits."""
        return self.n_folds if self.further is None else self.further.n_folds

    @property
    def no_further(self) -> str:
        """Reason why the rows cannot be split anew; empty if they can."""
        return NO_FURTHER if self.further is None else self.further.blocker

    @property
    def n_further(self) -> int:
        """Number of repeats of further splits that can be made."""
        return 0 if self.further is None else self.further.splits.n_repeats

    @cached_property
    def _fold_digests(self) -> dict[int, str]:
        return {
            number: self._fold_digest(number == HOLDOUT, fold.seed, fold.digest)
            for number, fold in self.folds.items()
        }

    def _fold_digest(self, is_held_out: bool, seed: int, rows: str) -> str:
        return digest([dict(self.context), is_held_out, seed, rows])

    def changed(self, reading: Mapping[str, str] | None) -> list[str]:
        """Files of a reading that have changed; a result without a reading is not valid."""
        return changed_names(self.runner.watching.view, reading)

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Put each candidate alone: a program's work cannot be shared."""
        return [(index,) for index in range(len(candidates))]

    def submodel_candidates(self, params: Params, space: SearchSpace) -> list[Params]:  # noqa: ARG002
        """Return the params only."""
        return [params]

    def drop_artifacts(self, keys: Sequence[str]) -> None:
        """Remove the artifacts of a trial's runs, but not their logs."""
        for key in keys:
            self.runner.drop_artifacts(key)

    def drop_predictions(self, keys: Sequence[str]) -> None:
        """Remove the predictions of a trial's runs, but not their logs."""
        for key in keys:
            self.runner.drop_predictions(key)

    def evaluate(self, fit: Fit) -> list[FoldResult]:
        """Run the program for each candidate; any failure in it becomes a result."""
        return [self._run(params, fit) for params in fit.candidates]

    def _run(self, params: Params, fit: Fit) -> FoldResult:
        whole = self.whole(params)
        # Without the fixed parameters, which are part of the context.
        key = self.key(params, fit.fold)
        rows = self.rows(fit.fold)
        return self.runner.evaluate(Evaluation(key, fit.fold, whole, rows, fit.thresholds))

    def whole(self, params: Params) -> dict[str, Value]:
        """Return all parameters that the program gets: fixed ones, too."""
        return {**self.fixed, **params}

    def rows(self, fold: int) -> ProgramFold:
        """Return data and seed of a fold; the files of a further split are written if missing."""
        if fold <= FURTHER and self.further is not None:
            return self.further[fold]
        return self.folds[fold]
