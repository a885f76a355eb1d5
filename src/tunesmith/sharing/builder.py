"""The protocol by which the kernel gets estimators from params."""

from collections.abc import Mapping
from typing import Any, Protocol

from tunesmith.sharing.prototype import Prototype
from tunesmith.types import Params


class Builder(Protocol):
    """Makes estimators from params."""

    def choice_of(self, params: Params) -> str:
        """Name of the prototype that these params choose."""

    def prototype(self, choice: str) -> Prototype:
        """Prototype from which the estimators of one choice are cloned."""

    def build(self, params: Params) -> Any:
        """Build a fresh, unfitted estimator."""

    def own(self, params: Params) -> Params:
        """Params without those that choose the prototype."""

    def fit_params(self, params: Params, given: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments of ``fit``."""
