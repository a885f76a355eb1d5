"""Definitions over small tables in a temporary folder."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from tunesmith.config.model import Definition, File
from tunesmith.space import Categorical, SearchSpace

Define = Callable[..., Definition]


@pytest.fixture
def define(tmp_path: Path) -> Define:
    """``define(frame, space, **objective)`` writes the frame and gives a definition on it."""

    def make(
        frame: pd.DataFrame, space: Mapping[str, list[Any]] | SearchSpace, **objective: Any
    ) -> Definition:
        frame.to_csv(tmp_path / "table.csv", index=False)
        data = {"path": "table.csv", "target": "y", **objective.pop("data", {})}
        search = objective.pop("search", {})
        section = {"metric": "accuracy", "data": data, **objective}
        file = File.model_validate({"study": "s", "objective": section, "search": search})
        if not isinstance(space, SearchSpace):
            space = SearchSpace.of({n: Categorical(tuple(v)) for n, v in space.items()})
        return Definition(file=file, space=space, root=tmp_path)

    return make


def numbers(n_rows: int = 120, n_classes: int = 2, seed: int = 0) -> pd.DataFrame:
    """Five features that say something about a class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n_rows)
    X = rng.normal(size=(n_rows, 5)) + 0.7 * y[:, None] * rng.normal(size=5)
    return pd.DataFrame(X, columns=list("abcde")).assign(y=y)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other make small fits many times slower."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def binary() -> pd.DataFrame:
    """120 rows, two classes."""
    return numbers()


@pytest.fixture
def multiclass() -> pd.DataFrame:
    """120 rows, three classes."""
    return numbers(n_classes=3, seed=1)


@pytest.fixture
def regression() -> pd.DataFrame:
    """120 rows, a continuous target."""
    frame = numbers(seed=2)
    rng = np.random.default_rng(3)
    return frame.assign(y=frame["a"] * 2 - frame["b"] + rng.normal(size=len(frame)))


@pytest.fixture
def mixed() -> pd.DataFrame:
    """Numbers with gaps, text, booleans, dates, many categories; two classes as text."""
    rng = np.random.default_rng(4)
    frame = numbers(seed=4)
    n = len(frame)
    frame.loc[::7, "a"] = np.nan
    frame["city"] = rng.choice(["Oslo", "Rome", "Lima"], n)
    frame.loc[::11, "city"] = None
    frame["street"] = [f"street {i}" for i in rng.integers(40, size=n)]
    frame["member"] = rng.integers(2, size=n).astype(bool)
    frame["day"] = pd.date_range("2024-01-01", periods=n).strftime("%Y-%m-%d")
    return frame.assign(y=np.where(frame["y"] == 1, "yes", "no"))
