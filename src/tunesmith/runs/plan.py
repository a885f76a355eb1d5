"""Plan (dry run): evaluations that a run would make, and those that are known already.

No code of the user's project is imported: an estimator of the project is named, not built, and
everything that depends on it stays open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from tunesmith.config.model import Definition
from tunesmith.data.table import load_table
from tunesmith.errors import UsageError
from tunesmith.history import Trial, TrialLog
from tunesmith.ledger.dialect import address, file_of
from tunesmith.ledger.ledger import Ledger
from tunesmith.objective.crossval import data_of
from tunesmith.objective.objective import Objective, SharingObjective, changed_files, holding
from tunesmith.objective.plan import TrialCandidates, plan
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.foreign import refuse_foreign
from tunesmith.runs.factory import (
    build_budgets,
    build_objective,
    build_sampler,
    build_strategy,
    identity,
)
from tunesmith.runs.project_code import leads_into
from tunesmith.runs.proposing import reads_results, window_of
from tunesmith.runs.starting_points import StartingPoints
from tunesmith.runs.workers import choice
from tunesmith.search.budget import Budgets
from tunesmith.search.stopping import build as build_criterion
from tunesmith.search.stopping import trial_limit
from tunesmith.search.unseen import sampled
from tunesmith.space.grid import count_points
from tunesmith.space.parameter import canonical_json
from tunesmith.study.loop import unique_start
from tunesmith.study.read_off import ReadOff, ReadOffStrategy
from tunesmith.study.seeds import trial_rng
from tunesmith.study.strategy import LATER, Strategy
from tunesmith.types import Params

PREVIEW_LIMIT = 10_000
N_LOOKED_AT = 16
"""Number of random points that are examined for submodel candidates if no trial is foreseen."""
FAR = 1_000_000
"""Number of a trial that is certainly no starting point."""
# Searches that never read results, so that their trials are known without any score.
FORESEEABLE = ("grid", "random", "sobol")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Plan of a run."""

    definition: Definition
    n_points: int | None
    """Points of the space; ``None`` for a continuum."""
    n_trials: int | None
    """Trials at most; ``None`` if only time or progress ends the study."""
    n_folds: int | None
    """Folds; ``None`` if they depend on project code."""
    n_scored: int | None
    """Different points that will be scored at most; ``None`` if this cannot be foreseen."""
    n_groups: int | None
    """Groups of candidates that share a fit; ``None`` if this cannot be foreseen."""
    n_curve: int
    """Most submodel candidates of a trial, which is the best of them; 1 without any."""
    n_told: int | None
    """Trials of this very study that are completed; ``None`` if that depends on project code."""
    n_known: int | None
    """Evaluations that the ledger knows; ``None`` if this cannot be foreseen."""
    project_code: tuple[str, ...]
    """Import paths that lead into the project and were left alone."""
    budgets: tuple[int, ...] = ()
    """Budgets of trials, smallest first; empty without budgets."""
    notes: tuple[str, ...] = ()
    """Sentences on the objective that a user should read."""
    not_shared: tuple[str, ...] = ()
    """Reasons why fits are not shared that might be expected to be."""
    window: int | None = None
    """Look-ahead; ``None`` if results are not read, or if the number of folds is not known."""
    n_workers: int = 1
    """Number of workers that the run would have."""
    read_off: tuple[str, ...] = ()
    """Submodel parameters that are read off each fit and not searched."""

    @property
    def n_idle(self) -> int:
        """Number of workers that would wait for results most of the time."""
        if self.window is None or self.n_folds is None:
            return 0
        return max(0, self.n_workers - self.window * self.n_folds)

    @property
    def is_shared(self) -> bool:
        """True if some fits are foreseen to score several candidates."""
        is_joint = None not in (self.n_scores, self.n_fits) and self.n_scores != self.n_fits
        return is_joint or self.n_curve > 1

    @property
    def n_scores(self) -> int | None:
        """Evaluations at most; ``None`` if this cannot be foreseen."""
        return None if self.n_scored is None else _product(self.n_scored, self.n_folds)

    @property
    def n_fits(self) -> int | None:
        """Fits at most; one may score several candidates."""
        n = self.n_trials if self.n_groups is None else self.n_groups
        return None if n is None else _product(n, self.n_folds)


def _product(n: int, n_folds: int | None) -> int | None:
    return None if n_folds is None else n * n_folds


