"""Private files of fold models, which are signed, and opened only if the signature is right.

A model is a pickle, and opening a pickle runs what is in it. So each file begins with a digest that
nobody can make without a secret: one of the process, or one of the user that never leaves the
machine. A file whose digest is another one is not opened; its models are fitted again.
"""

import hashlib
import hmac
import json
import os
import pickle
import platform
import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle

from tunesmith.models.answers import FoldAnswers
from tunesmith.system.files import make_state_folder

MARK = b"tunesmith-fold-models-1\n"
ENDING = ".models"
N_DIGEST = 64
KEY_BYTES = 32
MAX_HEAD = 1_000_000
"""Most bytes of a head: some names; whatever is longer is none of ours."""
PART = re.compile(r"\.\d+-[0-9a-f]{24}\.\d+")
"""Names of files that are being written."""
ROOM = 0.8
"""Share of the budget beyond which models of the worst trials go."""


@dataclass(frozen=True)
class FoldModel:
    """One fitted model, with its answers for the test rows of its fold."""

    key: str
    """Digest of everything that the fit depends on: equal keys mean equal models."""
    answers: FoldAnswers
    model: Any
    """``None`` if its answers alone are kept."""


@dataclass(frozen=True)
class PackedModels:
    """The models of one fit as bytes, ready to be stored."""

    fold: int
    keys: list[str]
    answers: bytes = field(repr=False)
    models: bytes = field(repr=False)
    is_one_trial: bool = False
    """True if they are points of one trial."""


def pack(fold: int, models: Sequence[FoldModel], *, is_one_trial: bool = False) -> PackedModels:
    """Pickle the models of one fit.

    Args:
        fold: of the fit.
        models: at least one.
        is_one_trial: they are points of one trial.

    Raises:
        Exception: whatever pickling raises.
    """
    answers = cloudpickle.dumps({one.key: one.answers for one in models})
    # In one pickle: what models have in common is stored once.
    kept = cloudpickle.dumps({one.key: one.model for one in models if one.model is not None})
    return PackedModels(fold, [one.key for one in models], answers, kept, is_one_trial)


@dataclass(frozen=True)
class Stored:
    """Head of a file: its content without the models."""

    path: Path
    keys: tuple[str, ...]
    n_bytes: int
    is_one_trial: bool
    """True if all keys are points of one trial, of which one counts."""
    written_ns: int


