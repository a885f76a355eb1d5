"""Strategy with budgets: all trials start small, and the best are promoted to larger budgets.

A promoted trial is a trial of its own, with the same params but for the budget. Only trials with
the full budget are complete and ranked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tunesmith.history import History, Trial, TrialLog
from tunesmith.objective.objective import Objective
from tunesmith.search.budget import Budgets
from tunesmith.space.parameter import canonical_json
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
        number = len(log.asked)
        # From the smallest history on: the first one with a proposal decides, however many trials
        # are completed by now.
        for n_told in range(max(0, number - self.window + 1), number + 1):
            if n_told > len(log.told):
                return LATER
            if proposal := self._from(log.view(n_told), number):
                return proposal
        return None

    def _from(self, history: History, number: int) -> tuple[str, Params] | None:
        runs = _Runs(history, self.parameter, self.budgets)
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
        is_short = trial.params[self.parameter] != self.budgets.max
        is_pruned = is_short and trial.state is State.COMPLETE
        return replace(trial, state=State.PRUNED) if is_pruned else trial


class _Runs:
    """A history, by proposal and by the budget that each has reached."""

    def __init__(self, history: History, parameter: str, budgets: Budgets) -> None:
        self._history, self._parameter, self._budgets = history, parameter, budgets
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

    def _going_on(self, bracket: int, budget: int) -> list[Trial]:
        """Completed trials with this budget that are good enough, best first."""
        metric = self._history.objectives[0]
        told = [trial for trial in self._told_at(budget) if self._bracket(trial) == bracket]
        scored = [trial for trial in told if trial.state is not State.FAILED]
        gains = {t.number: metric.sign * float(t.scores(metric.name).mean()) for t in scored}
        scored.sort(key=lambda trial: (-gains[trial.number], trial.number))
        # Failed trials count among those with this budget, but are never promoted.
        return scored[: self._budgets.n_going_on(len(told))]

    def _told_at(self, budget: int) -> Iterator[Trial]:
        return (t for t in self._history.told if t.params[self._parameter] == budget)

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
        for trial in self._history.told:
            text = canonical_json(dict(self._plain(trial)))
            at.setdefault(_whole(trial.params[self._parameter]), {})[text] = trial
        full = [budget for budget in sorted(at) if len(at[budget]) >= enough]
        chosen = at[full[-1]] if full else at[min(at)] if at else {}
        log = TrialLog(self._history.objectives)
        told_numbers = {trial.number for trial in self._history.told}
        # Completed trials first, since a log completes trials in the order in which they were
        # asked.
        firsts = sorted(self.firsts.items(), key=lambda item: item[1].number not in told_numbers)
        for text, first in firsts:
            params = self._plain(first)
            asked = log.ask(params, sampling.space.key(params), first.origin)
            if first.number in told_numbers:
                log.tell(_as(asked, chosen.get(text)))
        return log.view()


def _as(asked: Trial, result: Trial | None) -> Trial:
    if result is None:
        return replace(asked, state=State.PRUNED)
    state = State.COMPLETE if result.state is State.PRUNED else result.state
    return replace(asked, state=state, folds=result.folds)


def _whole(value: object) -> int:
    assert isinstance(value, int)  # noqa: S101 - budgets are whole numbers
    return value
