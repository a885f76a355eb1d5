"""Tunesmith: hyperparameter tuning in Git, DVC, CI and pull requests.

>>> from tunesmith import Float, SearchSpace
>>> SearchSpace.of({"learning_rate": Float(1e-4, 0.1, log=True)}).names
['learning_rate']
"""

from importlib import import_module

from tunesmith.version import VERSION

__version__ = VERSION

# As in ``typing``, which must not be imported before ``shadows`` is installed: a project's
# `typing.py` would be found first.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from tunesmith import plot
    from tunesmith.config.load import define, load_definition
    from tunesmith.parameters.texts import read_parameters
    from tunesmith.runs.result import Result
    from tunesmith.runs.tune import tune
    from tunesmith.space import Box, Categorical, Condition, Distribution, Float, Int, SearchSpace
    from tunesmith.training import checkpoint_dir, params, report

# Name -> module, so that `import tunesmith` (and so `tunesmith --help`) imports nothing heavy.
_PLACES = {
    **dict.fromkeys(
        ("Box", "Categorical", "Condition", "Distribution", "Float", "Int", "SearchSpace"),
        "tunesmith.space",
    ),
    **dict.fromkeys(("define", "load_definition"), "tunesmith.config.load"),
    **dict.fromkeys(("checkpoint_dir", "params", "report"), "tunesmith.training"),
    "read_parameters": "tunesmith.parameters.texts",
    "Result": "tunesmith.runs.result",
    "tune": "tunesmith.runs.tune",
}

__all__ = [
    "Box",
    "Categorical",
    "Condition",
    "Distribution",
    "Float",
    "Int",
    "Result",
    "SearchSpace",
    "__version__",
    "checkpoint_dir",
    "define",
    "load_definition",
    "params",
    "plot",
    "read_parameters",
    "report",
    "tune",
]


def __getattr__(name: str) -> object:
    if name == "plot":
        return import_module("tunesmith.plot")
    if name in _PLACES:
        value: object = getattr(import_module(_PLACES[name]), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
