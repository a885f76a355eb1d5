"""Planner of a run: foresees its trials, and asks the ledger what is known, without any fit.

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
from tunesmith.objective.described import data_of
from tunesmith.objective.identity.unwatched import unwatched
from tunesmith.objective.objective import (
    Objective,
    SharingObjective,
    limits_of_further,
    signs_of_leaks,
)
from tunesmith.objective.plan import TrialCandidates, plan
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.foreign import refuse_foreign
from tunesmith.runs.factory import (
    build_budgeted,
    build_budgets,
    build_objective,
    build_sampler,
    build_strategy,
)
from tunesmith.runs.plan.confirming import ConfirmPlan, plan_confirm
from tunesmith.runs.plan.continued import Continued
from tunesmith.runs.plan.ending import ending
from tunesmith.runs.plan.forecast import BudgetForecast, forecast
from tunesmith.runs.plan.predicting import plan_predictions
from tunesmith.runs.plan.run_plan import RunPlan
from tunesmith.runs.project_code import leads_into
from tunesmith.runs.proposing import races, reads_results, window_of
from tunesmith.runs.starting_points import StartingPoints
from tunesmith.runs.workers import choice
from tunesmith.search.budget import Budgets
from tunesmith.search.stopping import build as build_criterion
from tunesmith.search.stopping import trial_limit
from tunesmith.search.unseen import sampled
from tunesmith.space.grid import count_points
from tunesmith.space.parameter import canonical_json
from tunesmith.study.loop import unique_start
from tunesmith.study.race import Race
from tunesmith.study.read_off import ReadOff, ReadOffStrategy
from tunesmith.study.seeds import trial_rng
from tunesmith.study.strategy import EARLIER, LATER, Strategy
from tunesmith.study.successive_halving import SuccessiveHalving
from tunesmith.types import Params

FORESIGHT = 10_000
"""Most trials, and most of their points, that a plan lists."""
N_LOOKED_AT = 16
"""Number of random points that are examined for submodel candidates if no trial is foreseen."""
RACING = (
    "a trial stops before its last fold if its first ones make it unlikely to pass the best"
    " (`race: off` runs all folds)"
)
FAR = 1_000_000
"""Number of a trial that is certainly no starting point."""
# Searches that never read results, so that their trials are known without any score.
FORESEEABLE = ("grid", "random", "sobol")


def plan_run(definition: Definition) -> RunPlan:
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
    objective = None if project_code else build_objective(definition)
    if definition.file.outputs.predictions is not None:
        # Late, since it needs the libraries of estimators.
        from tunesmith.runs.models.out_of_fold import check_predictions

        check_predictions(definition, objective)
    return Planner(definition, objective).made(project_code)


@dataclass(frozen=True)
class Planner:
    """Foresees the trials of a study and what they will take.

    Args:
        definition: of the study.
        objective: built from it; ``None`` if that would import code of the project.
    """

    definition: Definition
    objective: Objective | None = None

    @property
    def _notes(self) -> tuple[str, ...]:
        """Notes on the objective; those on code that was left alone are read from its text."""
        if self.objective is not None:
            return (*self.objective.notes, *self._first[1])
        section = self.definition.file.objective
        if section.is_program:
            return ()
        return tuple(unwatched(section.all_import_paths, self.definition.root))

    def made(self, project_code: tuple[str, ...] = ()) -> RunPlan:
        """Return the plan.

        Args:
            project_code: import paths that were left alone.
        """
        objective, trials, points = self.objective, self._trials, self._points
        file, n_folds, read_off = self.definition.file, self._n_folds, self._read_off
        n_completed, n_known, n_known_first = self._known()
        n_curve = self._longest_curve()
        n_distinct = self._n_trials if n_curve == 1 else None
        return RunPlan(
            definition=self.definition,
            n_points=self._n_points,
            n_trials=self._n_trials,
            n_folds=n_folds,
            n_scored=n_distinct if points is None else len(points),
            n_groups=len(plan(trials, 1, (), objective.groups)) if objective and trials else None,
            n_curve=n_curve,
            n_completed=n_completed,
            n_known=n_known,
            n_known_first=n_known_first,
            project_code=project_code,
            budgets=() if self._budgets is None else self._budgets.ladder,
            notes=self._notes,
            leaks=signs_of_leaks(objective),
            not_shared=self._not_shared(),
            window=self._window,
            n_workers=choice(file.objective, file.execution)[1],
            read_off=() if read_off is None else read_off.names,
            race=self._race,
            forecast=self._forecast,
            ends=ending(file.stop, [metric.name for metric in file.objective.metric]),
            confirm=self._confirm,
            predictions=plan_predictions(self.definition, n_folds),
            start=self._start,
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
        return build_strategy(
            file, objective, space, build_sampler(file.search, space), self._start
        )

    @property
    def _start(self) -> tuple[tuple[str, Params], ...]:
        """Points to be tried first; none if they depend on code of the project."""
        return self._first[0]

    @cached_property
    def _first(self) -> tuple[tuple[tuple[str, Params], ...], list[str]]:
        """Points to be tried first, and sentences on those that are left out."""
        definition = self.definition
        if self.objective is None or self._continued is None:
            return (), []
        if self._continued.head is not None:
            # They were fixed when the series began; files may have changed since.
            return tuple(self._continued.head.recorded.start or ()), []
        starting, file = StartingPoints(definition), file_of(address(definition.ledger))
        # A plan creates nothing, not even an empty ledger.
        if EARLIER not in definition.file.starting_points or (file and not file.exists()):
            points = starting.of(self.objective)
        else:
            with Ledger.open(definition.ledger, create=False) as ledger:
                points = starting.of(self.objective, ledger)
        return unique_start(definition.space, points, starting.unsaid)

    @cached_property
    def _read_off(self) -> ReadOff | None:
        """Parameters that are read off, if there are any."""
        strategy = None if self.objective is None else self._strategy(self.objective)
        proposing = strategy.proposing if isinstance(strategy, Race) else strategy
        return proposing.read_off if isinstance(proposing, ReadOffStrategy) else None

    @property
    def _confirm(self) -> ConfirmPlan | None:
        """Forecast of the evaluations on further splits."""
        objective, is_wanted = self.objective, self.definition.file.confirms is not None
        limits = limits_of_further(objective) if is_wanted and objective is not None else {}
        continued = self._continued
        if is_wanted and continued is not None and (over := continued.over(self._n_trials)):
            return ConfirmPlan(0, f"no further fits: {over}")
        if continued is None or continued.head is None:
            current = StartingPoints(self.definition).current_parameters
        else:
            current = continued.head.recorded.current
        sizes = self._n_trials, self._n_folds
        return plan_confirm(self.definition, current, *sizes, limits)

    @cached_property
    def _continued(self) -> Continued | None:
        """Series that the run would continue; ``None`` if that depends on code of the project."""
        return None if self.objective is None else Continued.of(self.definition, self.objective)

    @property
    def _race(self) -> str:
        """Sentence on the race over the folds."""
        file = self.definition.file
        sampler = build_sampler(file.search, self.definition.space)
        if races(file, sampler) and self._n_folds != 1:
            return RACING
        if file.search.race != "auto":
            return ""
        reason = "one fold leaves nothing to stop"
        if len(file.objective.metric) > 1:
            reason = "several metrics decide, so that no trial is known to lose"
        return f"none: {reason}"

    @property
    def _window(self) -> int | None:
        """Look-ahead, if it is known and means anything."""
        file, n_folds = self.definition.file, self._n_folds
        sampler = build_sampler(file.search, self.definition.space)
        is_raced = races(file, sampler)
        if not n_folds or not (is_raced or reads_results(file, sampler)):
            return None
        if is_raced and self.objective is not None:
            return self._strategy(self.objective).window
        return window_of(file, sampler, n_folds)

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
    def _forecast(self) -> BudgetForecast | None:
        """Budgets that trials reach, if the numbers of trials and folds are known."""
        file, space, n_folds = self.definition.file, self.definition.space, self._n_folds
        if file.budget is None or self._n_trials is None or not n_folds:
            return None
        found: BudgetForecast | None = None
        for start in self._starts:
            sampler = build_sampler(file.search, space)
            strategy = build_budgeted(file, space, sampler, start, n_folds)
            if not isinstance(strategy, SuccessiveHalving):
                return None
            made = forecast(strategy, self._n_trials, self._limit)
            found = made if found is None else found.joined(made)
        return found

    @property
    def _starts(self) -> list[tuple[tuple[str, Params], ...]]:
        """Points to be tried first: all lists that are possible, if code of the project decides."""
        if self.objective is not None:
            return [self._start]
        definition = self.definition
        known = unique_start(definition.space, StartingPoints(definition).without_code)[0]
        if "defaults" not in definition.file.starting_points:
            return [known]
        # The estimator's own values may lie outside the space, or be one of the others.
        place = sampled(definition.space, trial_rng(0, 0))
        return [known] if place is None else [known, (("defaults", place), *known)]

    @cached_property
    def _n_trials(self) -> int | None:
        """Trials at most; ``None`` if only time or progress ends the study."""
        return min((n for n in (self._limit, self._n_proposals) if n), default=None)

    @cached_property
    def _limit(self) -> int | None:
        """Number of trials after which the study ends in any case."""
        file, space = self.definition.file, self.definition.space
        # A trial that may stop early has one fold at least.
        may_stop = races(file, build_sampler(file.search, space))
        n_least = 1 if may_stop else self._n_folds or 1
        return trial_limit(build_criterion(file.stop, space), n_least)

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
        if self.objective is None or n_trials is None or n_trials > FORESIGHT:
            return None
        # Budgets promote trials by their results, so that even a grid cannot be foreseen.
        if file.search.method not in FORESEEABLE or file.budget:
            return None
        found, n_points = [], 0
        for trial in islice(self.foreseen(), n_trials):
            found.append(trial)
            n_points += len(trial.points)
            if n_points > FORESIGHT:
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
                trial = Trial(FAR + number, params, key=space.key(params), origin="plan")
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
        rows = load_table(
            data,
            self.definition.root,
            fold_column=cv.column,
            in_time=cv.method == "time_series",
            is_auto=section.preprocess == "auto",
        ).rows
        if cv.splitter is not None or cv.method in ("leave_one_group_out", "predefined"):
            return None
        if cv.folds > len(rows):
            raise UsageError(f"cv.folds: {cv.folds} folds of {len(rows)} rows cannot be made")
        return cv.folds * cv.repeats

    # -- what the ledger knows -----------------------------------------------------------------

    def _known(self) -> tuple[int | None, int | None, int]:
        """Completed trials of this very study, and evaluations that the ledger knows.

        The last number is that of the points to be tried first.
        """
        continued = self._continued
        if continued is None:
            file = file_of(address(self.definition.ledger))
            is_new = file is not None and not file.exists()
            return (0, 0, 0) if is_new else (None, None, 0)
        n_known = None if self._points is None else continued.n_known(self._points)
        return continued.n_completed, n_known, continued.n_known(self._firsts)

    @property
    def _firsts(self) -> list[Params]:
        """Points to be tried first, as they are evaluated: with the full budget."""
        budget = self.definition.file.budget
        # The others are compared with them, so they do not begin small.
        if budget is None or budget.parameter is None:
            return [params for _, params in self._start]
        return [{**params, budget.parameter: budget.max} for _, params in self._start]
