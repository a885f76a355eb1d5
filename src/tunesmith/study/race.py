"""Races over folds: a trial whose first folds are too weak stops before the others.

The rule of a trial is fixed when it is proposed, from the trials that are completed by then, and it
looks at folds in their order. So the same study stops the same trials after the same folds for any
number of workers.

Bergman, Purucker and Hutter (Don't waste your time: early stopping cross-validation, 2024) stop a
trial if the mean of its folds so far is below the worst single fold of the best trial. Here, folds
are compared in pairs instead, so that effects that all trials share cancel; measured, this saves
more and loses fewer winners (docs/decisions/0049-races.md).
"""

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np

from tunesmith.history import FoldResult, History, Trial, TrialLog
from tunesmith.objective.objective import Objective
from tunesmith.study.look_ahead import UNREAD, default_window
from tunesmith.study.strategy import LATER, Later, NoPruning, Strategy
from tunesmith.types import Params, State

ALPHA = 0.05
"""Largest chance of passing the best trial with which a trial stops."""
MARGIN = 1.6448536269514722
"""Quantile of the normal distribution that belongs to ``ALPHA``."""
N_LEAST = 4
"""Number of complete trials before any trial stops."""
# Measured: with 20, trials far behind make the noise too large, and 2 % fewer evaluations are saved
# (docs/decisions/0188-noise-of-races.md).
N_NEAR = 10
"""Number of the best complete trials that show how folds differ."""


@dataclass(frozen=True)
class FoldRule:
    """Stops a trial if its full mean is unlikely to pass that of the best trial.

    >>> rule = FoldRule(best=(0.9, 0.8, 0.7, 0.8), noise=0.02)
    >>> [rule([0.89]), rule([0.7]), rule([0.89, 0.79, 0.66])]
    [False, True, True]
    """

    best: tuple[float, ...]
    """Gains of the best trial, by fold."""
    noise: float
    """Standard deviation of a difference on one fold, around the difference of the means."""
    margin: float = MARGIN
    """Quantile of the normal distribution that belongs to the largest chance of passing."""

    def __call__(self, gains: Sequence[float]) -> bool:
        """Tell if a trial with these gains on its first folds stops."""
        ahead, deviation = lead(gains, self.best, self.noise)
        return ahead + self.margin * deviation < 0


LARGE = 1e100
"""Larger numbers are computed with as shares of the largest one."""


def lead(gains: Sequence[float], best: Sequence[float], noise: float) -> tuple[float, float]:
    """Expected lead of a trial's full mean over another one, and its standard deviation.

    The differences on the other folds are expected to be like those on the first ones, plus noise.

    Args:
        gains: of the trial, on its first folds.
        best: gains of the other one, on all folds.
        noise: standard deviation of a difference on one fold.
    """
    n, n_folds = len(gains), len(best)
    ahead = sum(g - b for g, b in zip(gains, best, strict=False)) / n
    return ahead, noise * sqrt((n_folds - n) / (n_folds * n))


def noise_around(best: np.ndarray, others: np.ndarray) -> float:
    """Standard deviation of a difference on one fold, around the difference of the means.

    Args:
        best: gains of the best trial, ``(n_folds,)``.
        others: gains of other complete trials, ``(n, n_folds)``; those that equal the best one on
            every fold tell nothing.

    Returns:
        0 if nothing is known.
    """
    if (unit := max(np.abs(best).max(), np.abs(others).max(initial=0.0))) > LARGE:
        # The squares of such numbers are none.
        return float(unit * noise_around(best / unit, others / unit))
    differences = others - best
    differences = differences[(differences != 0).any(axis=1)]
    if not len(differences):
        return 0.0
    residuals = differences - differences.mean(axis=1, keepdims=True)
    return float(np.sqrt((residuals**2).sum() / (len(residuals) * (len(best) - 1))))


@dataclass(frozen=True)
class Race(NoPruning):
    """A strategy whose weak trials stop before their last fold.

    Args:
        proposing: the strategy that proposes the trials.
        n_start: number of starting points, which run to their end, since the others are compared
            with them.
    """

    proposing: Strategy
    n_start: int = 0
    _leaders: list["_Leaders"] = field(default_factory=list, repr=False, compare=False)
    _completed: list["_CompletedLog"] = field(default_factory=list, repr=False, compare=False)
    """Results derived from the last log, kept so that each trial need not derive them anew."""

    races = True

    @property
    def window(self) -> int:
        """Look-ahead of the strategy."""
        return self.proposing.window

    @property
    def looks_back(self) -> bool:
        """True: results decide which trials stop."""
        return True

    @property
    def n_points(self) -> int | None:
        """Number of trials of the strategy."""
        return self.proposing.n_points

    def propose(self, log: TrialLog) -> tuple[str, Params] | Later | None:
        """Proposal of the strategy, to which stopped trials look like complete ones."""
        if not self.proposing.looks_back:
            return self.proposing.propose(log)
        if not self._completed or self._completed[0].source is not log:
            self._completed[:] = [_CompletedLog(log)]
        return self.proposing.propose(self._completed[0].updated())

    def key(self, params: Params) -> str:
        """Key of the strategy."""
        return self.proposing.key(params)

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:
        """Points of the strategy."""
        return self.proposing.points(trial, objective)

    def thresholds(self, log: TrialLog, trial: Trial, fold: int) -> Mapping[int, float]:
        """Thresholds of the strategy."""
        return self.proposing.thresholds(log, trial, fold)

    def judged(self, trial: Trial) -> Trial:
        """State by the strategy."""
        return self.proposing.judged(trial)

    def stop_rule(self, log: TrialLog, trial: Trial) -> FoldRule | None:
        """Rule from the trials that were completed at the latest when this one was proposed."""
        if trial.number < self.n_start:
            return None
        # Not all completed trials: their number depends on the speed of the workers.
        n_completed = min(max(0, trial.number - self.window + 1), len(log.completed))
        if not self._leaders or not self._leaders[0].leads_to(log, n_completed):
            self._leaders[:] = [_Leaders(log)]
        return self._leaders[0].rule(n_completed)


