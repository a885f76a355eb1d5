"""The contract of families of subtransformers: a shared fit equals a fresh one, bit by bit.

Subclass ``TransformerFamilyContract`` in a test module; pytest collects it from there.
"""

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone

from tunesmith.sharing.subtransformers.family import TransformerFamily, may_share


class TransformerFamilyContract:
    """Tests of one family: override ``family`` and ``groups``."""

    family: TransformerFamily

    def groups(self) -> list[Sequence[Any]]:
        """Return groups of transformers that can share a fit."""
        raise NotImplementedError

    def unshareable(self) -> list[Any]:
        """Transformers that the family knows but must not share."""
        return []

    @pytest.mark.parametrize("is_frame", [False, True], ids=["array", "frame"])
    @pytest.mark.parametrize("shape", [(160, 8), (90, 30), (40, 50)])
    @pytest.mark.parametrize("seed", [0, 1])
    def test_what_is_shared_is_a_fresh_fit(
        self, shape: tuple[int, int], seed: int, is_frame: bool
    ) -> None:
        X, y = rows(shape, seed, is_frame)
        X_train, y_train, X_test = X[: len(X) // 2], y[: len(X) // 2], X[len(X) // 2 :]
        n_shared = 0
        for group in self.groups():
            members = [clone(step) for step in group if may_share(self.family, step, X_train)]
            n_shared += len(members)
            if not members:
                continue
            common = self.family.common(clone(members[0]), X_train, y_train)
            for step in members:
                transformer, made = self.family.finished(common, clone(step), X_train)
                fresh = clone(step)
                assert_same(made, fresh.fit_transform(X_train, y_train), f"{step}")
                assert_same(transformer, fresh, f"{step}")
                assert_same(transformer.transform(X_test), fresh.transform(X_test), f"{step}")
        # If nothing was shared, nothing was compared either.
        assert n_shared > 1

    def test_what_cannot_be_shared_is_not(self) -> None:
        from sklearn.preprocessing import StandardScaler

        X, _ = rows((160, 8), 0, is_frame=False)
        for step in [*self.unshareable(), StandardScaler()]:
            assert not may_share(self.family, step, X), step

    def test_what_is_not_listed_is_not_shared(self) -> None:
        X, _ = rows((160, 8), 0, is_frame=False)
        good = next(s for group in self.groups() for s in group if may_share(self.family, s, X))
        derived = type("Derived", (type(good),), {})(**good.get_params(deep=False))
        assert not may_share(self.family, derived, X)

    def test_its_parameters_are_the_transformers(self) -> None:
        for group in self.groups():
            for step in group:
                assert set(self.family.parameters) <= step.get_params().keys()


def rows(shape: tuple[int, int], seed: int, is_frame: bool) -> tuple[Any, Any]:
    """Read-only rows, one column of them twice, and three classes."""
    rng = np.random.default_rng(seed)
    X = np.abs(rng.normal(size=shape) @ rng.normal(size=(shape[1], shape[1])))
    X[:, 1] = X[:, 2]
    y = np.digitize(X[:, 0] + rng.normal(size=len(X)), np.quantile(X[:, 0], [0.3, 0.7]))
    X.flags.writeable = False
    made: Any = pd.DataFrame(X, copy=False).add_prefix("x") if is_frame else X
    return made, y


def assert_same(actual: Any, expected: Any, title: str) -> None:
    """Compare types and, for arrays, bits and memory layout; estimators attribute by attribute."""
    assert type(actual) is type(expected), title
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(actual, expected, err_msg=title)
        # BLAS may sum in another order for another layout, so that later steps get other bits.
        assert (actual.dtype, steps_of(actual)) == (expected.dtype, steps_of(expected)), title
    elif isinstance(expected, pd.DataFrame):
        assert list(actual.columns) == list(expected.columns), title
        assert_same(actual.to_numpy(), expected.to_numpy(), title)
    elif isinstance(expected, BaseEstimator):
        assert vars(actual).keys() == vars(expected).keys(), title
        for name, part in vars(expected).items():
            assert_same(vars(actual)[name], part, f"{title}.{name}")
    else:
        assert pickle.dumps(actual) == pickle.dumps(expected), title


def steps_of(array: np.ndarray) -> list[int]:
    """Return the bytes from one item to the next, for axes with more than one item."""
    return [step for step, n in zip(array.strides, array.shape, strict=True) if n > 1]
