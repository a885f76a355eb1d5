"""Plan (dry run): evaluations that a run would make, and those that are known already.

No code of the user's project is imported: an estimator of the project is named, not built, and
everything that depends on it stays open.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from tunesmith.config.model import Definition
from tunesmith.data.table import load_table
from tunesmith.errors import UsageError
from tunesmith.history import Trial, TrialLog
from tunesmith.ledger.dialect import address, file_of
from tunesmith.ledger.ledger import Ledger
from tunesmith.objective.crossval import data_of
from tunesmith.objective.objective import Objective, changed_files, holding
from tunesmith.objective.plan import TrialCandidates, plan
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.foreign import refuse_foreign
from tunesmith.runs.factory import (
    build_budgets,
    build_objective,
    build_sampler,
    build_strategy,
    has_submodel_candidates,
    identity,
    start_points,
)
from tunesmith.search.stopping import build as build_criterion
from tunesmith.search.stopping import trial_limit
from tunesmith.search.unseen import sampled
from tunesmith.space.grid import count_points
from tunesmith.space.parameter import canonical_json
from tunesmith.study.loop import unique_start
from tunesmith.study.seeds import trial_rng
from tunesmith.study.strategy import LATER
from tunesmith.system.shadows import FINDER
from tunesmith.types import Params

PREVIEW_LIMIT = 10_000
N_LOOKED_AT = 16
"""Number of random points that are examined for submodel candidates if no trial is foreseen."""
# Searches that never read results, so that their trials are known without any score.
FORESEEABLE = ("grid", "random", "sobol")


@dataclass(frozen=True)
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
    build_sampler(definition)
    n_points = count_points(definition.space)
    if n_points == 0:
        raise UsageError("space.constraints: no point of the space meets them; loosen them.")
    named = definition.file.objective.all_import_paths
    project_code = tuple(p for p in named if leads_into(definition.root, p))
    objective = None if project_code else build_objective(definition)
    limit = trial_limit(build_criterion(definition.file.stop))
    budgets = build_budgets(definition)
    n_trials = min((n for n in (limit, _n_proposals(definition, n_points)) if n), default=None)
    trials = None if objective is None else _trials(definition, objective, n_trials)
    points = None if trials is None else _distinct(trials)
    n_told, n_known = _known(definition, objective, points)
    n_curve = 1 if objective is None else _longest_curve(definition, objective, trials)
    return Preview(
        definition,
        n_points,
        n_trials,
        _folds_without_code(definition) if objective is None else objective.n_folds,
        n_scored=len(points) if points is not None else n_trials if n_curve == 1 else None,
        n_groups=len(plan(trials, 1, (), objective.groups)) if objective and trials else None,
        n_curve=n_curve,
        n_told=n_told,
        n_known=n_known,
        project_code=project_code,
        budgets=() if budgets is None else budgets.ladder,
        notes=() if objective is None else tuple(objective.notes),
        not_shared=() if objective is None else _not_shared(definition, objective, points),
    )


def _not_shared(
    definition: Definition, objective: Objective, points: list[Params] | None
) -> tuple[str, ...]:
    """Reasons why candidates that are foreseen, or else some random ones, share no fits."""
    ask = getattr(objective, "blockers", None)
    if ask is None:
        return ()
    if points is None:
        # A fixed generator, so that the plan is the same each time.
        rng = trial_rng(0, 0)
        drawn = (sampled(definition.space, rng) for _ in range(N_LOOKED_AT))
        points = [params for params in drawn if params is not None]
    return tuple(ask(points, has_submodel_candidates=has_submodel_candidates(definition)))


def _n_proposals(definition: Definition, n_points: int | None) -> int | None:
    """Trials after which a finite space is exhausted; a promoted trial is a trial of its own."""
    budget, budgets = definition.file.budget, build_budgets(definition)
    if n_points is None or budget is None or budgets is None or budget.parameter is None:
        return n_points
    return n_points * len(budgets.ladder)


def _trials(
    definition: Definition, objective: Objective, n_trials: int | None
) -> list[TrialCandidates] | None:
    """Points that will be evaluated; ``None`` if results decide that, or if there are too many."""
    method, budget = definition.file.search.method, definition.file.budget
    # Budgets promote trials by their results, so that even a grid cannot be foreseen.
    if n_trials is None or n_trials > PREVIEW_LIMIT or method not in FORESEEABLE or budget:
        return None
    found, n_points = [], 0
    for trial in islice(foreseen(definition, objective), n_trials):
        found.append(trial)
        n_points += len(trial.points)
        if n_points > PREVIEW_LIMIT:
            return None
    return found


def _distinct(trials: Sequence[TrialCandidates]) -> list[Params]:
    points = (params for trial in trials for params in trial.points)
    return list({canonical_json(dict(params)): params for params in points}.values())


def _longest_curve(
    definition: Definition, objective: Objective, trials: Sequence[TrialCandidates] | None
) -> int:
    """Most submodel candidates of the trials that are foreseen, or else of some random points."""
    if trials is not None:
        return max((len(trial.points) for trial in trials), default=1)
    strategy = build_strategy(definition, build_sampler(definition), ())
    rng, lengths = trial_rng(0, 0), [1]
    for number in range(N_LOOKED_AT):
        params = sampled(definition.space, rng)
        if params is not None:
            trial = Trial(number, params, definition.space.key(params), "preview")
            lengths.append(len(strategy.points(trial, objective)))
    return max(lengths)


def _folds_without_code(definition: Definition) -> int | None:
    """Check the table, and count the folds if their number is known without code."""
    section = definition.file.objective
    in_time = section.cv.method == "time_series"
    rows = load_table(
        data_of(section), definition.root, fold_column=section.cv.column, in_time=in_time
    ).rows
    cv = section.cv
    if cv.splitter is not None or cv.method in ("leave_one_group_out", "predefined"):
        return None
    if cv.folds > len(rows):
        raise UsageError(f"cv.folds: {cv.folds} folds of {len(rows)} rows cannot be made")
    return cv.folds * cv.repeats


def leads_into(root: Path, import_path: str) -> bool:
    """True if a path's top-level module lies in the project (found by name, never imported)."""
    top = import_path.replace(":", ".").split(".")[0]
    folders = (root, root / "src")
    if any((folder / top).is_dir() or (folder / f"{top}.py").is_file() for folder in folders):
        # A project's `random.py` is not what others mean by `random`.
        return not FINDER.means_another(top, list(map(str, folders)))
    try:
        # Of a dotted name, `find_spec` would import the packages above; a top-level name has none.
        spec = find_spec(top)
    except (ImportError, ValueError):
        return False
    origin = spec.origin if spec else None
    return origin is not None and _within(Path(origin), root)


