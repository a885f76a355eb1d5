"""Answers of fold models on their way from a worker to the run: arrays as JSON, never a pickle.

A worker takes them from its own processes. The run packs them anew, signed with its own secret.
"""

import base64
import pickle
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from tunesmith.errors import TunesmithError
from tunesmith.history import FoldResult
from tunesmith.models.answers import METHODS, FoldAnswers
from tunesmith.models.keeper import MAX_DELIVERED, Delivery
from tunesmith.models.store import FoldModel, PackedModels, pack

PLAIN = "biuf"
"""Kinds of arrays that travel as bytes; texts travel as lists, and others not at all."""
Content = Mapping[str, Any]


class CarriedAnswerError(TunesmithError):
    """Answers that arrived have not the form of answers."""


def write_answers(results: Sequence[FoldResult]) -> dict[str, Any]:
    """Write the answers that a fit has handed over.

    Args:
        results: of a fit, from a process of this worker.

    Returns:
        Plain JSON: answers by key, and the reason if there might have been more.
    """
    delivery: Delivery | None = results[0].delivery if results else None
    if delivery is None:
        return {}
    packed, problem = delivery.take(), delivery.problem
    if packed is not None and len(packed.answers) > MAX_DELIVERED:
        packed, problem = None, "the answers of one fit are more than 64 MB"
    by_key: dict[str, Any] = {}
    if packed is not None:
        made: Mapping[str, FoldAnswers] = pickle.loads(packed.answers)  # noqa: S301 - of our child
        by_key = {key: content for key, one in made.items() if (content := _content(one))}
    one_trial = packed is not None and packed.is_one_trial
    return {"answers": {"by_key": by_key, "is_one_trial": one_trial, "problem": problem}}


def read_answers(content: Content | None, fold: int, keys: Collection[str]) -> Delivery | None:
    """Read the answers of a fit, to be stored with this machine's secret.

    Args:
        content: from ``write_answers``, under ``answers``.
        fold: of the fit.
        keys: of its candidates.

    Raises:
        CarriedAnswerError: they are no answers, or those of other candidates.
    """
    if content is None:
        return None
    try:
        by_key = {str(key): _answers(one) for key, one in content["by_key"].items()}
        problem, one_trial = str(content["problem"]), bool(content["is_one_trial"])
    except (KeyError, TypeError, ValueError, AttributeError, zlib.error) as error:
        raise CarriedAnswerError(f"a worker has answered with no answers: {error}") from None
    if not by_key.keys() <= set(keys):
        raise CarriedAnswerError("a worker has answered with the answers of other fits")
    packed: PackedModels | None = None
    if by_key:
        models = [FoldModel(key, one, None) for key, one in by_key.items()]
        packed = pack(fold, models, is_one_trial=one_trial)
    return Delivery(packed, problem)


def _content(answers: FoldAnswers) -> dict[str, Any] | None:
    arrays = {**answers.values}
    if answers.classes is not None:
        arrays["classes"] = answers.classes
    written = {name: _array(value) for name, value in arrays.items()}
    if None in written.values():
        return None
    marks = {"has_own_rule": answers.has_own_rule, "is_by_pair": answers.is_by_pair}
    return {"arrays": written, "no_mean": answers.no_mean, **marks}


def _array(value: Any) -> dict[str, Any] | None:
    """Write an array; ``None`` for what is none, or holds other objects than texts."""
    if not isinstance(value, np.ndarray):
        return None
    if value.dtype.kind in PLAIN:
        order = np.ascontiguousarray(value).tobytes()
        data = base64.b85encode(zlib.compress(order, 1)).decode()
        return {"type": value.dtype.str, "shape": value.shape, "data": data}
    content = value.tolist()
    is_text = value.dtype.kind == "U" or all(type(one) is str for one in value.ravel())
    return {"type": value.dtype.str, "shape": value.shape, "list": content} if is_text else None


def _answers(content: Content) -> FoldAnswers:
    arrays = {str(name): _read(one) for name, one in content["arrays"].items()}
    classes = arrays.pop("classes", None)
    if "predict" not in arrays or not arrays.keys() <= set(METHODS):
        raise ValueError("methods of no model")
    return FoldAnswers(
        arrays,
        classes,
        has_own_rule=bool(content["has_own_rule"]),
        is_by_pair=bool(content["is_by_pair"]),
        no_mean=str(content["no_mean"]),
    )


def _read(content: Content) -> np.ndarray:
    kind, shape = np.dtype(content["type"]), tuple(map(int, content["shape"]))
    if kind.kind in PLAIN:
        unzipped = zlib.decompressobj()
        data = unzipped.decompress(base64.b85decode(content["data"]), MAX_DELIVERED)
        return np.frombuffer(data, dtype=kind).reshape(shape).copy()
    flat = np.array(content["list"], dtype=object).ravel()
    if kind.kind not in "UO" or not all(type(one) is str for one in flat):
        raise ValueError("an array of other things than numbers and texts")
    return np.array(content["list"], dtype=kind).reshape(shape)
