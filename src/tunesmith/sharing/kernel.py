"""The evaluation kernel: scores candidates from shared fits, after it has verified the sharing.

``grouping`` decides which candidates may share a fit, and ``fitting`` fits it. The kernel times and
checks: it compares the first shared fit of a kind with fresh fits (``checks``). A sharing method
that gives other answers is not used again.
"""

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Generic, TypeVar

from tunesmith.data.slices import SliceCache, Slices
from tunesmith.history import Check
from tunesmith.sharing.ahead import first_groups, may_go_ahead
from tunesmith.sharing.builder import Builder
from tunesmith.sharing.checks import (
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
from tunesmith.sharing.extra_candidates import read_off, submodel_candidates
from tunesmith.sharing.fitting import Fitted, Fitting
from tunesmith.sharing.grouping import Grouping, Path
from tunesmith.sharing.proved import blocker_of_parts, may_be_in_place
from tunesmith.sharing.randomness import has_seed_object
from tunesmith.sharing.reasons import ReasonQuery
from tunesmith.sharing.same_models import SameModels
from tunesmith.sharing.submodels.family import CannotShareError, DemandingFamily
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.system.fingerprint import digest
from tunesmith.system.interruptions import is_ours
from tunesmith.system.user_output import unnoticed
from tunesmith.types import Facts, Fit, Params, Value

PREFIX = "prefix"
"""Sharing method of first steps, which belong to no family."""
KNOWN_PACKAGES = ("sklearn", "tunesmith", "xgboost", "lightgbm", "catboost")
"""Packages whose estimators leave rows unchanged if the rows are read-only."""

S = TypeVar("S")


class Clock:
    """Seconds of one fit and of its scoring, kept also if they fail."""

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
    """Scores of one candidate from a shared fit."""

    scores: S
    fit_s: float
    score_s: float
    n_sharing: int
    ways: tuple[str, ...]
    _: KW_ONLY
    facts: Facts | None = None


@dataclass(frozen=True, slots=True)
class Alone(Generic[S]):
    """Scores of a fit for one candidate, which may begin with the results of other fits."""

    scores: S
    ways: tuple[str, ...]
    _: KW_ONLY
    facts: Facts | None = None


@dataclass(frozen=True, slots=True)
class Modelled(Generic[S]):
    """A fitted model with its scores; a stand-in is valid until the next one is made."""

    params: Params
    fold: int
    model: Any
    X_test: Any
    """Test rows, for which it may have answers ready."""
    scores: S


@dataclass(eq=False, kw_only=True)
class Kernel(Generic[S]):
    """Scores candidates from shared fits.

    Args:
        builder: params -> estimators.
        rows: rows of the folds.
        score: (estimator, test rows as they were given to the fit, fold) -> scores.
        fit_given: arguments of the last step's ``fit`` besides X and y.
        passed: digests of the kinds of sharing that were checked before.
        begun: digests of the kinds of which only the small part was compared, by ``check_ahead``.
        defers: true if another process makes the checks: kinds are collected instead of compared.
        noted: gets each fitted model with its scores, while the model is valid.
    """

    builder: Builder
    rows: SliceCache
    score: Callable[[Any, Any, int], S]
    fit_given: Mapping[str, Any] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)
    defers: bool = False
    noted: Callable[["Modelled[S]"], None] | None = None
    _trust: dict[str, bool] = field(default_factory=dict)
    """Sharing method -> true if it was verified; one that failed is not used again."""

    def __post_init__(self) -> None:
        self._grouping = Grouping(self.builder, self.fit_given)
        self._fitting = Fitting(self.builder)
        self._same_models = SameModels(self._grouping)
        self._kinds = Kinds(self.builder, tuple(self.fit_given))
        self._news: list[Check] = []
        self._unchecked: set[str] = set()
        self._trusted: set[str] = set()
        self._known: dict[object, bool] = {}

    def __getstate__(self) -> dict[str, Any]:
        # A copy in another process verifies for itself; only `passed` and `begun` travel.
        fresh = {"_trust": {}, "_news": [], "_kinds": Kinds(self.builder, tuple(self.fit_given))}
        return {**self.__dict__, **fresh, "_unchecked": set(), "_trusted": set()}

    def groups(self, candidates: Sequence[Params]) -> list[tuple[int, ...]]:
        """Group the indices of candidates that one fit can score."""
        return self._grouping.groups(candidates)

    def blockers(
        self,
        candidates: Sequence[Params],
        *,
        has_submodel_candidates: bool = False,
        obstacle: str = "",
    ) -> list[str]:
        """List the reasons why candidates share no fits that might be expected to."""
        return ReasonQuery(self._grouping, candidates, has_submodel_candidates, obstacle).reasons()

    def size(self, candidates: Sequence[Params]) -> float:
        """Relative cost of one fit of these candidates, as far as their params tell."""
        return self._grouping.size(candidates)

    def submodel_candidates(self, params: Params, space: SearchSpace) -> list[Params]:
        """Submodel candidates: points of a space that one fit scores, ``params`` included."""
        return submodel_candidates(self._grouping, params, space)

    def read_off(self, params: Params, space: SearchSpace) -> tuple[str, Value] | None:
        """Submodel parameter of which one fit holds all values, and the value to fit with."""
        return read_off(self._grouping, params, space)

    def take_news(self) -> tuple[Check, ...]:
        """Return the checks that were made since the last call."""
        news, self._news = tuple(self._news), []
        return news

    def take_unchecked(self) -> frozenset[str]:
        """Return the digests of the kinds that were left to another process since the last call."""
        unchecked, self._unchecked = frozenset(self._unchecked), set()
        return unchecked

    def take_trusted(self) -> frozenset[str]:
        """Return the digests of the kinds that have passed a check since the last call."""
        trusted, self._trusted = frozenset(self._trusted), set()
        return trusted

    # -- several candidates ------------------------------------------------------------------

    def together(self, fit: Fit) -> list[Scored[S] | None]:
        """Score all candidates with few fits, one per side of a border.

        Returns ``None`` for a candidate that must be fitted alone.
        """
        n_rows = n_rows_of(self.rows.shared(fit.fold).X_train)
        wanted = set(map(canonical_json, fit.candidates))
        scored: dict[str, Scored[S]] = {}
        for path in self._grouping.paths(fit.all_candidates, n_rows):
            # Extra candidates alone are worth no fit: they are scored only if they come free.
            is_wanted = not wanted.isdisjoint(map(canonical_json, path.candidates))
            if is_wanted and self._trust.get(path.way, True):
                scored |= self._along(path, fit.fold)
        return [scored.get(canonical_json(params)) for params in fit.all_candidates]

    def _along(self, path: Path, fold: int) -> dict[str, Scored[S]]:
        clock, rows = Clock(), self.rows.for_fit(fold)
        try:
            with clock.fitting():
                fitted = self._fitting.fitted(path.widest, fold, rows, path.family)
        except BaseException as error:
            # Each candidate is then fitted alone, which shows the one that fails.
            if is_ours(error):
                raise
            return {}
        prefix = (PREFIX,) if fitted.is_divided else ()
        ways = (path.way, *prefix, *fitted.ways)
        check = self._check_of(ways, path.candidates[0], fold)
        if check is None:
            return {}
        if check.kinds and not check.is_begun:
            small = self._small(path, fold, self.rows.fresh(fold))
            check.is_whole = small is not None
            if small is False:
                self._refute(check)
                return {}
        scored = self._scored(path, fitted, fold, check)
        n = len(scored)
        # The facts of the widest fit hold for all: its trees are those of the others, and more.
        facts = self.facts(path.widest, fitted.last)
        return {
            key: Scored(scores, clock.fit_s / n, score_s, n, ways, facts=facts)
            for key, (scores, score_s) in scored.items()
        }

    def _scored(
        self, path: Path, fitted: Fitted, fold: int, check: "PendingCheck"
    ) -> dict[str, tuple[S, float]]:
        """Scores and seconds of scoring by candidate; empty if the drawn candidate differs."""
        scored: dict[str, tuple[S, float]] = {}
        place = drawn(str(check.kinds), fold, len(path.candidates))
        # If the drawn candidate cannot be compared, the next wider ones are tried.
        wanted = {canonical_json(one) for one in path.candidates[place:]} if check.kinds else set()
        for params, model in models_of(path, fitted):
            clock, key = Clock(), canonical_json(params)
            try:
                with clock.scoring():
                    scores = self.score(model, fitted.X_test, fold)
            except BaseException as error:
                # Fitted alone, this candidate will show why it fails.
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
            scored[key] = scores, clock.score_s
            self._note(Modelled(params, fold, model, fitted.X_test, scores))
        # If nothing could be compared, nothing is verified.
        return {} if wanted else scored

    # -- one candidate -----------------------------------------------------------------------

    def alone(self, params: Params, fold: int, clock: Clock) -> Alone[S] | None:
        """Score one candidate that shares the fold's rows, and first steps if possible.

        Fits that never repeat and estimators of the user's own are not shared: the user's code gets
        rows as scikit-learn cuts them.

        Returns:
            ``None`` if the candidate must be fitted afresh.
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
        self._note(Modelled(params, fold, model, fitted.X_test, scores))
        return Alone(scores, ways, facts=self.facts(params, fitted.last))

    def _note(self, modelled: "Modelled[S]") -> None:
        if self.noted is not None:
            self.noted(modelled)

    def facts(self, params: Params, last: Any) -> Facts | None:
        """Describe a fitted model; ``None`` if no other params can give the same one.

        Args:
            params: of the fit.
            last: its fitted last step.
        """
        return self._same_models.facts(params, last)

    def same_models(self) -> SameModels:
        """Store of results for one study that tells which fits need not be made."""
        return SameModels(self._grouping)

    def behind_prefix(self, params: Params, fold: int, clock: Clock) -> Alone[S] | None:
        """Score one candidate behind first steps that were fitted before, or from known bins.

        Returns:
            ``None`` if there is nothing to share, or if the sharing is not verified.
        """
        return self.alone(params, fold, clock) if self._fitting.has_start(params) else None

    def is_known(self, params: Params) -> bool:
        """True if all parts of an estimator belong to libraries that leave rows unchanged."""
        if any(isinstance(value, dict) for value in params.values()):
            return is_of_libraries(self.builder.build(params))
        # These parameters count by value: ``copy_X=False`` writes into the rows.
        in_place = tuple((k, repr(v)) for k, v in params.items() if may_be_in_place(k))
        key = self.builder.choice_of(params), tuple(params), in_place
        if key not in self._known:
            self._known[key] = is_of_libraries(self.builder.build(params))
        return self._known[key]

    # -- checks ------------------------------------------------------------------------------

    def _check_of(self, ways: tuple[str, ...], params: Params, fold: int) -> "PendingCheck | None":
        """Plan the comparison that sharing methods still need; ``None`` if one of them failed."""
        if not all(self._trust.get(way, True) for way in ways):
            return None
        rows = self.rows.shared(fold)
        kinds = {way: self._kinds.of(way, params, fold, rows) for way in ways}
        unknown = {way: kind for way, kind in kinds.items() if digest(kind) not in self.passed}
        # Verified before, now or in another run, with the same code, versions and kind of data.
        for way in kinds.keys() - unknown.keys():
            self._trust[way] = True
        if self.defers:
            # Whoever has sent this fit waits for the check before the scores count.
            self._unchecked |= set(map(digest, unknown.values()))
            return PendingCheck({})
        return PendingCheck(unknown, is_begun=self.begun.issuperset(map(digest, unknown.values())))

    def check_ahead(self, groups: Iterable[Sequence[Params]], fold: int = 0) -> None:
        """Compare the small part of the rows before other processes do, which then skip it.

        What does not agree here is left to them: they refute it, and say so.

        Args:
            groups: candidates that may share a fit; the first group of each kind is compared.
            fold: whose rows are taken.
        """
        rows, seen = self.rows.fresh(fold), set[str]()
        for candidates in first_groups(groups, self.builder.choice_of, SMALL_S):
            if not may_go_ahead(self.builder.build(candidates[0])):
                continue
            for path in self._grouping.paths(candidates, n_rows_of(rows.X_train)):
                kind = digest(self._kinds.of(path.way, path.candidates[0], fold, rows))
                if kind in seen or kind in self.passed:
                    continue
                seen.add(kind)
                with unnoticed():
                    agrees = self._small(path, fold, rows)
                self.begun |= {kind} if agrees else set()

    def _is_confirmed(
        self, check: "PendingCheck", model: Any, X_test: Any, params: Params, fold: int
    ) -> bool:
        small = self._small(params, fold, self.rows.fresh(fold))
        check.is_whole = small is not None
        is_same = small is not False and self._is_fresh(model, X_test, params, fold)
        if is_same is None:
            return False
        (self._pass if is_same else self._refute)(check)
        return is_same

    def _small(self, path: Path | Params, fold: int, rows: Slices) -> bool | None:
        """True if shared results agree with fresh fits on a small part of the fold's rows.

        ``None`` if there are too few rows to tell.
        """
        small = small_part(rows, n_small(path))
        # Without what was kept: on other rows that would be wrong.
        fitting = self._fitting.anew()
        try:
            with quiet():
                if isinstance(path, Path):
                    fitted = fitting.fitted(path.widest, fold, copied(small), path.family)
                    models = models_of(path, fitted)
                else:
                    # The second fit begins with the results that the first one left, and so is
                    # shared.
                    fitting.fitted(fitting.primed(path), fold, copied(small))
                    fitted = fitting.fitted(path, fold, copied(small))
                    models = iter([(path, fitted.model)])
                return small_agree(self.builder, small, models, fitted.X_test, SMALL_S)
        except BaseException as error:
            # Most likely there are too few rows for it; the check on all rows decides.
            if is_ours(error):
                raise
            return None

    def _is_fresh(self, model: Any, X_test: Any, params: Params, fold: int) -> bool | None:
        """True if a model answers as a fresh fit on all rows does; ``None`` if that fit fails."""
        try:
            with quiet():
                expected = fresh_answers(self.builder, params, self.rows.fresh(fold))
        except BaseException as error:
            # The candidate's own fit will show why.
            if is_ours(error):
                raise
            return None
        return are_same(answers(model, X_test), expected)

    def _pass(self, check: "PendingCheck") -> None:
        for way, kind in check.kinds.items():
            self._trust[way] = True
            self.passed.add(digest(kind))
            self._trusted.add(digest(kind))
            if check.is_whole:
                self._news.append(Check(kind, is_passed=True))

    def _refute(self, check: "PendingCheck") -> None:
        """Record that a check failed, and blame the method that was added last."""
        way = list(check.kinds)[-1]
        self._trust[way] = False
        self._news.append(Check(check.kinds[way], is_passed=False))
        self._fitting.distrust(way)


def is_of_libraries(estimator: Any) -> bool:
    """True if all parts of an estimator are a known library's, with plain parameters."""
    is_plain = not has_seed_object(estimator)
    return is_plain and not blocker_of_parts(estimator, KNOWN_PACKAGES)


