"""Keeper of fold models during a search: takes the models of a fit, and stores the best of them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from tunesmith.history import FoldResult
from tunesmith.models.answers import FoldAnswers, answers_of
from tunesmith.models.store import FoldModel, ModelStore, PackedModels, pack
from tunesmith.sharing.checks import are_same
from tunesmith.sharing.submodels.plain import plain
from tunesmith.system.interruptions import is_ours
from tunesmith.types import Fit

N_OF_FIT = 3
"""Most models of one fit that are stored, the best on its fold."""
R = TypeVar("R", bound=FoldResult)
MAX_DELIVERED = 64_000_000
"""Most bytes of the models of one fit that travel between machines."""


@dataclass(frozen=True)
class Noted:
    """A model as the fit gave it."""

    gain: float
    model: FoldModel
    X: Any


@dataclass
class Delivery:
    """Models and answers of a fit, on their way from a worker to the process of the search."""

    packed: PackedModels | None = None
    """Models that the worker does not store itself."""
    problem: str = ""
    """Reason why it could not store some."""

    def take(self) -> PackedModels | None:
        """Return the models once; results stay in memory, and must not hold them."""
        packed, self.packed = self.packed, None
        return packed


@dataclass
class Keeper:
    """Takes fitted models with their scores. Picklable; each worker has a copy.

    Args:
        store: gets the models.
        sign: of the metric that decides.
        has_models: false if nothing but answers is asked for, which take far less room.
        delivers: workers hand their models over instead of storing them, since they may be on other
            machines. They do not get the store, whose secret belongs to this machine.
    """

    store: ModelStore
    sign: int
    has_models: bool = True
    delivers: bool = field(default=False, kw_only=True)
    problem: str = ""
    """Reason why a model could not be stored."""
    _noted: dict[str, Noted] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        store = replace(self.store, secret=b"") if self.delivers else self.store
        return {**self.__dict__, "store": store, "_noted": {}}

    def note(self, key: str, score: float, model: Any, X: Any) -> None:
        """Take a model while it is valid: a stand-in of a shared fit is until the next one.

        Args:
            key: of the evaluation.
            score: by the metric that decides.
            model: fitted.
            X: test rows of the fold, for which the model may have answers ready.
        """
        # A second fit for the same candidate replaces the first, which was not verified.
        self._noted.pop(key, None)
        gain = self.sign * score
        # A fit may score hundreds of submodels: only those that may be needed are made plain.
        if len(self._noted) >= N_OF_FIT:
            worst = min(self._noted, key=lambda other: self._noted[other].gain)
            if not gain > self._noted[worst].gain:
                return
            del self._noted[worst]
        # Made plain now: stand-ins of one fit share parts that the next one changes.
        made = self._harmless(lambda: Noted(gain, self._fold_model(key, model, X), X))
        if made is not None:
            self._noted[key] = made

    def flush(self, fold: int, *, is_one_trial: bool = False) -> Delivery | None:
        """Store the models of a fit that has ended.

        Args:
            fold: of the fit.
            is_one_trial: its candidates are points of one trial.

        Returns:
            What is left to the process of the search; ``None`` if there is nothing.
        """
        noted, self._noted = list(self._noted.values()), {}
        # Nothing but the model itself may be needed for its answers.
        exact = [one.model for one in noted if self._harmless(partial(self._is_exact, one))]
        packed: PackedModels | None = None
        if exact:
            packed = self._harmless(lambda: self._packed(fold, exact, is_one_trial))
        if packed is not None and not self.delivers:
            self._harmless(partial(self.store.write, packed))
            packed = None
        problem, self.problem = self.problem, ""
        return Delivery(packed, problem) if packed or problem else None

    def flushed(self, fit: Fit, results: list[R]) -> list[R]:
        """Store the models of a fit; return its results, the first with what is left to do.

        Args:
            fit: that has ended.
            results: of its candidates.
        """
        delivery = self.flush(fit.fold, is_one_trial=bool(fit.extra_candidates))
        if delivery is None or not results:
            return results
        return [replace(results[0], delivery=delivery), *results[1:]]

    def _packed(self, fold: int, models: list[FoldModel], is_one_trial: bool) -> PackedModels:
        packed = pack(fold, models, is_one_trial=is_one_trial)
        if self.delivers and len(packed.models) > MAX_DELIVERED:
            # Answers are small, and serve ensembles and predictions without the model.
            alone = [replace(one, model=None) for one in models]
            return pack(fold, alone, is_one_trial=is_one_trial)
        return packed

    def _harmless(self, act: Callable[[], Any]) -> Any:
        """Return what a function returns; if it fails, the model is fitted again when needed."""
        try:
            return act()
        except BaseException as error:
            if is_ours(error):
                raise
            self.problem = f"{type(error).__name__}: {error}"
            return None

    def _fold_model(self, key: str, model: Any, X: Any) -> FoldModel:
        return FoldModel(key, answers_of(model, X), plain(model) if self.has_models else None)

    def _is_exact(self, noted: Noted) -> bool:
        """True if a model answers by itself, bit for bit, as it did when it was scored."""
        # Answers alone are those of the scored model itself.
        if not self.has_models:
            return True
        now: FoldAnswers = answers_of(noted.model.model, noted.X)
        return are_same(dict(now.values), dict(noted.model.answers.values))
