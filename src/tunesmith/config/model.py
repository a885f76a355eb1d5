"""The configuration as typed, frozen sections: one class a section of ``tuning.yaml``.

The sections of the objective are in ``objective`` and ``program``, those of the gate in ``gate``.
The classes hold the rules of single values. Rules between sections live in ``rules``, the search
space in ``space``, reading and error positions in ``load``. Shorthands (``metric: recall``,
``cv: 5``) are turned into the full form as they enter, so that readers meet one form only.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    model_serializer,
    model_validator,
)

from tunesmith.config.gate import ConfirmSection, GateSection, gated
from tunesmith.config.models import ModelsSection, PredictionsFile, PredictionsSection
from tunesmith.config.objective import ObjectiveSection
from tunesmith.config.prefixes import Prefixes
from tunesmith.config.section import (
    SLUG,
    Duration,
    Fixed,
    Margin,
    Section,
    Size,
    default_of,
    listed,
    located,
    ruled,
)
from tunesmith.config.stop import StopSection
from tunesmith.errors import UsageError
from tunesmith.space import SearchSpace


class SearchSection(Section):
    """Proposal of candidates."""

    method: str = "bayesian"
    """``grid``, ``random``, ``bayesian``, or the name of an installed sampler."""
    sampler: str | None = None
    """The model behind ``bayesian``: ``auto``, ``gp``, ``tpe``, ``cmaes`` or ``sobol``."""
    seed: int = Field(default=0, ge=0)
    """Same study and seed, same trials."""
    window: int | None = Field(default=None, ge=1, le=100_000)
    """Look-ahead: a trial is proposed from all results but those of the last ``window - 1`` trials,
    however many workers you have. By default 8 divided by the number of folds, rounded up, and at
    most 4: 1 with 10 folds, 2 with 5, 4 with one. Workers beyond ``window`` times the folds are of
    no use. Grid and random search read no results, so it means nothing to them unless they race."""
    race: Literal["auto", "off"] | None = None
    """Race over the folds: with ``auto``, a trial stops before its last fold if its first ones make
    it unlikely (at most 5 %) that its mean would pass the best so far. It stays in the history with
    the folds that are known, and never wins. By default ``auto`` for searches that read results and
    ``off`` for grid, random and Sobol search. Starting points always run to their end. There is no
    race with several metrics, with ``budget``, or with a single fold."""
    start_with: Annotated[tuple[str | dict[str, Fixed], ...], BeforeValidator(listed)] | None = None
    """Tried first: ``defaults`` (the estimator's), ``current`` (the best-parameters file),
    ``earlier`` (at most 3 points that were good in earlier studies of this ledger), ``portfolio``
    (at most 4 configurations of a well-known estimator that were good on other data), params. By
    default ``defaults`` and ``current`` for Bayesian search, nothing for grid and random."""
    curves: bool = True
    """Extra candidates: a sampled trial is the best of all candidates that its fits score; a forest
    of 150 trees holds those of 149 and fewer, at no further fit. All of them are recorded. There
    are none in grid search, for starting points, with several metrics, and with
    ``execution: {share: off}``."""
    options: dict[str, Fixed] = {}
    """Further arguments of the sampler."""


class BudgetSection(Section):
    """Budget of a trial, and the rule that prunes it earlier."""

    parameter: str | None = None
    """Parameter that holds the budget, such as ``epochs`` or ``max_iter``. It is given to the
    estimator or program like any other parameter; leave it out of ``space``. Without one, a program
    that streams values by step is stopped at a step."""
    min: int = Field(default=1, ge=1)
    """Smallest budget of a trial."""
    max: int = Field(ge=2)
    """The full budget: only trials that reach it are ranked."""
    factor: int = Field(default=3, ge=2)
    """Factor by which each next budget is larger; one trial in ``factor`` gets it."""
    rule: Literal["hyperband", "halving", "median"] = "hyperband"
    """Rule of promotion: with ``halving`` the best trial in ``factor`` is promoted; with
    ``hyperband`` the same, in brackets that begin with larger and larger budgets; with ``median``
    each trial that is better than the median of the others at that point."""


ParameterFile = Annotated[str, Field(pattern=r"\.(json|ya?ml|toml)$")]
"""A name that ends in .json, .yaml, .yml or .toml."""


class BestSection(Section):
    """The best-parameters file. A file that exists keeps its shape: a flat mapping stays flat."""

    path: ParameterFile = "config/best_parameters.yaml"
    """YAML, JSON or TOML by its name."""
    at: str | None = Field(default=None, min_length=1)
    """Dotted place of the parameters in a file that holds more, e.g. ``train.params``, or ``.`` for
    its top level. Everything else in the file stays as it is."""
    meta: bool | None = None
    """``false`` leaves out the origin of the parameters, so that a new file holds nothing but
    the parameters (``Model(**json.load(file))``); ``true`` writes it under the key ``meta``. By
    default a new file has it unless ``at`` is given, and a file that exists stays as it is."""


class OutputsSection(Section):
    """Files written when a run ends, relative to the configuration's project folder."""

    best: Annotated[
        BestSection, BeforeValidator(located, json_schema_input_type=ParameterFile | BestSection)
    ] = default_of(BestSection)
    """The winner, for the training program: the path of a YAML, JSON or TOML file, or a mapping
    with ``path``, ``at`` and ``meta``."""
    tuned: ParameterFile | None = None
    """The winner in a file of Tunesmith's own, e.g. ``outputs/tuned_parameters.yaml``. If you set
    it, ``best`` is user-owned: a run writes it only while nobody has edited it, and
    ``tunesmith adopt`` writes the winner into it."""
    report: str = Field(default="outputs/tuning_results.md", pattern=r"\.md$")
    """The ranked Markdown report."""
    html: str | None = Field(default=None, pattern=r"\.html$")
    """The HTML report: one file with linked charts and a table that you can search. It shows no
    durations, so that the same history gives the same bytes."""
    trials: str | None = Field(default=None, pattern=r"\.(csv|json|jsonl)$")
    """Every trial and fold as text."""
    history: str | None = Field(default=None, pattern=r"\.jsonl$")
    """All results of the study, e.g. ``outputs/history.jsonl``: commit it, and a fresh clone
    continues from it."""
    metrics: str | None = Field(default=None, pattern=r"\.json$")
    """The winner's scores and the number of trials, e.g. ``outputs/tuning_metrics.json``, as
    ``dvc metrics`` reads them."""
    predictions: Annotated[
        PredictionsSection | None,
        BeforeValidator(located, json_schema_input_type=PredictionsFile | PredictionsSection),
    ] = None
    """Out-of-fold predictions, e.g. ``outputs/oof.parquet``: what each fold's model said of rows
    that it had not seen. The path, or a mapping with ``path``, ``trials`` and ``columns``
    (``docs/models.md``)."""

    @property
    def paths(self) -> dict[str, str]:
        """The path of every output that is written, by its key."""
        others = {key: name for key, name in self if isinstance(name, str)}
        if self.predictions is not None:
            others["predictions"] = self.predictions.path
        return {"best": self.best.path, **others}


def _ruled(given: Any) -> Any:
    """Complete the name of a rule to a section."""
    return {"rule": given} if isinstance(given, str) else given


class PreferenceSection(Section):
    """Trade-off between several metrics. The winner is always on the Pareto front: no trial is
    better in one metric and as good in all others."""

    rule: Literal["lexicographic", "knee"] = "lexicographic"
    """``lexicographic``: the trial with the best first metric, of equals the one with the best
    second metric, and so on. ``knee``: the trial with the largest sum of all metrics, each on a
    scale from its worst to its best on the front; with two metrics it is the farthest from the line
    between the ends of the front."""
    weights: dict[str, Annotated[float, Field(gt=0, le=1e100)]] = {}
    """Worth of a unit of each metric instead, e.g. ``{recall: 1, fit_time: 0.01}`` if you give up
    0.01 of recall to save a second: the trial with the largest weighted sum, in which metrics that
    are minimized count negatively. A metric without a weight only breaks ties."""


Rule = Literal["best", "one_se", "simplest", "fastest"]


class SelectionSection(Section):
    """Rule that picks the winner, and how near to the best it has to be."""

    rule: Rule
    """The best trial (``best``); the simplest within one standard error of it (``one_se``); the
    simplest, or the fastest to fit, of those that are shown to be at most ``within`` worse."""
    within: Margin | None = None
    """For ``simplest`` and ``fastest``: what you would give up of the first metric's mean, in its
    own unit (``0.002``), or in percent of the gain that the search made over the estimator's
    defaults; over the current parameters if the defaults were not tried; over the median trial if
    neither was. By default ``10%``."""

    @model_validator(mode="after")
    def _margin_is_used(self) -> "SelectionSection":
        if self.within is not None and self.rule not in ("simplest", "fastest"):
            raise ValueError(
                f"`within` means nothing to `{self.rule}`; leave it out, or take `simplest` or"
                " `fastest`"
            )
        return self

    @model_serializer
    def _short(self) -> Any:
        """Return the rule alone if there is nothing else: so earlier versions have stored it."""
        return self.rule if self.within is None else {"rule": self.rule, "within": self.within}


class SlotsSection(Section):
    """Devices of which every run of a program has one for itself."""

    gpu: int | None = Field(default=None, ge=1)
    """Number of GPUs, named to the program in ``CUDA_VISIBLE_DEVICES``; by default none is
    assigned. Without ``workers``, this many programs run at a time."""


class ExecutionSection(Section):
    """Workers, limits and sharing of fits; changes no score."""

    executor: str = "auto"
    """``auto``, ``serial``, ``processes``, ``dask``, ``pull``, or the name of an installed
    executor."""
    workers: int | None = Field(default=None, ge=1)
    """Processes at a time; by default one per core, and on a cluster as many as it has threads."""
    options: dict[str, Any] = {}
    """Options of the executor, such as the address of a cluster (``docs/scaling.md``)."""
    share: Literal["exact", "off"] = "exact"
    """``exact`` lets one fit score every candidate that it contains (a forest of 500 trees contains
    that of 100), if scores are bitwise the same; ``off`` fits each candidate on its own and uses no
    score that came from a shared fit, so that you can compare the two. Sampled trials then have no
    extra candidates (``search: {curves: true}``) and may differ."""
    fit_timeout: Duration | None = None
    """Time limit of one fit; a fit over it is stopped and its trial fails."""
    memory: Size | None = None
    """Memory that one run of a program may take (``600MB``, ``2GiB``), as address space: leave it
    out for programs that use a GPU."""
    slots: SlotsSection = default_of(SlotsSection)
    """Devices that runs of programs share among themselves."""


class File(Section):
    """The whole configuration file but for its space."""

    study: str = Field(pattern=SLUG)
    """Name of the study."""
    objective: ObjectiveSection
    search: SearchSection = default_of(SearchSection)
    stop: StopSection = default_of(StopSection)
    budget: BudgetSection | None = None
    outputs: OutputsSection = default_of(OutputsSection)
    selection: Annotated[
        SelectionSection, BeforeValidator(ruled, json_schema_input_type=Rule | SelectionSection)
    ] = default_of(SelectionSection, rule="best")
    """Rule that picks the winner: the best trial (``best``); the simplest within one standard error
    of it (``one_se``); the ``simplest``, or the ``fastest`` to fit, of those that are shown to be
    nearly as good (``docs/reports.md``). Or a mapping with ``rule`` and ``within``."""
    preference: Annotated[
        PreferenceSection, BeforeValidator(_ruled, json_schema_input_type=PreferenceSection | str)
    ] = default_of(PreferenceSection)
    """Trade-off of a study with several metrics: ``lexicographic``, ``knee``, or
    ``{weights: …}``."""
    gate: Annotated[
        GateSection | None,
        BeforeValidator(gated, json_schema_input_type=GateSection | bool | float | None),
    ] = None
    """Keeps the current parameters unless the winner is shown to be better; ``true``, or the gain
    that is worth a change, for a section with this alone."""
    confirm: ConfirmSection | Literal["off"] | None = None
    """After a search with a gate, the winner and the current parameters are scored on further
    splits of the same rows until it is clear which are better, or the fits are spent; ``off``
    decides by the folds of the search alone (``docs/reports.md``)."""
    outer_folds: int | None = Field(default=None, ge=2, le=1000)
    """Number of outer folds of nested cross-validation: the whole search is repeated on the
    training rows of each outer fold, as ``STUDY.outer0`` and so on, and its winner is scored on the
    rows left out. The search takes as many times longer; the report shows the score of the search
    as a whole."""
    models: ModelsSection | None = None
    """Keeps the fold models of the best trials, so that ``tunesmith model`` needs no further fit
    for an average or an ensemble (``docs/models.md``); without it they are fitted again."""
    execution: ExecutionSection = default_of(ExecutionSection)
    branches: Prefixes = default_of(Prefixes)
    """Other prefixes of the names of experiments' branches."""
    ledger: str = ".tunesmith/ledger.db"
    """Database of everything evaluated: a SQLite file, or a server's URL such as
    ``postgresql://user@host/database`` (needs ``pip install tunesmith[postgres]``)."""

    @property
    def budget_parameter(self) -> str | None:
        """Parameter that holds the budget of a trial; ``None`` without one."""
        return None if self.budget is None else self.budget.parameter

    @property
    def fixed_params(self) -> dict[str, Any]:
        """Parameters that are the same in every trial with the full budget."""
        fixed: dict[str, Any] = dict(self.objective.params)
        if self.budget is not None and self.budget.parameter is not None:
            fixed[self.budget.parameter] = self.budget.max
        return fixed

    @property
    def random_state(self) -> int:
        """Seed for every estimator that has none."""
        own = self.objective.random_state
        return self.search.seed if own is None else own

    @property
    def has_submodel_candidates(self) -> bool:
        """True if trials may be the best of their submodel candidates; none of a grid is."""
        is_wanted = self.search.curves and self.execution.share == "exact"
        return is_wanted and self.search.method != "grid" and self.budget is None

    @property
    def confirms(self) -> ConfirmSection | None:
        """Further evaluations after the search; ``None`` if there are none."""
        if self.gate is None or self.confirm == "off":
            return None
        return ConfirmSection() if self.confirm is None else self.confirm

    @property
    def starting_points(self) -> list[str | dict[str, Any]]:
        """Starting points as configured; a gate always wants the current parameters."""
        wanted: list[str | dict[str, Any]]
        wanted = [] if self.search.method in ("grid", "random") else ["defaults", "current"]
        if self.search.start_with is not None:
            wanted = list(self.search.start_with)
        is_added = self.gate is not None and "current" not in wanted
        return [*wanted, "current"] if is_added else wanted


@dataclass(frozen=True)
class OuterFold:
    """An outer fold: rows that a search of nested cross-validation never sees."""

    number: int
    """Number of the fold, from 0."""
    n_folds: int
    data: str
    """Digest of all rows."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """The definition of a study: the file's sections, its space, and its project folder."""

    file: File
    space: SearchSpace
    root: Path
    """The project folder, to which all paths are relative."""
    source: Path | None = None
    """The configuration file."""
    outer: OuterFold | None = None
    """The outer fold, if the search belongs to another study's nested cross-validation."""
    forced: frozenset[str] = frozenset()
    """Outputs of this run that may replace what somebody else wrote."""

    @property
    def ledger(self) -> str | Path:
        """The ledger's URL, or its path made absolute."""
        location = self.file.ledger
        return location if "://" in location else self.root.resolve() / location

    @property
    def main_study(self) -> str:
        """Name of the study whose nested cross-validation the search belongs to; else its own."""
        name = self.file.study
        return name if self.outer is None else name.removesuffix(f".outer{self.outer.number}")

    @property
    def parameter_names(self) -> list[str]:
        """Names of all that a trial is given: varied and fixed parameters, and the budget."""
        names = [*self.space.names, *self.file.objective.params]
        budget = self.file.budget_parameter
        return names if budget is None else [*names, budget]

    def with_gate(self, base: str | None = None) -> "Definition":
        """Return the definition with a gate; an existing gate stays, but for the base revision.

        Raises:
            UsageError: the name of the revision cannot be one.
        """
        gate = self.file.gate or GateSection()
        if base is not None:
            try:
                gate = GateSection.model_validate({**gate.model_dump(), "base": base})
            except ValidationError:
                raise UsageError(f"--base: `{base}` is no name of a revision") from None
        return replace(self, file=self.file.model_copy(update={"gate": gate}))

    def outer_searches(self, data: str) -> "list[Definition]":
        """Definitions of the searches of nested cross-validation, one per outer fold.

        They do not begin with the current parameters, which were chosen by rows of all folds.

        Args:
            data: digest of the study's rows.
        """
        n = self.file.outer_folds or 0
        ungated = self.file.model_copy(update={"gate": None, "outer_folds": None})
        start = tuple(item for item in ungated.starting_points if item != "current")
        search = self.file.search.model_copy(update={"start_with": start})
        names = (f"{self.file.study}.outer{number}" for number in range(n))
        files = (ungated.model_copy(update={"search": search, "study": name}) for name in names)
        return [
            replace(self, file=file, outer=OuterFold(number, n, data))
            for number, file in enumerate(files)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the definition as the ledger stores it."""
        # The prefixes of branches do not belong to a study: renaming them changes no trial.
        file = self.file.model_dump(mode="json", exclude={"branches"})
        # It came later; a definition without it is stored as it was before.
        if file["confirm"] is None:
            del file["confirm"]
        for section in ("outputs", "objective"):
            if file[section]["predictions"] is None:
                del file[section]["predictions"]
        content: dict[str, Any] = {"file": file, "space": self.space.to_json()}
        return content if self.outer is None else {**content, "outer": asdict(self.outer)}
