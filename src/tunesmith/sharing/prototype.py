"""Prototypes of estimators: one to clone, with the facts on its parameters."""

import inspect
from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from functools import cached_property
from typing import Any

from tunesmith.errors import UsageError, did_you_mean
from tunesmith.types import Params


class Prototype:
    """An estimator to clone, with the facts on its parameters.

    Args:
        estimator: unfitted.
        fixed: full names of the parameters that the user set.
        hidden: names of the pipeline around the last step that a user cannot mean, as the
            configuration made the pipeline; empty if the user did.
    """

    def __init__(
        self, estimator: Any, fixed: Iterable[str] = (), hidden: Collection[str] = ()
    ) -> None:
        self.estimator = estimator
        self.hidden = hidden
        self.fixed = set(fixed)
        """Full names of the parameters that the user set; a seed never replaces them."""
        self._full: dict[str, str | None] = {}

    @property
    def title(self) -> str:
        """Class name of the estimator; in a pipeline, of its last step."""
        return type(last_step(self.estimator)[1]).__name__

    @cached_property
    def _values(self) -> dict[str, Any]:
        return dict(self.estimator.get_params(deep=True))

    @property
    def names(self) -> list[str]:
        """Names of the parameters as a user would write them: short for those of the last step."""
        prefix = last_step(self.estimator)[0]
        return sorted({name.removeprefix(prefix) for name in self._values})

    def names_like(self, name: str) -> list[str]:
        """Names of the parameters that lie no deeper in the estimator than ``name`` does."""
        return [known for known in self.names if known.count("__") <= name.count("__")]

    def full_name(self, name: str) -> str | None:
        """Return the name by which ``set_params`` knows a parameter; ``None`` if it does not."""
        if name not in self._full:
            self._full[name] = self._resolve(name)
        return self._full[name]

    def _resolve(self, name: str) -> str | None:
        prefix, last = last_step(self.estimator)
        # The configuration made the pipeline, so a user means the last step, although a step of the
        # pipeline may have the same name.
        if self.hidden and (name in _signature(last) or prefix + name in self._values):
            return prefix + name
        if name in self.hidden and _takes(last, name):
            return prefix + name
        # The user made the pipeline: a full name goes first, as in `set_params`.
        if name in self._values:
            return name
        if prefix + name in self._values:
            return prefix + name
        owner_name, _, rest = name.rpartition("__")
        if not owner_name:
            return prefix + name if _takes(last, name) else None
        for full in (owner_name, prefix + owner_name):
            if _takes(self._values.get(full), rest):
                return f"{full}__{rest}"
        return None

    def knows(self, name: str) -> bool:
        """True if there is such a parameter."""
        return self.full_name(name) is not None

    def value(self, name: str) -> Any:
        """Value of a parameter in the prototype."""
        return self._values.get(self.full_name(name) or "")

    def converted(self, params: Params) -> dict[str, Any]:
        """Map params to their full names; lists become tuples if the default is one.

        Raises:
            ValueError: a parameter is unknown.
        """
        by_full_name = {}
        for name, value in params.items():
            full = self.full_name(name)
            if full is None:
                raise ValueError(f"{self.title} has no parameter `{name}`")
            by_full_name[full] = like(self._values.get(full), value)
        return by_full_name

    def build(self, params: Params) -> Any:
        """Clone the estimator with these params."""
        from sklearn.base import clone

        estimator = clone(self.estimator)
        return estimator.set_params(**self.converted(params)) if params else estimator

    def set_fixed(self, where: str, params: Mapping[str, Any]) -> None:
        """Fix parameters in the prototype itself.

        Raises:
            UsageError: a parameter is unknown.
        """
        unknown = [name for name in params if not self.knows(name)]
        if unknown:
            problems = [
                f"{where}.{name}: {self.title} has no parameter `{name}`."
                f" {did_you_mean(name, self.names_like(name))}"
                for name in unknown
            ]
            raise UsageError("\n".join(problems))
        if params:
            converted = self.converted(params)
            self.estimator.set_params(**converted)
            self.fixed |= converted.keys()
            self._forget()

    def inject(self, seed: int) -> None:
        """Give a seed to every ``random_state`` that is unset and not set to null by the user."""
        if names := [name for name in self._unset if name not in self.fixed]:
            self.estimator.set_params(**dict.fromkeys(names, seed))
            self._forget()

    @property
    def _unset(self) -> list[str]:
        return [
            name
            for name, value in self._values.items()
            if value is None and name.rpartition("__")[2] == "random_state"
        ]

    @property
    def unseeded(self) -> list[str]:
        """Names of every ``random_state`` that is null."""
        return self._unset

    def _forget(self) -> None:
        self.__dict__.pop("_values", None)
        self._full.clear()


def last_step(estimator: Any) -> tuple[str, Any]:
    """Prefix of the last step's parameters, and the step; pipelines within are followed.

    >>> last_step(3)
    ('', 3)
    """
    prefix = ""
    while isinstance(getattr(estimator, "steps", None), list) and estimator.steps:
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return prefix, estimator


def signature_of(cls: type) -> dict[str, inspect.Parameter]:
    """Parameters of a constructor by name; empty if it has no signature."""
    try:
        return dict(inspect.signature(cls).parameters)
    except (ValueError, TypeError):
        return {}


def _signature(estimator: Any) -> dict[str, inspect.Parameter]:
    """Parameters of the constructor of anything that has parameters; else empty."""
    return signature_of(type(estimator)) if hasattr(estimator, "get_params") else {}


def _takes(estimator: Any, name: str) -> bool:
    """True if a parameter may be set although ``get_params`` does not show it."""
    if not hasattr(estimator, "get_params"):
        return False
    known = signature_of(type(estimator))
    # CatBoost shows parameters that were set; LightGBM and XGBoost take further ones as keywords.
    return name in known or any(p.kind is p.VAR_KEYWORD for p in known.values())


def like(default: Any, value: Any) -> Any:
    """Turn a list into a tuple if the default is a tuple, since JSON has no tuples.

    >>> like((1, 1), [1, 2])
    (1, 2)
    """
    if isinstance(value, list) and isinstance(default, tuple):
        return tuple(value)
    # A copy: an estimator may change a list that it is given, and params must stay as they are.
    return deepcopy(value) if isinstance(value, list | dict) else value


def is_json(value: Any) -> bool:
    """True if JSON can hold a value (it cannot hold NaN and infinity)."""
    from tunesmith.space.parameter import canonical_json

    try:
        canonical_json(to_json(value))
    except (TypeError, ValueError):
        return False
    return True


def to_json(value: Any) -> Any:
    """Convert NumPy scalars to Python's, and tuples to lists."""
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