@dataclass
class PendingCheck:
    """A comparison that is needed before some sharing methods count as verified."""

    kinds: Mapping[str, str]
    """Sharing method -> its kind, of those that are not verified yet."""
    is_whole: bool = True
    """True if a small part was compared, too; only then does the ledger remember a pass."""
    is_begun: bool = False
    """True if the small part was compared by ``check_ahead``, in the process of the search."""


def n_small(path: Path | Params) -> int:
    """Number of rows of a fold on which shared results are compared with fresh fits first."""
    if isinstance(path, Path) and isinstance(path.family, DemandingFamily):
        return max(N_SMALL, path.family.n_small(path.values))
    return N_SMALL


def models_of(path: Path, fitted: Fitted) -> Iterator[tuple[Params, Any]]:
    """Yield the submodels of a path one by one; those that cannot be made are left out."""
    left = list(path.candidates)
    while left:
        models = fitted.models(path.of(left))
        for place, params in enumerate(left):
            try:
                model = next(models)
            except CannotShareError:
                return
            except Exception:  # noqa: BLE001 - alone, it will show why
                # A generator that has raised is at its end, so a new one is made for the candidates
                # behind.
                left = left[place + 1 :]
                break
            yield params, model
        else:
            return


@contextmanager
def quiet() -> Iterator[None]:
    """Hide warnings of fits that only serve a comparison."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
