"""Private files: kept together, removed when nobody needs them, opened only if they are ours."""

import os
import pickle
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from tunesmith.models.answers import FoldAnswers
from tunesmith.models.store import (
    MARK,
    N_DIGEST,
    FoldModel,
    ModelStore,
    new_secret,
    pack,
    user_secret,
)

ANSWERS = FoldAnswers({"predict": np.array([1.0])})
OPENED: list[str] = []


class Trap:
    def __reduce__(self) -> Any:
        return OPENED.append, ("opened",)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", new_secret(), 10**7)


def model(key: str, content: Any = "model") -> FoldModel:
    return FoldModel(key, ANSWERS, content)


def test_what_was_written_is_read(store: ModelStore) -> None:
    assert not store.has("a")
    assert store.write(pack(0, [model("a", [1]), model("b", [2])]))
    assert (store.has("a"), store.models("b")) == (True, {"a": [1], "b": [2]})
    answers = store.answers("a")
    assert answers is not None
    assert answers.values["predict"].tolist() == [1.0]
    assert (store.answers("c"), store.models("c")) == (None, {})


def test_files_are_private(store: ModelStore) -> None:
    store.write(pack(0, [model("a")]))
    (file,) = store.folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def forged(data: bytes, how: str) -> bytes:
    """Return a file that someone else has made or changed."""
    head, body = data[: len(MARK) + N_DIGEST + 1], data[len(MARK) + N_DIGEST + 1 :]
    if how == "one bit":
        return head + body[:-2] + bytes([body[-2] ^ 1]) + body[-1:]
    if how == "another pickle":
        line = body.partition(b"\n")[0]
        return head + line + b"\n" + pickle.dumps(Trap()) * 3
    if how == "another secret":
        other = ModelStore(Path("/nowhere"), new_secret(), 1)
        return MARK + other._digest(body) + b"\n" + body
    if how == "no digest":
        return MARK + b"0" * N_DIGEST + b"\n" + body
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    "how", ["one bit", "another pickle", "another secret", "no digest", "cut off"]
)
def test_a_file_that_was_changed_is_not_opened(store: ModelStore, how: str) -> None:
    store.write(pack(0, [model("a", Trap())]))
    (file,) = store.folder.iterdir()
    OPENED.clear()
    file.write_bytes(forged(file.read_bytes(), how))
    assert (store.answers("a"), store.models("a")) == (None, {})
    assert not OPENED
    assert store.refused == [file.name]


def test_other_files_are_left_alone(store: ModelStore) -> None:
    store.write(pack(0, [model("a")]))
    for name, text in {"x.models": "text", "y.models": f"{MARK.decode()}", "z": "1"}.items():
        (store.folder / name).write_text(text)
    assert store.has("a")
    store.drop(["a"])
    assert sorted(path.name for path in store.folder.iterdir()) == ["x.models", "y.models", "z"]


def test_a_file_goes_when_none_of_its_models_is_needed(store: ModelStore) -> None:
    store.write(pack(0, [model("a"), model("b")]))
    store.drop(["a"])
    assert store.has("b")
    store.drop(["b"])
    assert not store.has("b")


def test_points_of_one_trial_go_together(store: ModelStore) -> None:
    store.write(pack(0, [model("a"), model("b")], is_one_trial=True))
    store.drop(["b"])
    assert not store.has("a")


def test_the_budget_holds(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, new_secret(), 4000)
    wrote = [store.write(pack(fold, [model(f"k{fold}", b"x" * 1000)])) for fold in range(5)]
    assert wrote[0]
    assert not wrote[-1]
    assert store.n_bytes <= 4000
    assert not store.is_crowded or store.n_bytes > 3200


def test_workers_on_other_machines_write_nothing(store: ModelStore) -> None:
    store.host = "another machine"
    assert not store.write(pack(0, [model("a")]))
    assert not store.folder.exists()


def test_what_models_have_in_common_is_stored_once(store: ModelStore) -> None:
    X, y = load_iris(return_X_y=True)
    whole = RandomForestClassifier(40, random_state=0).fit(X, y)
    halves = []
    for n in (20, 30, 40):
        half = RandomForestClassifier(n, random_state=0).fit(X[:9], y[:9])
        half.estimators_ = whole.estimators_[:n]
        halves.append(half)
    store.write(pack(0, [model("whole", whole)]))
    alone = store.n_bytes
    store.write(pack(1, [model(f"{place}", half) for place, half in enumerate(halves)]))
    assert store.n_bytes - alone < 1.3 * alone


def test_the_users_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    secret = user_secret(tmp_path / "state")
    assert user_secret(tmp_path / "state") == secret
    (file,) = (tmp_path / "state").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_bytes(b"short")
    assert len(user_secret(tmp_path / "state")) == len(secret)


def test_the_secret_shows_in_no_text(store: ModelStore) -> None:
    assert store.secret.hex() not in repr(store)
    assert repr(store.secret) not in repr(store)


@pytest.mark.parametrize("kind", ["deep", "pipe", "link", "folder", "long"])
def test_odd_files_of_others_are_passed_over(store: ModelStore, kind: str) -> None:
    store.write(pack(0, [model("a")]))
    odd, start = store.folder / "odd.models", MARK + b"0" * N_DIGEST + b"\n"
    if kind == "deep":
        odd.write_bytes(start + b"[" * 100_000 + b"\n")
    elif kind == "long":
        odd.write_bytes(start + b"[" + b" " * 2_000_000)
    elif kind == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("this system has no named pipes")
        os.mkfifo(odd)
    elif kind == "link":
        odd.symlink_to("/dev/zero")
    else:
        odd.mkdir()
    assert store.has("a")
    assert store.answers("a") is not None
    assert "odd.models" not in store.heads()


def test_files_without_these_models_are_told(store: ModelStore) -> None:
    for fold, key in enumerate("abc"):
        store.write(pack(fold, [model(key)]))
        path = next(path for path in store.folder.iterdir() if path.name.startswith(f"{fold}-"))
        os.utime(path, (9 - fold, 9 - fold))
    assert [path.name[0] for path in store.others({"b"})] == ["2", "0"]
