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
    from tunesmith import sklearn as sklearn
    from tunesmith.config.load import define, load_definition
    from tunesmith.models.files import load_model
    from tunesmith.models.predictions import per_row
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
    "load_model": "tunesmith.models.files",
    "per_row": "tunesmith.models.predictions",
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
    "load_model",
    "params",
    "per_row",
    "plot",
    "read_parameters",
    "report",
    "tune",
]


_MODULES = ("plot", "sklearn")
"""Modules of the API that are imported on use."""


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f"tunesmith.{name}")
    if name in _PLACES:
        value: object = getattr(import_module(_PLACES[name]), name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # Without it, `tunesmith.<TAB>` would list what happens to be imported.
    return sorted({*__all__, *_MODULES})
