"""The evaluation kernel: scores candidates from shared fits, and trusts none that it has not seen.

What may share a fit, ``grouping`` says, and ``fitting`` fits it. Here it is timed and checked: the
first shared fit of a kind is compared with fresh ones (``checks``), and a way of sharing that
answers otherwise is not taken again.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tunesmith.fingerprint import digest
from tunesmith.history import Check
from tunesmith.interruptions import is_ours
from tunesmith.objective.builder import Builder
from tunesmith.objective.checks import (
    N_SMALL,
    SMALL_S,
    Kinds,
    answers,
    are_same,
    copied,
    drawn,
    fresh_answers,
    n_rows_of,
    small_agree,
    small_part,
)
from tunesmith.objective.curves import curve
from tunesmith.objective.fitting import Fitted, Fitting
from tunesmith.objective.grouping import Grouping, Path
from tunesmith.objective.objective import Fit
from tunesmith.objective.proved import may_be_in_place, objection_to_parts
from tunesmith.objective.randomness import has_seed_object
from tunesmith.objective.slices import SliceCache
from tunesmith.objective.submodels.family import CannotShareError
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

PREFIX = "prefix"
"""Sharing first steps, which is no family's way."""
KNOWN_PACKAGES = ("sklearn", "tunesmith", "xgboost", "lightgbm", "catboost")
"""Their estimators leave rows as they find them, where those cannot be written to."""

S = TypeVar("S")