@dataclass
class ModelStore:
    """A folder of fold models, one file per fit.

    Models of one fit that have parts in common, such as the first trees of a forest, share them in
    the file. Picklable: workers write, and the process of the search reads and removes.

    Args:
        folder: of this study alone; made when it is needed.
        secret: signs the files.
        max_bytes: nothing is written beyond it.
    """

    folder: Path
    secret: bytes = field(repr=False)
    max_bytes: int
    _: KW_ONLY
    host: str = field(default_factory=platform.node)
    """Name of the machine with the folder: workers on other machines write nothing."""
    refused: list[str] = field(default_factory=list)
    """Names of files that were not opened, because their digest is wrong."""
    _heads: dict[str, Stored] = field(default_factory=dict, repr=False)
    _dropped: set[str] = field(default_factory=set, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "refused": [], "_heads": {}, "_dropped": set()}

    # -- writing -----------------------------------------------------------------------------

    def write(self, packed: PackedModels) -> bool:
        """Write the models of one fit; return false if there is no room for them here.

        Args:
            packed: the models.

        Raises:
            OSError: the file cannot be written.
        """
        # A folder of the same name there would be full of files that nobody removes.
        if self.host != platform.node():
            return False
        keys, answers = packed.keys, packed.answers
        head = {"keys": keys, "answers": len(answers), "is_one_trial": packed.is_one_trial}
        body = json.dumps(head).encode() + b"\n" + answers + packed.models
        # The head is signed, too: it says which bytes are which pickle.
        data = MARK + self._digest(body) + b"\n" + body
        if self.n_bytes + len(data) > self.max_bytes:
            return False
        make_state_folder(self.folder, is_private=True)
        own = hashlib.blake2b(json.dumps(keys).encode(), digest_size=12).hexdigest()
        name = f"{packed.fold}-{own}"
        path = self.folder / f"{name}{ENDING}"
        # Workers write at the same time, each under a name of its own.
        # A name that no reader looks at, until the content is whole.
        part = path.with_name(f".{name}.{os.getpid()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        part.replace(path)
        return True

    def _digest(self, body: bytes) -> bytes:
        return hmac.new(self.secret, body, hashlib.sha256).hexdigest().encode()

    @property
    def n_bytes(self) -> int:
        """Bytes of all files."""
        try:
            with os.scandir(self.folder) as entries:
                return sum(_size(entry) for entry in entries)
        except (FileNotFoundError, NotADirectoryError):
            return 0

    @property
    def is_crowded(self) -> bool:
        """True if there is little room left, so that the worst models should go."""
        return self.n_bytes > ROOM * self.max_bytes

    # -- reading -----------------------------------------------------------------------------

    def heads(self) -> dict[str, Stored]:
        """Heads of the files by name, read once each; nothing in them is trusted."""
        names = {path.name for path in self._files()}
        # Workers write at any time, so the folder is looked at each time.
        for name in self._heads.keys() - names:
            del self._heads[name]
        for name in sorted(names - self._heads.keys()):
            if (head := _head(self.folder / name)) is not None:
                self._heads[name] = head
        return self._heads

    def has(self, key: str) -> bool:
        """True if there is a file that says to hold a model."""
        return any(key in head.keys for head in self.heads().values())

    def answers(self, key: str) -> FoldAnswers | None:
        """Read a model's answers for the test rows of its fold; ``None`` if they are not here."""
        for body in self._bodies(key):
            head, _, rest = body.partition(b"\n")
            answers: FoldAnswers = pickle.loads(rest[: json.loads(head)["answers"]])[key]  # noqa: S301 - signed
            return answers
        return None

    def models(self, key: str) -> Mapping[str, Any]:
        """Read a model, with those that are stored with it; empty if it is not here."""
        for body in self._bodies(key):
            head, _, rest = body.partition(b"\n")
            models: Mapping[str, Any] = pickle.loads(rest[json.loads(head)["answers"] :])  # noqa: S301 - signed
            return models
        return {}

    def _bodies(self, key: str) -> Iterator[bytes]:
        """Yield the content of files with a model, if their digest is right."""
        for head in list(self.heads().values()):
            if key not in head.keys:
                continue
            try:
                data = head.path.read_bytes()
            except OSError:
                continue
            # The bytes that were checked are those that are opened.
            body = data[len(MARK) + N_DIGEST + 1 :]
            signed = data[len(MARK) : len(MARK) + N_DIGEST]
            if data.startswith(MARK) and hmac.compare_digest(signed, self._digest(body)):
                yield body
            elif head.path.name not in self.refused:
                self.refused.append(head.path.name)

    def _files(self) -> list[Path]:
        try:
            # A pipe among them, in a project that came from elsewhere, would never end.
            return [
                path
                for path in self.folder.iterdir()
                if path.name.endswith(ENDING) and path.is_file()
            ]
        except (FileNotFoundError, NotADirectoryError):
            return []

    # -- removing ----------------------------------------------------------------------------

    def drop(self, keys: Collection[str]) -> None:
        """Remove models; a file goes when none of its models is needed any more."""
        self._dropped.update(keys)
        for name, head in list(self.heads().items()):
            # A trial that was the best of its points needs none of the others.
            gone = [key in self._dropped for key in head.keys]
            if any(gone) if head.is_one_trial else all(gone):
                head.path.unlink(missing_ok=True)
                self._heads.pop(name, None)

    def others(self, mine: Collection[str]) -> list[Path]:
        """Files that hold none of these models, the oldest first."""
        found = [head for head in self.heads().values() if not set(mine).intersection(head.keys)]
        return [head.path for head in sorted(found, key=lambda head: head.written_ns)]

    def sweep(self) -> None:
        """Remove what writes that were cut off have left; no worker may be writing."""
        with suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                if PART.fullmatch(path.name):
                    path.unlink(missing_ok=True)


def _size(entry: "os.DirEntry[str]") -> int:
    # A worker may replace a file, or the search remove it, meanwhile.
    with suppress(FileNotFoundError):
        return entry.stat(follow_symlinks=False).st_size
    return 0


def _head(path: Path) -> Stored | None:
    """Read the head of a file; ``None`` if it is none of ours, or being removed."""
    try:
        with path.open("rb") as file:
            if file.readline(len(MARK)) != MARK:
                return None
            file.read(N_DIGEST + 1)
            head = json.loads(file.readline(MAX_HEAD))
            status = os.fstat(file.fileno())
        keys, is_one_trial = tuple(map(str, head["keys"])), bool(head["is_one_trial"])
        return Stored(path, keys, status.st_size, is_one_trial, status.st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


# -- secrets -------------------------------------------------------------------------------------


def new_secret() -> bytes:
    """Draw a secret for files that no other process will read."""
    return secrets.token_bytes(KEY_BYTES)


def user_secret(folder: Path | None = None) -> bytes:
    """Return the user's secret of this machine; it is made when it is first needed.

    Files in a project that came from elsewhere are signed with another one, or with none.

    Args:
        folder: of the secret; by default below ``XDG_STATE_HOME`` or ``~/.local/state``.

    Raises:
        OSError: it can be neither read nor made.
    """
    if folder is None:
        state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        folder = Path(state) / "tunesmith"
    path = folder / "models.key"
    for _ in range(2):
        with suppress(FileNotFoundError):
            secret = path.read_bytes()
            if len(secret) == KEY_BYTES:
                return secret
            path.unlink()  # a write that was cut off
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(new_secret())
        # Not `replace`: of two processes at once, the first one's secret counts for both.
        with suppress(FileExistsError):
            os.link(part, path)
        part.unlink(missing_ok=True)
    return path.read_bytes()
