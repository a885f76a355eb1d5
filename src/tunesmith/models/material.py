"""Fold models and their answers: from the store if they are kept, else fitted again."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Protocol, runtime_checkable

from tunesmith.models.answers import FoldAnswers, answers_of
from tunesmith.models.store import ModelStore
from tunesmith.types import Params


@dataclass(frozen=True, eq=False)
class FoldRows:
    """The test rows of a fold."""

    X: Any
    y: Any
    numbers: Any
    """``(n_rows,)`` places of the rows among those of the study, from 0."""


@runtime_checkable
class ModelSource(Protocol):
    """An objective whose folds give models."""

    @property
    def n_folds(self) -> int:
        """Number of folds."""

    def key(self, params: Params, fold: int) -> str:
        """Digest of everything that a fold model depends on."""

    def unfitted(self, params: Params) -> Any:
        """Build the estimator with these params."""

    def fold_model(self, params: Params, fold: int) -> Any:
        """Fit the estimator on the training rows of a fold, as the search does."""

    def test_rows(self, fold: int) -> FoldRows:
        """Return the test rows of a fold."""

    def fold_score(self, model: Any, fold: int) -> float:
        """Score a fitted estimator on the test rows of a fold, by the metric that decides."""


@dataclass(eq=False)
class Material:
    """Fold models of a study.

    Args:
        source: of fits.
        store: models that the search has kept.
    """

    source: ModelSource
    store: ModelStore | None = None
    _: KW_ONLY
    n_fits: int = 0
    """Fits made here."""
    n_kept: int = 0
    """Models that were taken from the store."""
    _answers: dict[str, FoldAnswers] = field(default_factory=dict, repr=False)
    _models: dict[str, Any] = field(default_factory=dict, repr=False)
    _rows: dict[int, FoldRows] = field(default_factory=dict, repr=False)

    @property
    def folds(self) -> range:
        """Numbers of the folds."""
        return range(self.source.n_folds)

    def has(self, params: Params) -> bool:
        """True if the models of all folds are kept, so that none is fitted."""
        if self.store is None:
            return False
        return all(self.store.has(self.source.key(params, fold)) for fold in self.folds)

    def rows(self, fold: int) -> FoldRows:
        """Return the test rows of a fold."""
        # Cut once: every trial is asked about the same rows.
        if fold not in self._rows:
            self._rows[fold] = self.source.test_rows(fold)
        return self._rows[fold]

    def answers(self, params: Params) -> list[FoldAnswers]:
        """Return the answers of the fold models, each for the test rows of its fold."""
        return [self.answers_on(params, fold) for fold in self.folds]

    def models(self, params: Params) -> list[Any]:
        """Return the fold models."""
        return [self._model_of(params, fold) for fold in self.folds]

    def has_answers(self, params: Params, fold: int) -> bool:
        """True if a file says to hold a model's answers, so that it is not fitted."""
        return self.store is not None and self.store.has(self.source.key(params, fold))

    def has_kept_answers(self, params: Params, fold: int) -> bool:
        """True if a model's answers are kept in a file that may be opened."""
        if not self.has_answers(params, fold) or self.store is None:
            return False
        return self.store.answers(self.source.key(params, fold)) is not None

    def answers_on(self, params: Params, fold: int) -> FoldAnswers:
        """Return a fold model's answers for the test rows of its fold."""
        key = self.source.key(params, fold)
        if key not in self._answers:
            # A model that was fitted here is the one that will be used: its own answers count.
            kept = None if self.store is None or key in self._models else self.store.answers(key)
            self._answers[key] = kept or answers_of(self._model_of(params, fold), self.rows(fold).X)
        return self._answers[key]

    def _model_of(self, params: Params, fold: int) -> Any:
        key = self.source.key(params, fold)
        if key not in self._models:
            kept: Mapping[str, Any] = {} if self.store is None else self.store.models(key)
            # The file may have been removed, or changed, since its head was read.
            if key in kept:
                self.n_kept += 1
                self._models[key] = kept[key]
            else:
                self._models[key] = self.source.fold_model(params, fold)
                self.n_fits += 1
        return self._models[key]

    def forget(self) -> None:
        """Drop the models that are in memory, but not their answers."""
        self._models.clear()

    def release(self, params: Params, fold: int) -> None:
        """Drop what is in memory of one fold model; another request reads or fits it again."""
        key = self.source.key(params, fold)
        self._models.pop(key, None)
        self._answers.pop(key, None)
        self._rows.pop(fold, None)
