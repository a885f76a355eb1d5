"""Which parameters mattered: PED-ANOVA (Watanabe et al. 2023), by Optuna used as a library."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.history import History, Metric, Trial

MIN_TRIALS = 8


@dataclass(frozen=True)
class Importance:
    """Shares that add up to 1, largest first; or the reason why there are none."""

    shares: tuple[tuple[str, float], ...] = ()
    reason: str = ""


def importance(history: History, space: Mapping[str, Any], metric: Metric) -> Importance:
    """How much of the difference between good and all trials each parameter explains.

    Only parameters that every complete trial has are compared, conditional ones are left out.

    Args:
        history: at least 8 complete trials are needed.
        space: the space's JSON form.
        metric: which score.
    """
    trials = list(history.complete)
    if len(trials) < MIN_TRIALS:
        return Importance(reason=f"needs {MIN_TRIALS} complete trials")
    names = [name for name in _common(trials) if len({str(t.params[name]) for t in trials}) > 1]
    if len(names) < 2:
        return Importance(reason="needs two parameters that vary in every trial")
    if len({trial.mean(metric.name) for trial in trials}) == 1:
        return Importance(reason="all trials have the same score")
    shares = _ped_anova(trials, names, space, metric)
    return Importance(tuple(sorted(shares.items(), key=lambda item: (-item[1], item[0]))))


def _common(trials: list[Trial]) -> list[str]:
    found = set(trials[0].params)
    for trial in trials:
        found &= set(trial.params)
    return sorted(found)


def _ped_anova(
    trials: list[Trial], names: list[str], space: Mapping[str, Any], metric: Metric
) -> dict[str, float]:
    from optuna import create_study, logging
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import create_trial

    distributions = {name: _distribution(trials, name, _is_log(space, name)) for name in names}
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study = create_study(direction=metric.direction)
            for trial in trials:
                params = {name: _outside(trial.params[name]) for name in names}
                score = trial.mean(metric.name)
                study.add_trial(
                    create_trial(params=params, distributions=distributions, value=score)
                )
            shares = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    finally:
        logging.set_verbosity(before)
    total = sum(shares.values())
    return {name: share / total if total else 0.0 for name, share in shares.items()}


def _distribution(trials: list[Trial], name: str, is_log: bool) -> Any:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    values: list[Any] = [trial.params[name] for trial in trials]
    if all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        low, high = min(values), max(values)
        return IntDistribution(low, high, log=is_log and low > 0)
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        low, high = min(values), max(values)
        return FloatDistribution(low, high, log=is_log and low > 0)
    return CategoricalDistribution(sorted({_outside(value) for value in values}, key=str))


def _outside(value: Any) -> Any:
    return str(value) if isinstance(value, list | dict | None) else value


def _is_log(space: Mapping[str, Any], name: str) -> bool:
    definitions = [box.get(name) for box in space.get("boxes", ())]
    return any(isinstance(d, Mapping) and d.get("log") is True for d in definitions)
