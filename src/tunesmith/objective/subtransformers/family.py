"""What a family of subtransformers is.

A *subtransformer* is a transformer that comes cheaply with what another one has computed: one
decomposition holds the PCA of every number of components. As with submodels, what is shared must
be bitwise what a fresh fit gives: the fitted transformer, and the rows that it makes.
"""

from typing import Any, Protocol

from tunesmith.objective.proved import Proved, is_whole
from tunesmith.objective.randomness import has_seed_object
from tunesmith.objective.submodels.family import resized


class TransformerFamily(Protocol):
    """Transformers that share all of a fit that does not depend on some parameters."""

    parameters: tuple[str, ...]
    """In which they may differ."""
    proved: Proved
    """Where its word holds; a family without shares nothing.

    It may have ``another``, some values of its parameters: a check begins with a step that has
    them, so that what is in common comes from there.
    """

    def can_share(self, step: Any, X: Any) -> bool:
        """Whether sharing is exact for these values of the parameters.

        Asked for transformers that ``proved`` has no objection to.

        Args:
            step: unfitted, with all parameters set; what it would refuse is not shared.
            X: the training rows.
        """

    def common(self, step: Any, X: Any, y: Any) -> Any:
        """What no value of the parameters changes; the step may be fitted for that.

        Its ``nbytes``, if it has any, tell how much memory it takes.
        """

    def finished(self, common: Any, step: Any, X: Any) -> tuple[Any, Any]:
        """The rest of the fit.

        Args:
            common: what ``common`` gave for a step with other values of the parameters.
            step: unfitted.
            X: the training rows.

        Returns:
            The fitted transformer, and the training rows as its ``fit_transform`` gives them.
        """


def may_share(family: TransformerFamily, step: Any, X: Any) -> bool:
    """Whether a family may share a step: it is proved, and the family says so.

    Args:
        family: of transformers.
        step: unfitted, with all parameters set.
        X: the training rows.
    """
    proved = getattr(family, "proved", None)
    try:
        if proved is None or has_seed_object(step) or proved.objection(step, family.parameters):
            return False
        return family.can_share(step, X)
    except Exception:  # noqa: BLE001 - the fit itself will say what is wrong
        return False


class Deciding:
    """What families have in common whose parameters decide only when rows are transformed."""

    parameters: tuple[str, ...] = ()

    def common(self, step: Any, X: Any, y: Any) -> Any:
        """A fitted transformer."""
        return step.fit(X, y)

    def finished(self, common: Any, step: Any, X: Any) -> tuple[Any, Any]:
        """The same, deciding in another way."""
        step._validate_params()
        found = resized(common, **{name: getattr(step, name) for name in self.parameters})
        return found, found.transform(X)


def is_count(value: Any) -> bool:
    """Whether it is a whole number from 1 on."""
    return is_whole(value) and value >= 1
