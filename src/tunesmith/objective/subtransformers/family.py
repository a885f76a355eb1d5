"""What a family of subtransformers is.

A *subtransformer* is a transformer that comes cheaply with what another one has computed: one
decomposition holds the PCA of every number of components. As with submodels, what is shared must
be bitwise what a fresh fit gives: the fitted transformer, and the rows that it makes.
"""

from typing import Any, Protocol

from tunesmith.objective.submodels.family import resized


class TransformerFamily(Protocol):
    """Transformers that share all of a fit that does not depend on some parameters."""

    parameters: tuple[str, ...]
    """In which they may differ."""

    def can_share(self, step: Any, X: Any) -> bool:
        """Whether sharing is exact for these values of the parameters.

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
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