def raced_window(strategy: Strategy, objective: Objective) -> int:
    """Look-ahead of a race in a search that reads no results.

    A small one saves more evaluations, since the best trial is known earlier. A large one lets
    trials share fits, which saves more still; so it is small if the first trials share none.

    Args:
        strategy: of the search, without the race.
        objective: knows the folds, and which trials share fits.
    """
    log = TrialLog(objective.objectives)
    while len(log.trials) < UNREAD:
        proposal = strategy.propose(log)
        if proposal is None or proposal is LATER:
            break
        origin, params = proposal
        log.ask(params, strategy.key(params), origin)
    points = [trial.params for trial in log.trials]
    is_shared = bool(points) and len(objective.groups(points)) < len(points)
    return UNREAD if is_shared else default_window(objective.n_folds)


@dataclass
class _Leaders:
    """The best admissible trials of a log, after some number of completed trials."""

    source: TrialLog
    n_seen: int = 0
    n_complete: int = 0
    best: list[tuple[float, int, tuple[float, ...]]] = field(default_factory=list)
    """(negative mean gain, trial number, gains by fold), best first."""

    def leads_to(self, log: TrialLog, n_completed: int) -> bool:
        """True if it can be brought up to this moment of the log."""
        return self.source is log and self.n_seen <= n_completed

    def rule(self, n_completed: int) -> FoldRule | None:
        """Rule after ``n_completed`` trials; ``None`` if they do not show how folds differ."""
        metric = self.source.objectives[0]
        for trial in self.source.completed[self.n_seen : n_completed]:
            if trial.state is State.COMPLETE and not self.source.violated(trial):
                gains = tuple(float(s) for s in metric.sign * trial.scores(metric.name))
                # Equals stay in the order of their numbers, as in `TrialLog`.
                insort(self.best, (-metric.sign * trial.mean(metric.name), trial.number, gains))
                self.n_complete += 1
        del self.best[N_NEAR:]
        self.n_seen = n_completed
        if self.n_complete < N_LEAST:
            return None
        table = np.array([gains for _, _, gains in self.best])
        noise = noise_around(table[0], table[1:])
        return FoldRule(self.best[0][2], noise) if noise > 0 else None


def with_estimates(history: History) -> History:
    """Return the history as if trials that the race stopped had all folds.

    The scores of their missing folds are estimated, as the sampler sees them.
    """
    trials = list(history.completed)
    if not any(trial.is_raced for trial in trials):
        return history
    log = history.emptied()
    for trial in trials:
        log.ask(trial.params, trial.key, trial.origin)
        log.tell(trial)
    return _CompletedLog(log).updated().view()


@dataclass
class _CompletedLog:
    """A log in which stopped trials have all folds: the missing ones are estimated.

    A fold is expected to lift a trial as it lifts the complete trials. Without the estimates, a
    model would take stopped trials for failed ones, or know nothing of the weak regions.
    """

    source: TrialLog
    log: TrialLog = field(init=False)
    _sums: dict[str, np.ndarray] = field(default_factory=dict)
    """Sums of the complete trials' scores by metric and fold, ``(n_folds,)`` each."""
    _n_complete: int = 0

    def __post_init__(self) -> None:
        self.log = self.source.emptied()

    def updated(self) -> TrialLog:
        """The log, with all that the source has by now."""
        for trial in self.source.trials[len(self.log.trials) :]:
            self.log.ask(trial.params, trial.key, trial.origin)
        for trial in self.source.completed[len(self.log.completed) :]:
            self._learn(trial)
            self.log.tell(self._estimated(trial) if trial.is_raced else trial)
        return self.log

    def _learn(self, trial: Trial) -> None:
        if trial.state is State.COMPLETE:
            for name in trial.folds[0].scores:
                self._sums[name] = self._sums.get(name, 0.0) + trial.scores(name)
            self._n_complete += 1

    def _estimated(self, trial: Trial) -> Trial:
        names = [name for name in trial.folds[0].scores if name in self._sums]
        columns = {name: self._lifted(trial, name) for name in names}
        fit_s = float(np.mean([fold.fit_time_s for fold in trial.folds]))
        score_s = float(np.mean([fold.score_time_s for fold in trial.folds]))
        folds = [
            FoldResult(
                len(trial.folds) + i,
                {name: float(columns[name][i]) for name in names},
                fit_time_s=fit_s,
                score_time_s=score_s,
            )
            for i in range(trial.n_left_out)
        ]
        return replace(trial, state=State.COMPLETE, folds=(*trial.folds, *folds), n_left_out=0)

    def _lifted(self, trial: Trial, name: str) -> np.ndarray:
        """Estimated scores on the missing folds; a trial only stops after others were complete."""
        known, means = trial.scores(name), self._sums[name] / self._n_complete
        n = len(known)
        lifted: np.ndarray = known.mean() + means[n:] - means[:n].mean()
        return lifted
