"""What the kernel needs of whoever makes estimators."""

from collections.abc import Mapping
from typing import Any, Protocol

from tunesmith.objective.prototype import Prototype
from tunesmith.types import Params


class Builder(Protocol):
    """Makes estimators of params."""

    def choice_of(self, params: Params) -> str:
        """The prototype of these params, by a name for it."""

    def prototype(self, choice: str) -> Prototype:
        """What the estimators of one choice are cloned from."""

    def build(self, params: Params) -> Any:
        """A fresh, unfitted estimator."""

    def own(self, params: Params) -> Params:
        """Params without those that choose the prototype."""

    def fit_params(self, params: Params, given: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments of ``fit``."""
