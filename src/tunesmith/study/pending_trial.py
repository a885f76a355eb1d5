"""A pending trial: its points, their known results, and the choice of the best one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tunesmith.history import FoldResult, Metric, Trial
from tunesmith.objective.objective import Objective
from tunesmith.objective.plan import TrialCandidates
from tunesmith.space.parameter import canonical_json
from tunesmith.study.early_stopping import held_against
from tunesmith.types import Params, State


@dataclass(kw_only=True)
class PendingTrial:
    """A trial that was asked for and is not yet completed.

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
    results: dict[tuple[int, int], FoldResult] = field(default_factory=dict)
    """Results by place and fold."""
    n_taken: int = 0
    """Number of results that were known before."""
    _given_up: set[tuple[int, int]] = field(default_factory=set)

    @classmethod
    def of(
        cls,
        trial: Trial,
        points: Sequence[Params],
        objective: Objective,
        thresholds: Sequence[Mapping[int, float]] = (),
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
        )

    @property
    def asked(self) -> TrialCandidates:
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
        self.n_taken = len(self.results)

    def receive(self, place: int, result: FoldResult) -> None:
        """Take a result of one point."""
        self.results[place, result.fold] = result

    def give_up(self, place: int, fold: int) -> None:
        """Drop an extra candidate, which would need a fit of its own."""
        self._given_up.add((place, fold))

    @property
    def is_whole(self) -> bool:
        """True if no further result is expected."""
        n_evaluations = sum(len(keys) for keys in self.keys)
        return len(self.results) + len(self._given_up) == n_evaluations

    def told(self, metric: Metric, key_of: Callable[[Params], str]) -> tuple[Trial, Sequence[str]]:
        """Complete the trial as the best of its points, with the keys of its folds.

        Args:
            metric: metric that compares the points; failed ones lose.
            key_of: params -> the key of a trial with these params.
        """
        scored = {place: self._scored(place) for place in self._whole_places()}
        complete = {p: trial for p, trial in scored.items() if trial.state is State.COMPLETE}
        # The first one among equals; the proposed params if all failed.
        gains = {p: metric.sign * trial.mean(metric.name) for p, trial in complete.items()}
        best = max(gains, key=gains.__getitem__, default=self.proposed)
        told = replace(scored[best], n_points=len(scored))
        if best != self.proposed:
            params = self.points[best]
            told = replace(told, params=params, key=key_of(params), proposed=self.trial.params)
        return told, self.keys[best]

    def _whole_places(self) -> Iterable[int]:
        # A point that was given up lacks folds, and so cannot be the best.
        places = range(len(self.points))
        return (p for p in places if all((p, f) in self.results for f in range(len(self.keys[p]))))

    def _scored(self, place: int) -> Trial:
        return self.trial.told([self.results[place, f] for f in range(len(self.keys[place]))])
