"""Best parameters as a commit has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.parameters.content import content_of
from tunesmith.parameters.shape import PLAIN, Shape
from tunesmith.system.fingerprint import digest


@dataclass(frozen=True)
class Parameters:
    """A best-parameters file of some commit."""

    text: str
    params: Mapping[str, Any]
    meta: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Digest of the parameters as they are."""
        return digest(dict(self.params))

    @property
    def is_edited(self) -> bool:
        """True if somebody changed the parameters after they were written."""
        return self.meta.get("digest") != self.digest


def parse(text: str, path: str, shape: Shape = PLAIN) -> Parameters:
    """Read parameters from the text of a best-parameters file.

    Args:
        text: of the file.
        path: its name.
        shape: the place of the parameters in it.

    Raises:
        UsageError: it holds none.
    """
    params, meta = shape.read(content_of(text, Path(path)), path)
    return Parameters(text, params, meta if isinstance(meta, dict) else {})


def origin(parameters: Parameters) -> str:
    """Return the origin of parameters, in a line.

    >>> meta = {"study": "churn", "trial": 7, "metric": "recall", "mean": 0.875}
    >>> origin(Parameters("", {}, meta | {"digest": digest({})}))
    'trial 7 of study churn: recall 0.875'
    """
    meta = parameters.meta
    source = f"trial {meta['trial']} of study {meta['study']}" if "trial" in meta else "tuning"
    has_score = isinstance(meta.get("mean"), int | float)
    score = f": {meta.get('metric')} {meta['mean']:.6g}" if has_score else ""
    edited = ", edited by hand" if meta and parameters.is_edited else ""
    return f"{source}{score}{edited}".replace("\n", " ")
