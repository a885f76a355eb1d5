"""Families of subtransformers.

A *subtransformer* is a transformer that comes cheaply with the results of another one: one
decomposition holds the PCA of every number of components. As with submodels, shared results must be
bitwise those of a fresh fit: the fitted transformer, and the rows that it makes.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from tunesmith.sharing.proved import is_whole
from tunesmith.sharing.randomness import has_seed_object
from tunesmith.sharing.submodels.family import proved_of, resized


@runtime_checkable
class TransformerFamily(Protocol):
    """Transformers that share the part of a fit that does not depend on some parameters.

    A family that shares anything is a ``ProvedFamily``. It may be a ``PrimedFamily``.
    """

    parameters: tuple[str, ...]
    """Names of the parameters in which they may differ."""

    def can_share(self, step: Any, X: Any) -> bool:
        """True if sharing is exact for these values of the parameters.

        Called only for transformers that ``proved`` accepts.

        Args:
            step: unfitted, with all parameters set; what it would refuse is not shared.
            X: the training rows.
        """

    def common(self, step: Any, X: Any, y: Any) -> Any:
        """Compute the part that no value of the parameters changes; the step may be fitted for it.

        The ``nbytes`` of the result, if it has any, tell how much memory it takes.
        """

    def finished(self, common: Any, step: Any, X: Any) -> tuple[Any, Any]:
        """Do the rest of the fit.

        Args:
            common: what ``common`` gave for a step with other values of the parameters.
            step: unfitted.
            X: the training rows.

        Returns:
            The fitted transformer, and the training rows as its ``fit_transform`` gives them.
        """


@runtime_checkable
class PrimedFamily(Protocol):
    """A family that names some values of its parameters for the step that a check begins with.

    The common part then comes from that step.
    """

    another: Mapping[str, Any]


def another_of(family: TransformerFamily) -> Mapping[str, Any]:
    """Values of a family's parameters for the step that a check begins with, if it names any."""
    return family.another if isinstance(family, PrimedFamily) else {}


def may_share(family: TransformerFamily, step: Any, X: Any) -> bool:
    """True if a family may share a step: it is proved, and the family agrees.

    Args:
        family: of transformers.
        step: unfitted, with all parameters set.
        X: the training rows.
    """
    proved = proved_of(family)
    try:
        # The seed object first: asking for parameters makes some libraries draw from it.
        if proved is None or has_seed_object(step) or proved.blocker(step, family.parameters):
            return False
        return family.can_share(step, X)
    except Exception:  # noqa: BLE001 - the fit itself will say what is wrong
        return False


class Deciding:
    """Common part of families whose parameters decide only when rows are transformed."""

    parameters: tuple[str, ...] = ()

    def common(self, step: Any, X: Any, y: Any) -> Any:
        """Fit the transformer."""
        return step.fit(X, y)

    def finished(self, common: Any, step: Any, X: Any) -> tuple[Any, Any]:
        """Copy the fitted transformer with other values of the parameters."""
        # `fit` would do this; without it a wrong value would pass here and fail in a fresh fit.
        step._validate_params()
        transformer = resized(common, **{name: getattr(step, name) for name in self.parameters})
        return transformer, transformer.transform(X)


def is_count(value: Any) -> bool:
    """True for a whole number from 1 on."""
    return is_whole(value) and value >= 1