def preview(definition: Definition) -> Preview:
    """Work out the plan.

    Raises:
        UsageError: the data, the estimator or the sampler cannot be used.
    """
    # The plan fails if the run would.
    refuse_foreign(BestFile.of(definition))
    build_sampler(definition.file.search, definition.space)
    if count_points(definition.space) == 0:
        raise UsageError("space.constraints: no point of the space meets them; loosen them.")
    named = definition.file.objective.all_import_paths
    project_code = tuple(p for p in named if leads_into(definition.root, p))
    if project_code:
        return Planner(definition).preview(project_code)
    return Planner(definition, build_objective(definition)).preview()


@dataclass(frozen=True)
class Planner:
    """Foresees the trials of a study and what they will take.

    Args:
        definition: of the study.
        objective: built from it; ``None`` if that would import code of the project.
    """

    definition: Definition
    objective: Objective | None = None

    def preview(self, project_code: tuple[str, ...] = ()) -> Preview:
        """Return the plan.

        Args:
            project_code: import paths that were left alone.
        """
        objective, trials, points = self.objective, self._trials, self._points
        file, n_folds, read_off = self.definition.file, self._n_folds, self._read_off
        n_told, n_known = self._known()
        n_curve = self._longest_curve()
        n_distinct = self._n_trials if n_curve == 1 else None
        return Preview(
            definition=self.definition,
            n_points=self._n_points,
            n_trials=self._n_trials,
            n_folds=n_folds,
            n_scored=n_distinct if points is None else len(points),
            n_groups=len(plan(trials, 1, (), objective.groups)) if objective and trials else None,
            n_curve=n_curve,
            n_told=n_told,
            n_known=n_known,
            project_code=project_code,
            budgets=() if self._budgets is None else self._budgets.ladder,
            notes=() if objective is None else tuple(objective.notes),
            not_shared=self._not_shared(),
            window=self._window,
            n_workers=choice(file.objective, file.execution)[1],
            read_off=() if read_off is None else read_off.names,
        )

    def foreseen(self) -> Iterator[TrialCandidates]:
        """Yield the trials of a search that does not read results, in order.

        Without an objective there are none.
        """
        objective, space = self.objective, self.definition.space
        if objective is None:
            return
        strategy = self._strategy(objective)
        log = TrialLog(objective.objectives)
        while (proposal := strategy.propose(log)) is not None and proposal is not LATER:
            origin, params = proposal
            trial = log.ask(params, space.key(params), origin)
            points = strategy.points(trial, objective)
            yield TrialCandidates(trial.number, tuple(points), points.index(params))

    def _strategy(self, objective: Objective) -> Strategy:
        file, space = self.definition.file, self.definition.space
        start, _ = unique_start(space, StartingPoints(self.definition).of(objective))
        return build_strategy(file, objective, space, build_sampler(file.search, space), start)

    @cached_property
    def _read_off(self) -> ReadOff | None:
        """Parameters that are read off, if there are any."""
        strategy = None if self.objective is None else self._strategy(self.objective)
        return strategy.read_off if isinstance(strategy, ReadOffStrategy) else None

    @property
    def _window(self) -> int | None:
        """Look-ahead, if it is known and means anything."""
        file, n_folds = self.definition.file, self._n_folds
        sampler = build_sampler(file.search, self.definition.space)
        is_read = n_folds is not None and reads_results(file, sampler)
        return window_of(file, sampler, n_folds) if is_read and n_folds else None

    @cached_property
    def _n_folds(self) -> int | None:
        """Folds; ``None`` if they depend on project code."""
        return self._folds_without_code() if self.objective is None else self.objective.n_folds

    # -- trials --------------------------------------------------------------------------------

    @cached_property
    def _n_points(self) -> int | None:
        return count_points(self.definition.space)

    @cached_property
    def _budgets(self) -> Budgets | None:
        budget = self.definition.file.budget
        return None if budget is None else build_budgets(budget)

    @cached_property
    def _n_trials(self) -> int | None:
        """Trials at most; ``None`` if only time or progress ends the study."""
        limit = trial_limit(build_criterion(self.definition.file.stop))
        return min((n for n in (limit, self._n_proposals) if n), default=None)

    @property
    def _n_proposals(self) -> int | None:
        """Trials after which a finite space is exhausted; a promoted trial is one of its own."""
        if self.objective is not None and self._read_off is not None:
            return self._strategy(self.objective).n_points
        if self._n_points is None or self._budgets is None:
            return self._n_points
        has_parameter = self.definition.file.budget_parameter is not None
        return self._n_points * len(self._budgets.ladder) if has_parameter else self._n_points

    @cached_property
    def _trials(self) -> list[TrialCandidates] | None:
        """Trials that will be run; ``None`` if results decide that, or if there are too many."""
        file, n_trials = self.definition.file, self._n_trials
        if self.objective is None or n_trials is None or n_trials > PREVIEW_LIMIT:
            return None
        # Budgets promote trials by their results, so that even a grid cannot be foreseen.
        if file.search.method not in FORESEEABLE or file.budget:
            return None
        found, n_points = [], 0
        for trial in islice(self.foreseen(), n_trials):
            found.append(trial)
            n_points += len(trial.points)
            if n_points > PREVIEW_LIMIT:
                return None
        return found

    @cached_property
    def _points(self) -> list[Params] | None:
        """Different points of the trials, if they are foreseen."""
        if self._trials is None:
            return None
        points = (params for trial in self._trials for params in trial.points)
        return list({canonical_json(dict(params)): params for params in points}.values())

    # -- fits ----------------------------------------------------------------------------------

    def _longest_curve(self) -> int:
        """Most submodel candidates of the trials that are foreseen, or else of random points."""
        if self.objective is None:
            return 1
        if self._trials is not None:
            return max((len(trial.points) for trial in self._trials), default=1)
        strategy, space = self._strategy(self.objective), self.definition.space
        rng, lengths = trial_rng(0, 0), [1]
        for number in range(N_LOOKED_AT):
            params = sampled(space, rng)
            if params is not None:
                params = params if self._read_off is None else self._read_off.proposed(params)
                # No starting point, since those are scored as they are.
                trial = Trial(FAR + number, params, key=space.key(params), origin="preview")
                lengths.append(len(strategy.points(trial, self.objective)))
        return max(lengths)

    def _not_shared(self) -> tuple[str, ...]:
        """Reasons why candidates that are foreseen, or else some random ones, share no fits."""
        objective: object = self.objective
        points = self._points
        if not isinstance(objective, SharingObjective):
            return ()
        if points is None:
            # A fixed generator, so that the plan is the same each time.
            rng = trial_rng(0, 0)
            drawn = (sampled(self.definition.space, rng) for _ in range(N_LOOKED_AT))
            points = [params for params in drawn if params is not None]
        has_candidates = self.definition.file.has_submodel_candidates
        blockers = objective.blockers(points, has_submodel_candidates=has_candidates)
        return tuple(blockers)

    def _folds_without_code(self) -> int | None:
        """Check the table, and count the folds if their number is known without code."""
        section = self.definition.file.objective
        cv, data = section.cv, data_of(section)
        in_time = cv.method == "time_series"
        rows = load_table(data, self.definition.root, fold_column=cv.column, in_time=in_time).rows
        if cv.splitter is not None or cv.method in ("leave_one_group_out", "predefined"):
            return None
        if cv.folds > len(rows):
            raise UsageError(f"cv.folds: {cv.folds} folds of {len(rows)} rows cannot be made")
        return cv.folds * cv.repeats

    # -- what the ledger knows -----------------------------------------------------------------

    def _known(self) -> tuple[int | None, int | None]:
        """Completed trials of this very study, and evaluations that the ledger knows."""
        location = self.definition.ledger
        file = file_of(address(location))
        # A plan creates nothing, not even an empty ledger.
        if file is not None and not file.exists():
            return 0, 0
        with Ledger.open(location, create=False) as ledger:
            if self.objective is None:
                return None, None
            n_told = self._n_told(ledger, self.objective)
            return n_told, self._n_known(ledger, self.objective)

    def _n_told(self, ledger: Ledger, objective: Objective) -> int:
        head = ledger.previous(self.definition.file.study)
        if head is None or head.identity != identity(self.definition, objective):
            return 0
        return 0 if changed_files(objective, head.reading) else len(ledger.log(head.id).told)

    def _n_known(self, ledger: Ledger, objective: Objective) -> int | None:
        if self._points is None:
            return None
        keys = [objective.key(p, f) for p in self._points for f in range(objective.n_folds)]
        return len(ledger.known(keys, holds=holding(objective)))