def _within(origin: Path, root: Path) -> bool:
    # A virtual environment often lies inside the project; what is installed there is no project
    # code.
    resolved = origin.resolve()
    return resolved.is_relative_to(root.resolve()) and "site-packages" not in resolved.parts


def _known(
    definition: Definition, objective: Objective | None, points: list[Params] | None
) -> tuple[int | None, int | None]:
    """Completed trials of this very study, and evaluations that the ledger knows."""
    location = definition.ledger
    file = file_of(address(location))
    # A plan creates nothing, not even an empty ledger.
    if file is not None and not file.exists():
        return 0, 0
    with Ledger.open(location, create=False) as ledger:
        if objective is None:
            return None, None
        head = ledger.previous(definition.file.study)
        is_same = head is not None and head.identity == identity(definition, objective)
        is_same = is_same and not changed_files(objective, head.reading if head else None)
        n_told = len(ledger.log(head.id).told) if head is not None and is_same else 0
        if points is None:
            return n_told, None
        keys = [objective.key(p, f) for p in points for f in range(objective.n_folds)]
        return n_told, len(ledger.known(keys, holds=holding(objective)))


def foreseen(definition: Definition, objective: Objective) -> Iterator[TrialCandidates]:
    """Trials of a search that does not read results, in order."""
    start, _ = unique_start(definition.space, start_points(definition, objective))
    strategy = build_strategy(definition, build_sampler(definition), start)
    log = TrialLog(objective.objectives)
    while (proposal := strategy.propose(log)) is not None and proposal is not LATER:
        origin, params = proposal
        trial = log.ask(params, definition.space.key(params), origin)
        points = strategy.points(trial, objective)
        yield TrialCandidates(trial.number, tuple(points), points.index(params))
