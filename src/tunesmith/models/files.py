"""Files of models: skops, which is safe to open, and joblib, which is opened by its digest only."""

import hashlib
import io
from pathlib import Path
from typing import Any

import joblib

from tunesmith.errors import UsageError
from tunesmith.models.trust import strange_types
from tunesmith.system.files import write_atomic

SKOPS, JOBLIB = ".skops", ".joblib"


def check_name(path: Path) -> None:
    """Refuse a file whose name tells no form, and skops where it is not installed.

    Raises:
        UsageError: says what to write instead.
    """
    if path.suffix not in (SKOPS, JOBLIB):
        raise UsageError(f"{path}: a model's file ends in {SKOPS} (safe to open) or {JOBLIB}.")
    if path.suffix == SKOPS:
        _skops()


def save_model(model: Any, path: str | Path) -> str:
    """Write a model, and return the SHA-256 digest of the file.

    Args:
        model: fitted.
        path: ``*.skops`` or ``*.joblib``; replaced in one step.

    Raises:
        UsageError: the form is unknown or cannot hold the model.
        StorageError: the file cannot be written.
    """
    place = Path(path)
    check_name(place)
    data = _dumped(model, place)
    write_atomic(place, data)
    return hashlib.sha256(data).hexdigest()


def _dumped(model: Any, path: Path) -> bytes:
    if path.suffix == JOBLIB:
        buffer = io.BytesIO()
        joblib.dump(model, buffer)
        return buffer.getvalue()
    try:
        data: bytes = _skops().dumps(model)
    except Exception as error:
        raise UsageError(
            f"{path}: skops cannot hold this model ({type(error).__name__}: {error})."
            f" Write {path.with_suffix(JOBLIB).name} instead."
        ) from error
    # Told now: whoever opens the file could not use it.
    if strange := strange_types(data):
        raise UsageError(
            f"{path}: the model holds types that are not trusted when it is opened:"
            f" {', '.join(strange)}. Write {path.with_suffix(JOBLIB).name} instead."
        )
    return data


def load_model(path: str | Path, digest: str | None = None) -> Any:
    """Open the file of a model.

    Nothing in a skops file is run, and types of other packages than scikit-learn and its usual
    companions are refused. A joblib file is a pickle, so that you have to say which one you mean:
    by the digest that was printed when it was written.

    >>> load_model("model.pkl")
    Traceback (most recent call last):
    tunesmith.errors.UsageError: model.pkl: a model's file ends in .skops (safe to open) or .joblib.

    Args:
        path: ``*.skops`` or ``*.joblib``.
        digest: SHA-256 of the file; needed for joblib, checked if it is given.

    Raises:
        UsageError: there is no such file, the digest is another one, or a type is not trusted.
    """
    place = Path(path)
    check_name(place)
    try:
        data = place.read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"{place}: {getattr(error, 'strerror', None) or error}") from None
    # From here on only these bytes count, whatever happens to the file.
    now = hashlib.sha256(data).hexdigest()
    if digest is not None and digest.strip().lower() != now:
        raise UsageError(
            f"{place}: its digest is {now}, not {digest}: it is another file or was changed, and"
            " was not opened."
        )
    if place.suffix == JOBLIB:
        if digest is None:
            raise UsageError(
                f"{place}: opening a pickle runs what is in it. Give the digest that was printed"
                " when it was written: load_model(path, digest='…')."
            )
        return _unpickled(place, data)
    return _opened(place, data)


def _unpickled(path: Path, data: bytes) -> Any:
    try:
        return joblib.load(io.BytesIO(data))
    except Exception as error:
        # Mostly a library that is missing here, or is another version.
        raise UsageError(
            f"{path}: it is the file that you mean, but cannot be opened here:"
            f" {type(error).__name__}: {error}. Use the packages that it was written with."
        ) from error


def _opened(path: Path, data: bytes) -> Any:
    skops = _skops()
    try:
        if strange := strange_types(data):
            raise UsageError(
                f"{path}: it holds types that are not trusted: {', '.join(strange)}. It was not"
                " opened; skops.io.load(path, trusted=[…]) opens it if you trust them."
            )
        return skops.loads(data, trusted=skops.get_untrusted_types(data=data))
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a damaged file leads to
        raise UsageError(f"{path}: no model can be read: {type(error).__name__}: {error}") from None


def _skops() -> Any:
    try:
        import skops.io as skops
    except ImportError:
        raise UsageError(
            f"{SKOPS} files need skops: pip install 'tunesmith[skops]'. Or write a {JOBLIB} file."
        ) from None
    return skops
