"""PED-ANOVA, which the report showed before: the share of each parameter, and a bootstrap's error.

Watanabe, Bansal & Hutter (IJCAI 2023), by Optuna. Parameters that some trials lack were left out.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tunesmith.history import Trial

N_RESAMPLES = 12


def shares(
    trials: Sequence[Trial], metric: str, is_log: Callable[[str], bool]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the shares, and their standard errors, by name.

    Args:
        trials: complete ones.
        metric: the score to explain.
        is_log: true for a parameter that is searched on a log scale.
    """
    names = sorted(set.intersection(*(set(trial.params) for trial in trials)))
    varying = [name for name in names if len({str(t.params[name]) for t in trials}) > 1]
    if len(varying) < 2:
        return {}, {}
    frozen = _frozen(trials, varying, metric, is_log)
    rng = np.random.default_rng(0)
    n = len(trials)
    draws = [_shares([frozen[i] for i in rng.integers(n, size=n)]) for _ in range(N_RESAMPLES)]
    errors = {name: float(np.std([d[name] for d in draws], ddof=1)) for name in varying}
    return _shares(frozen), errors


def _shares(frozen: list[Any]) -> dict[str, float]:
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    study.add_trials(frozen)
    found = PedAnovaImportanceEvaluator().evaluate(study, params=sorted(frozen[0].params))
    total = sum(found.values())
    return {name: share / total if total else 0.0 for name, share in found.items()}


def _frozen(
    trials: Sequence[Trial], names: Sequence[str], metric: str, is_log: Callable[[str], bool]
) -> list[Any]:
    from optuna.trial import create_trial

    distributions = {
        name: _distribution([t.params[name] for t in trials], log=is_log(name)) for name in names
    }
    return [
        create_trial(
            params={name: trial.params[name] for name in names},
            distributions=distributions,
            value=trial.mean(metric),
        )
        for trial in trials
    ]


def _distribution(values: Sequence[Any], *, log: bool) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        return IntDistribution(min(values), max(values), log=log)
    if all(isinstance(v, float) for v in values):
        return FloatDistribution(min(values), max(values), log=log)
    return CategoricalDistribution(sorted(set(values), key=str))
