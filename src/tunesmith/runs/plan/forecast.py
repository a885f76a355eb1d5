"""Forecast of a study with budgets: the number of trials that reach each of them.

It plays the study with scores that are drawn by chance and do not change with the budget. The
counts depend on the order of the scores a little, so that each is given as a range.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.history import FoldResult, Metric, Trial, TrialLog
from tunesmith.runs.progress import counted
from tunesmith.search.random import RandomSampler
from tunesmith.search.sampler import looks_back
from tunesmith.space.parameter import canonical_json
from tunesmith.study.strategy import LATER
from tunesmith.study.successive_halving import SuccessiveHalving
from tunesmith.types import Params

N_PLAYED = 5
"""Number of times that the study is played."""
MOST = 300
"""Number of trials beyond which nothing is played, since it would take seconds."""


@dataclass(frozen=True, kw_only=True)
class BudgetForecast:
    """Trials by budget, and those kept for the end."""

    n_trials: int
    counts: tuple[tuple[int, int, int], ...]
    """(budget, fewest, most trials with it), smallest budget first."""
    n_kept: int
    """Number of last trials that are kept for the full budget."""
    brackets: tuple[tuple[int, int], ...]
    """(first budget, trials that begin with it, of ``n_trials``), smallest budget first."""

    parameter: str
    """Name of the parameter that holds the budget."""

    def joined(self, other: "BudgetForecast | None") -> "BudgetForecast | None":
        """Return the forecast of a study that may be played in either way."""
        if other is None:
            return None
        pairs = zip(self.counts, other.counts, strict=True)
        counts = [(one[0], min(one[1], two[1]), max(one[2], two[2])) for one, two in pairs]
        return replace(self, counts=tuple(counts))

    @property
    def text(self) -> str:
        """Sentence on the budgets that trials reach."""
        (first, *least), *others = self.counts
        parts = [f"{_range(*least)} get {self.parameter} {first:,}"]
        parts += [f"{_range(low, high)} get {budget:,}" for budget, low, high in others]
        text = f"of {counted(self.n_trials, 'trial')} {', '.join(parts)}"
        if len(self.brackets) > 1:
            listed = ", ".join(f"{n:,} with {budget:,}" for budget, n in self.brackets)
            text += f"; new ones begin {listed}"
        if not self.n_kept:
            return text
        return f"{text}; {self._last} kept for the best under way, with the full budget"

    @property
    def _last(self) -> str:
        return "the last trial is" if self.n_kept == 1 else f"the last {self.n_kept:,} trials are"

    @property
    def warning(self) -> str:
        """Sentence for a study in which no trial reaches the full budget by its rank."""
        full, least, _ = self.counts[-1]
        if least > self.n_kept:
            return ""
        return (
            f"too few trials for these budgets: none may get {self.parameter} {full:,} by its rank;"
            f" {self._last} kept for that. Allow more trials, or a larger `min` or `factor`"
        )


def forecast(
    strategy: SuccessiveHalving, n_trials: int, limit: int | None
) -> BudgetForecast | None:
    """Play a study of so many trials; ``None`` if there are too many of them.

    Args:
        strategy: of the study.
        n_trials: most trials.
        limit: number of trials after which the study ends in any case, if there is one.
    """
    if n_trials > MOST:
        return None
    sampling = strategy.sampling
    if looks_back(sampling.sampler):
        # Its scores would be for nothing, and a model of them takes seconds.
        sampling = replace(sampling, sampler=RandomSampler(seed=sampling.seed))
    # Played with one score, whatever the metrics are: the number of promoted trials is the same.
    strategy = replace(strategy, sampling=sampling, weights=())
    played = [list(_played(strategy, n_trials, limit, seed)) for seed in range(N_PLAYED)]
    ladder, n_start = strategy.budgets.ladder, len(sampling.start)
    by_budget = [Counter(budget for budget, _ in one) for one in played]
    firsts = Counter(budget for one in played[:1] for budget, is_new in one[n_start:] if is_new)
    counts = [[one[budget] for one in by_budget] for budget in ladder]
    return BudgetForecast(
        n_trials=n_trials,
        counts=tuple((b, min(own), max(own)) for b, own in zip(ladder, counts, strict=True)),
        n_kept=0 if limit is None else strategy.n_kept(limit),
        brackets=tuple((budget, firsts[budget]) for budget in ladder if firsts[budget]),
        parameter=strategy.parameter,
    )


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _played(
    strategy: SuccessiveHalving, n_trials: int, limit: int | None, seed: int
) -> Iterator[tuple[int, bool]]:
    """Yield for each trial its budget, and true if it is a new proposal."""
    rng, log, scores = np.random.default_rng(seed), TrialLog((Metric("score"),)), dict[str, float]()
    first_kept = n_trials if limit is None else limit - strategy.n_kept(limit)
    while len(log.trials) < n_trials:
        if len(log.trials) - len(log.completed) >= strategy.window:
            _complete_next(strategy, log, scores)
        is_last = len(log.trials) >= first_kept
        proposal = strategy.finish(log, first_kept) if is_last else strategy.propose(log)
        if proposal is LATER:
            _complete_next(strategy, log, scores)
        elif proposal is None:
            return
        else:
            origin, params = proposal
            trial, text = log.ask(params, strategy.key(params), origin), _text(strategy, params)
            yield _budget(strategy, trial), text not in scores
            scores.setdefault(text, float(rng.random()))


def _complete_next(strategy: SuccessiveHalving, log: TrialLog, scores: Mapping[str, float]) -> None:
    pending = log.trials[len(log.completed)]
    result = FoldResult(0, {"score": scores[_text(strategy, pending.params)]})
    log.tell(strategy.judged(pending.completed([result])))


def _text(strategy: SuccessiveHalving, params: Params) -> str:
    return canonical_json({k: v for k, v in params.items() if k != strategy.parameter})


def _budget(strategy: SuccessiveHalving, trial: Trial) -> int:
    budget = trial.params[strategy.parameter]
    assert isinstance(budget, int)  # noqa: S101 - budgets are whole numbers
    return budget