class Clock:
    """Seconds of one fit and of its scoring, kept also when they fail."""

    def __init__(self) -> None:
        self.fit_s = self.score_s = 0.0

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Time a fit."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.fit_s = time.perf_counter() - began

    @contextmanager
    def scoring(self) -> Iterator[None]:
        """Time the scoring of one candidate."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.score_s = time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Scored(Generic[S]):
    """What a shared fit says of one candidate."""

    scores: S
    fit_s: float
    score_s: float
    n_sharing: int
    ways: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alone(Generic[S]):
    """What a fit for one candidate says that begins with what others left, if with anything."""

    scores: S
    ways: tuple[str, ...]


@dataclass(eq=False)
class Kernel(Generic[S]):
    """Scores candidates from shared fits.

    Args:
        builder: params -> estimators.
        rows: the folds.
        score: (estimator, test rows as they were given to the fit, fold) -> scores.
        fit_given: what ``fit`` of the last step is given besides X and y.
        passed: digests of the kinds of sharing that were checked before.
    """

    builder: Builder
    rows: SliceCache
    score: Callable[[Any, Any, int], S]
    fit_given: Mapping[str, Any] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    _trust: dict[str, bool] = field(default_factory=dict)
    """Way of sharing -> whether it has passed; one that has not is not taken again."""

    def __post_init__(self) -> None:
        self._grouping = Grouping(self.builder, self.fit_given)
        self._fitting = Fitting(self.builder)
        self._kinds = Kinds(self.builder, tuple(self.fit_given))
        self._news: list[Check] = []
        self._known: dict[object, bool] = {}

    def __getstate__(self) -> dict[str, Any]:
        fresh = {"_trust": {}, "_news": [], "_kinds": Kinds(self.builder, tuple(self.fit_given))}
        return {**self.__dict__, **fresh}

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Indices of candidates, those together that one fit can score."""
        return self._grouping.groups(candidates)

    def objections(self, candidates: Sequence[Params], *, has_curves: bool = False) -> list[str]:
        """Why candidates share no fits that might be expected to."""
        return self._grouping.objections(candidates, has_curves=has_curves)

    def size(self, candidates: Sequence[Params]) -> float:
        """How long one fit of these takes beside others of its kind, as far as params tell."""
        return self._grouping.size(candidates)

    def curve(self, params: Params, space: SearchSpace) -> list[Params]:
        """Points of a space that the fit of one of them scores, that one included."""
        return curve(self._grouping, params, space)

    def take_news(self) -> tuple[Check, ...]:
        """What was checked since this was asked last."""
        found, self._news = tuple(self._news), []
        return found

    # -- several candidates ------------------------------------------------------------------

    def together(self, fit: Fit) -> list[Scored[S] | None]:
        """As few fits for all as there are sides of borders; ``None`` for who is left alone."""
        n_rows = n_rows_of(self.rows.shared(fit.fold).X_train)
        wanted = set(map(canonical_json, fit.candidates))
        found: dict[str, Scored[S]] = {}
        for path in self._grouping.paths(fit.points, n_rows):
            # What would only come along is worth no fit of its own.
            is_wanted = not wanted.isdisjoint(map(canonical_json, path.candidates))
            if is_wanted and self._trust.get(path.way, True):
                found |= self._along(path, fit.fold)
        return [found.get(canonical_json(params)) for params in fit.points]

    def _along(self, path: Path, fold: int) -> dict[str, Scored[S]]:
        clock, rows = Clock(), self.rows.for_fit(fold)
        try:
            with clock.fitting():
                fitted = self._fitting.fitted(path.widest, fold, rows, path.family)
        except BaseException as error:
            # One by one, it will show whose it is.
            if is_ours(error):
                raise
            return {}
        prefix = (PREFIX,) if fitted.is_divided else ()
        ways = (path.way, *prefix, *fitted.ways)
        check = self._check_of(ways, path.candidates[0], fold)
        if check is None:
            return {}
        if check.kinds:
            small = self._small(path, fold)
            check.is_whole = small is not None
            if small is False:
                self._refute(check)
                return {}
        found = self._scored(path, fitted, fold, check)
        n = len(found)
        return {
            key: Scored(scores, clock.fit_s / n, score_s, n, ways)
            for key, (scores, score_s) in found.items()
        }

    def _scored(
        self, path: Path, fitted: Fitted, fold: int, check: "Comparison"
    ) -> dict[str, tuple[S, float]]:
        """Scores and the seconds of scoring by candidate; none where the drawn one differs."""
        found: dict[str, tuple[S, float]] = {}
        place = drawn(str(check.kinds), fold, len(path.candidates))
        # The wider ones are taken where the drawn one cannot be compared.
        wanted = {canonical_json(one) for one in path.candidates[place:]} if check.kinds else set()
        for params, model in models_of(path, fitted):
            clock, key = Clock(), canonical_json(params)
            try:
                with clock.scoring():
                    scores = self.score(model, fitted.X_test, fold)
            except BaseException as error:
                # Alone, it will show why.
                if is_ours(error):
                    raise
                continue
            if key in wanted:
                is_same = self._is_fresh(model, fitted.X_test, params, fold)
                if is_same is False:
                    self._refute(check)
                    return {}
                if is_same:
                    self._pass(check)
                    wanted = set()
            found[key] = scores, clock.score_s
        # Nothing that could be compared: nothing that can be relied on.
        return {} if wanted else found

    # -- one candidate -----------------------------------------------------------------------

    def alone(self, params: Params, fold: int, clock: Clock) -> Alone[S] | None:
        """Scores of one candidate that shares the fold's rows, and first steps where it can.

        Returns:
            ``None`` where that is not to be trusted, for fits that never repeat, and for
            estimators of the user's own: they get rows as scikit-learn cuts them.
        """
        if not self._trust.get(PREFIX, True) or not self.is_known(params):
            return None
        rows = self.rows.for_fit(fold)
        try:
            with clock.fitting():
                fitted = self._fitting.fitted(params, fold, rows)
        except CannotShareError:
            return None
        ways = (PREFIX, *fitted.ways) if fitted.is_divided else fitted.ways
        check = self._check_of(ways, params, fold)
        if check is None:
            return None
        model = fitted.model
        if check.kinds and not self._is_confirmed(check, model, fitted.X_test, params, fold):
            return None
        with clock.scoring():
            scores = self.score(model, fitted.X_test, fold)
        return Alone(scores, ways)

    def behind_prefix(self, params: Params, fold: int, clock: Clock) -> Alone[S] | None:
        """Scores of one candidate behind first steps that were fitted before, or from known bins.

        Returns:
            ``None`` where there are none to share, or where they are not to be trusted.
        """
        return self.alone(params, fold, clock) if self._fitting.has_start(params) else None

    def is_known(self, params: Params) -> bool:
        """Whether all parts of an estimator are of libraries that leave rows as they find them."""
        if any(isinstance(value, dict) for value in params.values()):
            return is_of_libraries(self.builder.build(params))
        # These count by their values: ``copy_X=False`` writes into the rows.
        in_place = tuple((k, repr(v)) for k, v in params.items() if may_be_in_place(k))
        key = self.builder.choice_of(params), tuple(params), in_place
        if key not in self._known:
            self._known[key] = is_of_libraries(self.builder.build(params))
        return self._known[key]

    # -- checks ------------------------------------------------------------------------------

    def _check_of(self, ways: tuple[str, ...], params: Params, fold: int) -> "Comparison | None":
        """What must be compared before these ways are trusted; ``None`` where one is refuted."""
        if not all(self._trust.get(way, True) for way in ways):
            return None
        rows = self.rows.shared(fold)
        kinds = {way: self._kinds.of(way, params, fold, rows) for way in ways}
        unknown = {way: kind for way, kind in kinds.items() if digest(kind) not in self.passed}
        for way in kinds.keys() - unknown.keys():
            self._trust[way] = True
        return Comparison(unknown)

    def _is_confirmed(
        self, check: "Comparison", model: Any, X_test: Any, params: Params, fold: int
    ) -> bool:
        small = self._small(params, fold)
        check.is_whole = small is not None
        is_same = small is not False and self._is_fresh(model, X_test, params, fold)
        if is_same is None:
            return False
        (self._pass if is_same else self._refute)(check)
        return is_same

    def _small(self, path: Path | Params, fold: int) -> bool | None:
        """Whether what is shared agrees with fresh fits on a small part of the fold's rows."""
        family = path.family if isinstance(path, Path) else None
        needed = getattr(family, "n_small", None)
        n = max(N_SMALL, needed(path.values) if needed and isinstance(path, Path) else 0)
        small = small_part(self.rows.fresh(fold), n)
        fitting = self._fitting.anew()
        try:
            with quiet():
                if isinstance(path, Path):
                    fitted = fitting.fitted(path.widest, fold, copied(small), family)
                    models = models_of(path, fitted)
                else:
                    # The second time it begins with what the first one left.
                    fitting.fitted(fitting.primed(path), fold, copied(small))
                    fitted = fitting.fitted(path, fold, copied(small))
                    models = iter([(path, fitted.model)])
                return small_agree(self.builder, small, models, fitted.X_test, SMALL_S)
        except BaseException as error:
            # Too few rows for it.
            if is_ours(error):
                raise
            return None

    def _is_fresh(self, model: Any, X_test: Any, params: Params, fold: int) -> bool | None:
        """Whether a model answers what a fresh fit on all rows does; ``None`` if that fails."""
        try:
            with quiet():
                expected = fresh_answers(self.builder, params, self.rows.fresh(fold))
        except BaseException as error:
            # Its own fit will show why.
            if is_ours(error):
                raise
            return None
        return are_same(answers(model, X_test), expected)

    def _pass(self, check: "Comparison") -> None:
        for way, kind in check.kinds.items():
            self._trust[way] = True
            self.passed.add(digest(kind))
            if check.is_whole:
                self._news.append(Check(kind, is_passed=True))

    def _refute(self, check: "Comparison") -> None:
        """Of ways that were never tried before, the last is blamed."""
        way = list(check.kinds)[-1]
        self._trust[way] = False
        self._news.append(Check(check.kinds[way], is_passed=False))
        self._fitting.distrust(way)


def is_of_libraries(estimator: Any) -> bool:
    """Whether all parts of an estimator are a known library's, with plain parameters."""
    is_plain = not has_seed_object(estimator)
    return is_plain and not objection_to_parts(estimator, KNOWN_PACKAGES)


@dataclass
class Comparison:
    """What must be compared before some ways are trusted."""

    kinds: Mapping[str, str]
    """Way -> its kind, of those that never passed."""
    is_whole: bool = True
    """Whether a small part was compared, too."""


def models_of(path: Path, fitted: Fitted) -> Iterator[tuple[Params, Any]]:
    """The submodels of a path, one after the other; those that cannot be made are left out."""
    left = list(path.candidates)
    while left:
        models = fitted.models(path.of(left))
        for place, params in enumerate(left):
            try:
                model = next(models)
            except CannotShareError:
                return
            except Exception:  # noqa: BLE001 - alone, it will show why
                left = left[place + 1 :]
                break
            yield params, model
        else:
            return


@contextmanager
def quiet() -> Iterator[None]:
    """Let warnings of fits pass that nobody asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
