"""Strategy with budgets: all trials start small, and the best are promoted to larger budgets.

A promoted trial is a trial of its own, with the same params but for the budget. Only trials with
the full budget are complete and ranked. The last trials of a study are kept for the best ones under
way, which are promoted to the full budget at once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.history import History, Trial, TrialLog
from tunesmith.objective.objective import Objective
from tunesmith.search.budget import Budgets
from tunesmith.space.parameter import canonical_json
from tunesmith.study.promotion import front_numbers, promotion_order
from tunesmith.study.seeds import trial_rng
from tunesmith.study.strategy import LATER, Later, NoPruning, SamplerStrategy
from tunesmith.types import Params, State

PROMOTED = "promoted"
"""Origin of a promoted trial."""


@dataclass(frozen=True)
class SuccessiveHalving(NoPruning):
    """Proposes a promoted trial if there is one, else a new one.

    Trial k is proposed from the smallest history that has a proposal to make, among those in which
    trials 0 to n are completed, for n from k - ``window`` + 1 to k. So it does not depend on the
    speed of any worker, also if the sampler has nothing new and completed trials must be waited
    for.
    """

    sampling: SamplerStrategy
    parameter: str
    budgets: Budgets
    weights: tuple[float, ...] = ()
    """Weights of the metrics, if the preference of the study is a weighted sum of them."""

    @property
    def window(self) -> int:
        """The sampler's look-ahead."""
        return self.sampling.window

    @property
    def looks_back(self) -> bool:
        """True: results decide which trials are promoted."""
        return True

    @property
    def n_points(self) -> int | None:
        """Unknown: it depends on the promotions."""
        return None

    def propose(self, log: TrialLog) -> tuple[str, Params] | Later | None:
        """Origin and params of the next trial."""
        number = len(log.trials)
        # From the smallest history on: the first one with a proposal decides, however many trials
        # are completed by now.
        for n_completed in range(max(0, number - self.window + 1), number + 1):
            if n_completed > len(log.completed):
                return LATER
            if proposal := self._from(log.view(n_completed), number):
                return proposal
        return self._at_least_one(log)

    def _at_least_one(self, log: TrialLog) -> tuple[str, Params] | None:
        """Promotion of the best trial of a space that is exhausted, if none has the full budget."""
        if any(map(self._is_full, log.trials)):
            return None
        under_way = self._runs(log.view()).under_way()
        return (PROMOTED, self._promoted(under_way[0])) if under_way else None

    def _runs(self, history: History) -> "_Runs":
        return _Runs(history, self.parameter, self.budgets, self.weights)

    def _promoted(self, trial: Trial) -> Params:
        """Params of a trial with the full budget."""
        return {**trial.params, self.parameter: self.budgets.max}

    def _is_full(self, trial: Trial) -> bool:
        return trial.params[self.parameter] == self.budgets.max

    def n_kept(self, n_trials: int) -> int:
        """Number of last trials, out of so many, that are kept for the full budget."""
        return self.budgets.n_kept(n_trials)

    def finish(self, log: TrialLog, first: int) -> tuple[str, Params] | Later | None:
        """Origin and params of the next trial among the last ones of a study.

        All of them are chosen when the trials before them are completed, so that they can run at
        the same time. Without anything under way, the study goes on as before; if no trial has the
        full budget by then, a new one gets it.
        """
        if len(log.completed) < first:
            return LATER
        number, history = len(log.trials), History(log, first, first)
        under_way = self._runs(history).under_way()
        if number - first < len(under_way):
            return PROMOTED, self._promoted(under_way[number - first])
        if any(map(self._is_full, log.trials)):
            return self.propose(log)
        new = self._suggested(self._runs(history), number)
        return None if new is None else (new[0], {**new[1], self.parameter: self.budgets.max})

    def _from(self, history: History, number: int) -> tuple[str, Params] | None:
        runs = self._runs(history)
        if (going_on := runs.next_to_go_on()) is not None:
            return PROMOTED, going_on
        index, start = len(runs.firsts), self.sampling.start
        if index < len(start):
            # The others are compared with a starting point, so it gets the full budget at once.
            origin, params = start[index]
            return origin, {**params, self.parameter: self.budgets.max}
        budget = self.budgets.ladder[self.budgets.bracket_of(index - len(start))]
        suggested = self._suggested(runs, number)
        return (
            None if suggested is None else (suggested[0], {**suggested[1], self.parameter: budget})
        )

    def _suggested(self, runs: "_Runs", number: int) -> tuple[str, Params] | None:
        sampling = self.sampling
        history = runs.as_history(sampling)
        rng = trial_rng(sampling.seed, number)
        points = sampling.sampler.suggest(sampling.space, history, 1, rng)
        return (sampling.name, points[0]) if points else None

    def key(self, params: Params) -> str:
        """Text of the params."""
        return canonical_json(dict(params))

    def points(self, trial: Trial, objective: Objective) -> Sequence[Params]:  # noqa: ARG002
        """The trial's params only."""
        return (trial.params,)

    def judged(self, trial: Trial) -> Trial:
        """Mark a trial that ended before the full budget as not complete."""
        is_pruned = not self._is_full(trial) and trial.state is State.COMPLETE
        return replace(trial, state=State.PRUNED) if is_pruned else trial


