"""A pending trial: its points, their known results, and the choice of the best one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tunesmith.history import FoldResult, Metric, Trial, shortfall
from tunesmith.objective.objective import Objective
from tunesmith.objective.plan import TrialCandidates
from tunesmith.space.parameter import canonical_json
from tunesmith.study.early_stopping import held_against
from tunesmith.study.strategy import StopRule
from tunesmith.types import OutcomeConstraint, Params, State


@dataclass(kw_only=True)
class PendingTrial:
    """A trial that was proposed and is not yet completed.

    Its points are the proposed params and, if there are submodel candidates, all of those.
    """

    trial: Trial
    points: tuple[Params, ...]
    """Points in order: the first of equally good ones is chosen."""
    keys: tuple[tuple[str, ...], ...]
    """Keys of the evaluations: by point, by fold."""
    proposed: int
    """Place of the proposed params."""
    metric: Metric
    """The first objective."""
    thresholds: Sequence[Mapping[int, float]]
    """Pruning thresholds by fold."""
    subject_to: tuple[OutcomeConstraint, ...] = ()
    """Constraints on outcomes: the best of the points that meet them is chosen."""
    stop_rule: StopRule | None = None
    """Rule that may stop it before its last fold."""
    n_kept: int
    """Number of folds that count: all of them, or those before a race stopped it."""
    results: dict[tuple[int, int], FoldResult] = field(default_factory=dict)
    """Results by place and fold."""
    _taken: set[tuple[int, int]] = field(default_factory=set)
    """Places and folds of results for which no fit was made."""
    _given_up: set[tuple[int, int]] = field(default_factory=set)
    _n_judged: int = 0
    """Number of first folds with which the rule was asked."""

    @classmethod
    def of(
        cls,
        trial: Trial,
        points: Sequence[Params],
        objective: Objective,
        thresholds: Sequence[Mapping[int, float]] = (),
        *,
        stop_rule: StopRule | None = None,
        subject_to: tuple[OutcomeConstraint, ...] = (),
    ) -> "PendingTrial":
        """Make a trial without results, and its points; by default each fit runs to its end."""
        texts = [canonical_json(dict(params)) for params in points]
        proposed = texts.index(canonical_json(dict(trial.params)))
        folds = range(objective.n_folds)
        keys = tuple(tuple(objective.key(params, fold) for fold in folds) for params in points)
        metric, by_fold = objective.objectives[0], thresholds or [{}] * objective.n_folds
        return cls(
            trial=trial,
            points=tuple(points),
            keys=keys,
            proposed=proposed,
            metric=metric,
            thresholds=by_fold,
            stop_rule=stop_rule,
            subject_to=subject_to,
            n_kept=objective.n_folds,
        )

    @property
    def candidates(self) -> TrialCandidates:
        """The trial in the form that the plan needs."""
        return TrialCandidates(self.trial.number, self.points, self.proposed)

    @property
    def all_keys(self) -> Iterator[str]:
        """Keys of all evaluations."""
        return (key for keys in self.keys for key in keys)

    @property
    def have(self) -> Iterator[tuple[int, int, int]]:
        """Known results, as (trial number, place, fold)."""
        return ((self.trial.number, place, fold) for place, fold in self.results)

    @property
    def lacking(self) -> list[tuple[int, int]]:
        """Place and fold of each evaluation without a result, if fits run to their end."""
        pairs = [(p, f) for p in range(len(self.points)) for f in range(self.n_folds)]
        return [(p, f) for p, f in pairs if (p, f) not in self.results and not self.thresholds[f]]

    def take(self, known: Mapping[str, FoldResult]) -> None:
        """Use the known results; another study may have numbered its folds differently."""
        for place, keys in enumerate(self.keys):
            for fold, key in enumerate(keys):
                result = known.get(key)
                # A known result is cut as if the present thresholds had applied, so that a reused
                # result equals a new one.
                held = result and held_against(result, self.thresholds[fold], self.metric)
                if held is not None:
                    self.results[place, fold] = replace(held, fold=fold)
        self._taken.update(self.results)
        self._judge()

    @property
    def n_taken(self) -> int:
        """Number of results that count and for which no fit was made."""
        return sum(fold < self.n_kept for _, fold in self._taken)

    def receive(self, place: int, result: FoldResult) -> None:
        """Take a result of one point."""
        self.results[place, result.fold] = result
        self._judge()

    def reuse(self, place: int, result: FoldResult) -> None:
        """Take a result for which no fit was made."""
        self._taken.add((place, result.fold))
        self.receive(place, result)

    def give_up(self, place: int, fold: int) -> None:
        """Drop an extra candidate, which would need a fit of its own."""
        self._given_up.add((place, fold))
        self._judge()

    @property
    def n_folds(self) -> int:
        """Number of folds of the study."""
        return len(self.thresholds)

    @property
    def is_stopped(self) -> bool:
        """True if a race stopped it."""
        return self.n_kept < self.n_folds

    @property
    def is_whole(self) -> bool:
        """True if no further result is expected."""
        if self.is_stopped:
            return True
        n_evaluations = sum(len(keys) for keys in self.keys)
        return len(self.results) + len(self._given_up) == n_evaluations

    def _judge(self) -> None:
        """Ask the rule, once for each number of first folds that are known."""
        if self.stop_rule is None:
            return
        # In fold order, whatever the order of results: the number of workers must not decide.
        while not self.is_stopped and self._n_judged < self.n_folds - 1:
            if not self._is_known(self._n_judged):
                return
            self._n_judged += 1
            gains = self._gains_on(self._n_judged)
            if gains and self.stop_rule(gains):
                self.n_kept = self._n_judged

    def _is_known(self, fold: int) -> bool:
        """True if no further result of a fold is expected."""
        evaluations = ((place, fold) for place in range(len(self.points)))
        return all(one in self.results or one in self._given_up for one in evaluations)

    def _gains_on(self, n: int) -> list[float]:
        """Gains of the best point on the first ``n`` folds; empty if all points have failed."""
        scored = self._scored_on(n)
        best = _best_of(scored, self.metric, self.subject_to)
        if best is None:
            return []
        gains = self.metric.sign * scored[best].scores(self.metric.name)
        return [float(gain) for gain in gains]

    def completed(
        self, metric: Metric, key_of: Callable[[Params], str]
    ) -> tuple[Trial, Sequence[str]]:
        """Complete the trial as the best of its points, with the keys of its folds.

        Args:
            metric: metric that compares the points; failed ones lose.
            key_of: params -> the key of a trial with these params.
        """
        scored = self._scored_on(self.n_kept)
        best = _best_of(scored, metric, self.subject_to)
        # The proposed params if all failed.
        best = self.proposed if best is None else best
        completed = replace(scored[best], n_points=len(scored))
        if best != self.proposed:
            params = self.points[best]
            completed = replace(
                completed, params=params, key=key_of(params), proposed=self.trial.params
            )
        return completed, self.keys[best][: self.n_kept]

    def _scored_on(self, n: int) -> dict[int, Trial]:
        """The trial by place of its point, as scored on the first ``n`` folds."""
        # A point that was given up lacks folds, and so cannot be the best.
        places = range(len(self.points))
        whole = (p for p in places if all((p, f) in self.results for f in range(n)))
        return {
            place: self.trial.completed([self.results[place, f] for f in range(n)], self.n_folds)
            for place in whole
        }


def _best_of(
    scored: Mapping[int, Trial], metric: Metric, subject_to: Sequence[OutcomeConstraint]
) -> int | None:
    """Place of the best point, the first one among equals; ``None`` if all failed.

    Points that violate a constraint come after the others, the closest ones first.
    """
    worth = {
        place: (
            -shortfall(trial, subject_to),
            metric.sign * float(trial.scores(metric.name).mean()),
        )
        for place, trial in scored.items()
        if trial.state is not State.FAILED
    }
    return max(worth, key=worth.__getitem__, default=None)
