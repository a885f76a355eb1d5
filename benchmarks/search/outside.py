"""Peers that need environments of their own: SMAC3 and HEBO, which pin other versions than ours.

Play them with the Python of such an environment (with the package, optuna and onnxruntime), so that
their traces are kept; every later run of ``make bench-search`` then shows them:

    PYTHONPATH=src:. ENVIRONMENT/bin/python -m benchmarks.search --players smac --only rpart
"""

import tempfile
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.search.trace import Problem, Trace
from tunesmith.space import Box, Categorical, Float, Int, Parameter, SearchSpace
from tunesmith.types import Params


@dataclass(frozen=True)
class Smac:
    """SMAC3's facade for hyperparameter optimisation, asked trial after trial."""

    text: str = "smac"
    package: str = "smac"

    def play(self, problem: Problem, n_trials: int, seed: int) -> Trace:
        """Play a study."""
        from smac import HyperparameterOptimizationFacade as Facade
        from smac import Scenario
        from smac.runhistory.dataclasses import TrialValue

        trace = Trace()
        with tempfile.TemporaryDirectory() as folder:
            scenario = Scenario(
                config_space(problem.space, seed),
                n_trials=n_trials,
                seed=seed,
                deterministic=True,
                output_directory=folder,
            )
            smac = Facade(scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=40)
            for _ in range(n_trials):
                began = time.process_time()
                asked = smac.ask()
                taken = time.process_time() - began
                params = plain(dict(asked.config), problem.space)
                mean = trace.add(problem, params, problem.folds(params, seed), taken)
                smac.tell(asked, TrialValue(cost=mean))
        return trace


def config_space(space: SearchSpace, seed: int) -> Any:
    """ConfigSpace of a space of one box."""
    import ConfigSpace as cs  # noqa: N813 - the name that its own documentation uses

    (box,) = space.boxes
    made = cs.ConfigurationSpace(seed=seed)
    made.add([_config_parameter(cs, name, box.parameters[name]) for name in box.order])
    for name, conditions in box.conditions.items():
        parts = [cs.InCondition(made[name], made[c.parent], list(c.values)) for c in conditions]
        made.add(cs.AndConjunction(*parts) if len(parts) > 1 else parts[0])
    return made


def _config_parameter(cs: Any, name: str, parameter: Parameter) -> Any:
    match parameter:
        case Categorical(choices):
            return cs.CategoricalHyperparameter(name, choices)
        case Int(low, high, log, _):
            return cs.UniformIntegerHyperparameter(name, low, high, log=log)
        case Float(low, high, log, _):
            return cs.UniformFloatHyperparameter(name, low, high, log=log)
    raise TypeError(f"{parameter} is not used here")


@dataclass(frozen=True)
class Hebo:
    """HEBO, which knows no conditions: inactive parameters are searched and left out."""

    text: str = "hebo"
    package: str = "HEBO"

    def play(self, problem: Problem, n_trials: int, seed: int) -> Trace:
        """Play a study."""
        import pandas as pd
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        (box,) = problem.space.boxes
        design = DesignSpace().parse([_design(name, box.parameters[name]) for name in box.order])
        hebo, trace = HEBO(design, scramble_seed=seed), Trace()
        # HEBO draws from the global generator.
        np.random.seed(seed)
        for _ in range(n_trials):
            began = time.process_time()
            asked: pd.DataFrame = hebo.suggest(n_suggestions=1)
            taken = time.process_time() - began
            params = plain(active(box, asked.iloc[0].to_dict()), problem.space)
            mean = trace.add(problem, params, problem.folds(params, seed), taken)
            hebo.observe(asked, np.array([[mean]]))
        return trace


def _design(name: str, parameter: Parameter) -> dict[str, Any]:
    match parameter:
        case Categorical(choices):
            return {"name": name, "type": "cat", "categories": list(choices)}
        case Int(low, high, log, _):
            return {"name": name, "type": "pow_int" if log else "int", "lb": low, "ub": high}
        case Float(low, high, log, _):
            return {"name": name, "type": "pow" if log else "num", "lb": low, "ub": high}
    raise TypeError(f"{parameter} is not used here")


def active(box: Box, values: dict[str, Any]) -> dict[str, Any]:
    """Values of the parameters that are active."""
    kept: dict[str, Any] = {}
    for name in box.order:
        if box.is_active(name, kept):
            kept[name] = values[name]
    return kept


def plain(values: dict[str, Any], space: SearchSpace) -> Params:
    """Params with Python's own numbers, in order of their names."""
    (box,) = space.boxes
    found: dict[str, Any] = {}
    for name, value in sorted(values.items()):
        match box.parameters[name]:
            case Int():
                found[name] = int(value)
            case Float():
                found[name] = float(value)
            case Categorical(choices):
                found[name] = next(choice for choice in choices if choice == value)
    return found


OUTSIDE: dict[str, Smac | Hebo] = {"smac": Smac(), "hebo": Hebo()}