class _Runs:
    """A history, by proposal and by the budget that each has reached."""

    def __init__(
        self, history: History, parameter: str, budgets: Budgets, weights: Sequence[float]
    ) -> None:
        self._history, self._parameter, self._budgets = history, parameter, budgets
        self._weights = weights
        self.firsts: dict[str, Trial] = {}
        """The first trial of each proposal, in order, by the text of its params."""
        self._last: dict[str, Trial] = {}
        for trial in history:
            text = canonical_json(dict(self._plain(trial)))
            self.firsts.setdefault(text, trial)
            self._last[text] = trial

    def _plain(self, trial: Trial) -> Params:
        return {k: v for k, v in trial.params.items() if k != self._parameter}

    def next_to_go_on(self) -> Params | None:
        """Next promoted trial with its budget; largest budget first, then the best trial."""
        ladder = self._budgets.ladder
        for step in range(len(ladder) - 2, -1, -1):
            for bracket in range(min(step, len(self._budgets.brackets) - 1), -1, -1):
                candidates = self._going_on(bracket, ladder[step])
                for trial in candidates:
                    text = canonical_json(dict(self._plain(trial)))
                    if self._last[text] is trial:
                        return {**trial.params, self._parameter: ladder[step + 1]}
        return None

    def under_way(self) -> list[Trial]:
        """The last trial of each proposal that may still be promoted, best scores first.

        Scores are compared whatever their budgets: most grow with the budget, so that a trial with
        a small one is among the first only if it is a surprise. With several metrics, trials that
        none with the same budget dominates come first; a metric such as the time of a fit is better
        with a small budget, so that fronts across budgets mean nothing.
        """
        completed = {trial.number for trial in self._history.completed}
        lasts = [
            trial
            for trial in self._last.values()
            if trial.number in completed
            and trial.state is not State.FAILED
            and trial.params[self._parameter] != self._budgets.max
        ]
        fronts: dict[int, int] = {}
        for budget in self._budgets.ladder:
            alike = [trial for trial in lasts if trial.params[self._parameter] == budget]
            fronts |= self._fronts(alike)
        return sorted(
            lasts,
            key=lambda t: (
                bool(self._history.violated(t)),
                fronts[t.number],
                -self._gains(t)[0],
                t.number,
            ),
        )

    def _fronts(self, trials: Sequence[Trial]) -> dict[int, int]:
        """Map trials by number to the front that they are on; with one metric there is one."""
        # With one metric each front is a single score, and budgets could not be compared.
        if len(self._history.objectives) == 1:
            return {trial.number: 0 for trial in trials}
        found: dict[int, int] = {}
        for part in self._parts(trials):
            numbers = front_numbers(np.array([self._gains(trial) for trial in part]))
            found |= {t.number: int(n) for t, n in zip(part, numbers, strict=True)}
        return found

    def _parts(self, trials: Sequence[Trial]) -> list[list[Trial]]:
        """Trials that meet all constraints, and those that do not, which dominate nothing."""
        refused = {trial.number for trial in trials if self._history.violated(trial)}
        parts = [
            [trial for trial in trials if (trial.number in refused) == is_refused]
            for is_refused in (False, True)
        ]
        return [part for part in parts if part]

    def _gains(self, trial: Trial) -> tuple[float, ...]:
        """Means of the metrics that decide, turned so that larger is better."""
        return tuple(
            metric.sign * float(trial.scores(metric.name).mean())
            for metric in self._history.objectives
        )

    def _going_on(self, bracket: int, budget: int) -> list[Trial]:
        """Completed trials with this budget that are good enough, best first."""
        completed = [
            trial for trial in self._completed_at(budget) if self._bracket(trial) == bracket
        ]
        # Failed trials count among those with this budget, but are never promoted.
        scored = [trial for trial in completed if trial.state is not State.FAILED]
        n = self._budgets.n_going_on(len(completed))
        if not n:
            return []
        # What violates a constraint at this budget comes after all that does not.
        ordered = [
            part[place]
            for part in self._parts(sorted(scored, key=lambda trial: trial.number))
            for place in promotion_order(
                np.array([self._gains(trial) for trial in part]), self._weights
            )
        ]
        return ordered[:n]

    def _completed_at(self, budget: int) -> Iterator[Trial]:
        return (t for t in self._history.completed if t.params[self._parameter] == budget)

    def _bracket(self, trial: Trial) -> int:
        first = self.firsts[canonical_json(dict(self._plain(trial)))]
        return self._budgets.ladder.index(_whole(first.params[self._parameter]))

    def as_history(self, sampling: SamplerStrategy) -> History:
        """History for the sampler: proposals without budgets, with scores at one budget.

        As in BOHB (Falkner et al. 2018) this is the largest budget that enough proposals have
        reached; the others count as weaker.
        """
        # As in BOHB: a model needs more points than parameters.
        enough = len(sampling.space.names) + 2
        at: dict[int, dict[str, Trial]] = {}
        for trial in self._history.completed:
            text = canonical_json(dict(self._plain(trial)))
            at.setdefault(_whole(trial.params[self._parameter]), {})[text] = trial
        full = [budget for budget in sorted(at) if len(at[budget]) >= enough]
        chosen = at[full[-1]] if full else at[min(at)] if at else {}
        log = self._history.emptied()
        completed_numbers = {trial.number for trial in self._history.completed}
        # Completed trials first, since a log completes trials in the order in which they were
        # proposed.
        firsts = sorted(
            self.firsts.items(), key=lambda item: item[1].number not in completed_numbers
        )
        for text, first in firsts:
            params = self._plain(first)
            trial = log.ask(params, sampling.space.key(params), first.origin)
            if first.number in completed_numbers:
                log.tell(_as(trial, chosen.get(text)))
        return log.view()


def _as(pending: Trial, result: Trial | None) -> Trial:
    if result is None:
        return replace(pending, state=State.PRUNED)
    state = State.COMPLETE if result.state is State.PRUNED else result.state
    return replace(pending, state=state, folds=result.folds)


def _whole(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - budgets are whole numbers
    return value
