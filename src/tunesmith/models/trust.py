"""Rules for the types and functions that a skops file may name, and in which way.

Loading a node of such a file may call what the node names: a node that says to be a list calls the
named type with the items. So a name alone tells nothing, and a package's prefix least of all:
scikit-learn's modules have other packages' functions among their names, such as those that start
programs. A name counts only for the kinds of nodes that cannot misuse it, and only if it is defined
where it says.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from zipfile import ZipFile

OBJECTS = ("ObjectNode", "TypeNode")
"""Nodes that make an object without its constructor, or name a type."""
CLASSES = (
    "sklearn.",
    "tunesmith.models.average.",
    "lightgbm.sklearn.",
    "lightgbm.basic.Booster",
    "xgboost.sklearn.",
    "xgboost.core.Booster",
    "catboost.core.CatBoost",
)
"""Beginnings of names of classes whose objects hold data."""
EXCLUDED = ("test", "externals")
"""Parts of the names of modules that serve other ends than models."""
LOSSES = ("sklearn._loss.", "sklearn.linear_model._sgd_fast.")
"""Beginnings of names of classes that are called with numbers."""
FUNCTIONS = (
    "sklearn.metrics.",
    "sklearn.feature_selection.",
    "sklearn.preprocessing.",
    "sklearn.cluster._kmeans.",
    "sklearn.utils.extmath.",
)
"""Beginnings of names of functions that only compute."""
EXACT = {
    "BytearrayNode": ("builtins.bytearray",),
    "DTypeNode": ("numpy.dtype",),
    "DefaultDictNode": ("collections.defaultdict",),
    "DictNode": ("collections.OrderedDict", "sklearn.utils._bunch.Bunch"),
    "FunctionNode": (
        "numpy.mean",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "sklearn.utils.validation.check_array",
    ),
    "ObjectNode": ("scipy.interpolate._bsplines.BSpline",),
    # Its function is a node of its own, which is judged by itself.
    "PartialNode": ("functools.partial",),
    "SparseMatrixNode": tuple(
        f"scipy.sparse._{form}.{form}_{kind}"
        for form in ("csr", "csc", "coo")
        for kind in ("matrix", "array")
    ),
    "TreeNode": ("sklearn.tree._tree.Tree",),
    "TypeNode": ("builtins.object", "collections.OrderedDict", "sklearn.tree._tree.Tree"),
}
"""Kind of node -> further names that are harmless there."""


@dataclass(frozen=True)
class Node:
    """A part of a skops file: how it is loaded, and what it names."""

    loader: str
    module: str
    own_name: str

    @property
    def name(self) -> str:
        """Name with its module."""
        return f"{self.module}.{self.own_name}"


def strange_types(data: bytes) -> list[str]:
    """List what a skops file names that neither skops nor Tunesmith trusts, sorted.

    Args:
        data: content of the file. Nothing in it is loaded.

    Raises:
        Exception: whatever reading a damaged file raises.
    """
    import skops.io as skops

    unknown = set(skops.get_untrusted_types(data=data))
    with ZipFile(io.BytesIO(data)) as file:
        nodes = set(_nodes(json.loads(file.read("schema.json"))))
    # What skops trusts by itself it trusts for the right kinds of nodes only.
    named = {node for node in nodes if node.name in unknown}
    strange = {node.name for node in named if not _is_trusted(node)}
    # A method is no node: it is listed under a name of its own.
    return sorted(strange | (unknown - {node.name for node in named}))


def _nodes(part: Any) -> Iterator[Node]:
    """Yield all nodes of a file, wherever they are."""
    if isinstance(part, dict):
        if "__loader__" in part:
            yield Node(part["__loader__"], part["__module__"], part["__class__"])
        for value in part.values():
            yield from _nodes(value)
    elif isinstance(part, list):
        for value in part:
            yield from _nodes(value)


def _is_trusted(node: Node) -> bool:
    if node.name in EXACT.get(node.loader, ()):
        return True
    if node.loader in OBJECTS:
        return node.name.startswith(CLASSES) and isinstance(_defined(node), type)
    if node.loader == "LossNode":
        return node.name.startswith(LOSSES) and isinstance(_defined(node), type)
    if node.loader == "FunctionNode":
        found = _defined(node) if node.name.startswith(FUNCTIONS) else None
        return callable(found) and not isinstance(found, type)
    return False


def _defined(node: Node) -> Any:
    """Return what a node names; ``None`` if it is defined elsewhere, or not at all."""
    if any(word in part for part in node.module.split(".") for word in EXCLUDED):
        return None
    try:
        found = getattr(import_module(node.module), node.own_name)
    except (ImportError, AttributeError):
        return None
    return found if getattr(found, "__module__", None) == node.module else None
