"""Registry of exchangeable parts: name -> import path.

A built-in part is one line here; a part of another package is an entry point of the same group
(``[project.entry-points."tunesmith.samplers"]``). Values are import paths, so that listing or
finding names imports nothing.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from tunesmith.errors import UsageError, did_you_mean

BUILTIN: dict[str, dict[str, str]] = {
    "samplers": {
        "grid": "tunesmith.search.grid:GridSampler",
        "random": "tunesmith.search.random:RandomSampler",
        "sobol": "tunesmith.search.sobol:SobolSampler",
        "bayesian": "tunesmith.search.bayesian:BayesianSampler",
        "tpe": "tunesmith.search.tpe:TPESampler",
        "gp": "tunesmith.search.gp:GPSampler",
        "cmaes": "tunesmith.search.cmaes:CMAESSampler",
    },
    "executors": {
        "serial": "tunesmith.execute.serial:SerialExecutor",
        "processes": "tunesmith.execute.processes:ProcessExecutor",
        "dask": "tunesmith.execute.cluster.dask:DaskExecutor",
        "pull": "tunesmith.runs.pull.executor:PullExecutor",
    },
    "submodels": {
        "forest": "tunesmith.sharing.submodels.forest:Forest",
        "bagging": "tunesmith.sharing.submodels.forest:Bagging",
        "gradient_boosting": "tunesmith.sharing.submodels.boosting:GradientBoosting",
        "hist_gradient_boosting": "tunesmith.sharing.submodels.boosting:HistGradientBoosting",
        "ada_boost": "tunesmith.sharing.submodels.boosting:AdaBoost",
        "xgboost": "tunesmith.sharing.submodels.gradient_libraries:XGBoost",
        "lightgbm": "tunesmith.sharing.submodels.gradient_libraries:LightGBM",
        "catboost": "tunesmith.sharing.submodels.cat_boost:CatBoost",
        "neighbors": "tunesmith.sharing.submodels.neighbors:Neighbors",
        "leaves": "tunesmith.sharing.submodels.leaves:Leaves",
        "ridge": "tunesmith.sharing.submodels.ridge:Ridge",
        "pruning": "tunesmith.sharing.submodels.pruning:Pruning",
    },
    "subtransformers": {
        "pca": "tunesmith.sharing.subtransformers.pca:Components",
        "best": "tunesmith.sharing.subtransformers.selection:Best",
        "from_model": "tunesmith.sharing.subtransformers.selection:FromModel",
        "percentile": "tunesmith.sharing.subtransformers.selection:Percentile",
    },
    "stopping": {
        "trials": "tunesmith.search.stopping:MaxTrials",
        "fits": "tunesmith.search.stopping:MaxFits",
        "time": "tunesmith.search.stopping:MaxTime",
        "target": "tunesmith.search.criteria.scores:TargetScore",
        "patience": "tunesmith.search.criteria.scores:Patience",
        "convergence": "tunesmith.search.criteria.scores:Convergence",
        "further_gain": "tunesmith.search.further_gain:FurtherGain",
    },
    "formats": {
        "env": "tunesmith.formats.env",
        "ini": "tunesmith.formats.ini",
        "json": "tunesmith.formats.json",
        "python": "tunesmith.formats.python",
        "toml": "tunesmith.formats.toml",
        "yaml": "tunesmith.formats.yaml",
    },
    "figures": {
        "history": "tunesmith.reporting.figures.history:KIND",
        "parallel": "tunesmith.reporting.figures.parallel:KIND",
        "importance": "tunesmith.reporting.figures.importance:KIND",
        "contour": "tunesmith.reporting.figures.contour:KIND",
        "slice": "tunesmith.reporting.figures.slice:KIND",
        "folds": "tunesmith.reporting.figures.folds:KIND",
        "race": "tunesmith.reporting.figures.race:KIND",
        "curves": "tunesmith.reporting.figures.curves:KIND",
        "pareto": "tunesmith.reporting.figures.pareto:KIND",
        "predictions": "tunesmith.reporting.figures.predictions:KIND",
        "timeline": "tunesmith.reporting.figures.timeline:KIND",
    },
    "trackers": {
        "dvclive": "tunesmith.runs.tracking.dvclive:DVCLiveTracker",
        "mlflow": "tunesmith.runs.tracking.mlflow:MLflowTracker",
        "tensorboard": "tunesmith.runs.tracking.tensorboard:TensorBoardTracker",
        "wandb": "tunesmith.runs.tracking.wandb:WandbTracker",
    },
    "git_hosts": {
        "github": "tunesmith.pipeline.git_host.github:GitHub",
        "gitlab": "tunesmith.pipeline.git_host.gitlab:GitLab",
    },
    "importers": {
        "determined": "tunesmith.importers.tools.determined:candidates",
        "hydra": "tunesmith.importers.tools.hydra:candidates",
        "katib": "tunesmith.importers.tools.katib:candidates",
        "keras_tuner": "tunesmith.importers.tools.keras_tuner:candidates",
        "optuna": "tunesmith.importers.tools.optuna:candidates",
        "ray": "tunesmith.importers.tools.ray:candidates",
        "sklearn": "tunesmith.importers.tools.sklearn:candidates",
        "skopt": "tunesmith.importers.tools.skopt:candidates",
        "wandb": "tunesmith.importers.tools.wandb:candidates",
    },
    "reports": {
        "markdown": "tunesmith.reporting.markdown:render",
        "comment": "tunesmith.reporting.markdown:render_comment",
        "json": "tunesmith.reporting.json:render",
    },
}


@cache
def outside(group: str) -> dict[str, str]:
    """Parts that installed packages offer: name -> import path."""
    return {point.name: point.value for point in _all().select(group=f"tunesmith.{group}")}


@cache
def _all() -> Any:
    # Once for all groups, for it looks through every installed package.
    return entry_points()


def is_known(group: str, name: str) -> bool:
    """True if the name is registered.

    >>> is_known("executors", "serial")
    True
    """
    # Built-in names first: looking through all installed packages takes long.
    return name in BUILTIN[group] or name in outside(group)


def names(group: str) -> list[str]:
    """Every known name of a group, sorted.

    >>> names("executors")
    ['dask', 'processes', 'pull', 'serial']
    """
    return sorted({*BUILTIN[group], *outside(group)})


def load(group: str, name: str) -> Any:
    """Import the part with this name.

    Raises:
        UsageError: the name is not registered.
    """
    # A package adds parts, and never replaces a built-in one.
    path = BUILTIN[group].get(name) or outside(group).get(name)
    if path is None:
        message = f"unknown name `{name}` among the {group}. {did_you_mean(name, names(group))}"
        raise UsageError(message)
    return import_path(path)


def import_path(path: str) -> Any:
    """Import ``package.module:attribute`` (or ``package.module.attribute``), or a module.

    >>> import_path("math:tau") == import_path("math.tau")
    True
    """
    module, separator, attribute = path.partition(":")
    if not separator:
        if "." not in path:
            return import_module(path)
        module, _, attribute = path.rpartition(".")
    part: Any = import_module(module)
    # A submodule is no attribute of its package before it is imported.
    if not separator and not hasattr(part, attribute):
        return import_module(path)
    for name in attribute.split("."):
        part = getattr(part, name)
    return part
