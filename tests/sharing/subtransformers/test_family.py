"""Every family of subtransformers under the same contract; and in pipelines as a whole."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn import feature_selection as f
from sklearn.decomposition import PCA
from sklearn.linear_model import Lasso, RidgeClassifier
from sklearn.tree import DecisionTreeClassifier

from tunesmith import registry
from tunesmith.sharing.subtransformers.pca import EXACT, Components, solver_for
from tunesmith.sharing.subtransformers.selection import Best, FromModel, Percentile
from tunesmith.testing.subtransformers import TransformerFamilyContract, assert_same, rows


class TestComponents(TransformerFamilyContract):
    family = Components()

    def groups(self) -> list[Sequence[Any]]:
        sizes = (3, 1, 5, 8, 20, 25, 30)
        return [
            [PCA(n) for n in sizes],
            [PCA(n, svd_solver="full") for n in sizes],
            [PCA(n, svd_solver="full", whiten=n < 9) for n in sizes],
            [PCA(n, svd_solver="covariance_eigh") for n in sizes],
            [PCA(n, svd_solver="covariance_eigh", whiten=n < 9) for n in sizes],
            [PCA(n, svd_solver="full").set_output(transform="pandas") for n in sizes],
            [PCA(n).set_output(transform="pandas") for n in sizes],
        ]

    def unshareable(self) -> list[Any]:
        return [
            *[PCA(n) for n in (0, -1, 9, 0.5, "mle", None, True, "3")],
            PCA(3, svd_solver="randomized", random_state=0),
            PCA(3, svd_solver="arpack", random_state=0),
            PCA(3, svd_solver="none such"),
            PCA(3, svd_solver="full", copy=False),
        ]

    @pytest.mark.parametrize("shape", [(600, 60), (599, 60), (500, 60), (501, 400), (12000, 1001)])
    @pytest.mark.parametrize("n", [1, 47, 48, 60, None, 0.5])
    def test_the_solver_is_the_one_that_scikit_learn_takes(
        self, shape: tuple[int, int], n: Any
    ) -> None:
        # The choice needs no numbers, so the fits are left out.
        taken: list[str] = []
        step = PCA(n)
        step._fit_full = step._fit_truncated = lambda *_: taken.append(step._fit_svd_solver)
        X = np.broadcast_to(np.float64(1.0), shape)
        step._fit(X)
        assert solver_for(PCA(n), X) == taken[0]
        is_shared = isinstance(n, int) and taken[0] in EXACT
        assert self.family.can_share(PCA(n), X) is is_shared

    def test_single_precision_stays(self) -> None:
        X, y = rows((90, 30), 3, is_frame=False)
        X = X.astype(np.float32)
        for solver in ("full", "covariance_eigh"):
            step = PCA(5, svd_solver=solver)
            common = self.family.common(PCA(9, svd_solver=solver), X, y)
            found, made = self.family.finished(common, step, X)
            fresh = PCA(5, svd_solver=solver)
            assert_same(made, fresh.fit_transform(X), solver)
            assert_same(found, fresh, solver)


class TestBest(TransformerFamilyContract):
    family = Best()

    def groups(self) -> list[Sequence[Any]]:
        sizes = (3, 1, "all", 8, 30)
        drawn = partial(f.mutual_info_classif, random_state=0)
        return [
            [f.SelectKBest(score, k=k) for k in sizes]
            for score in (f.f_classif, f.f_regression, f.chi2, f.r_regression, drawn)
        ]

    def unshareable(self) -> list[Any]:
        return [
            *[f.SelectKBest(k=k) for k in (0, -1, 2.5, True, None, 9)],
            f.SelectKBest(f.mutual_info_classif, k=3),
            f.SelectKBest(partial(f.mutual_info_classif, random_state=None), k=3),
            f.SelectKBest(partial(f.mutual_info_classif, n_neighbors=3), k=3),
            f.SelectKBest(lambda X, y: X[0], k=3),
            f.SelectPercentile(),
        ]


class TestFromModel(TransformerFamilyContract):
    family = FromModel()

    def groups(self) -> list[Sequence[Any]]:
        models = (DecisionTreeClassifier(random_state=0), RidgeClassifier(), Lasso(0.01))
        given: list[dict[str, Any]] = [
            {},
            {"threshold": "median"},
            {"threshold": "0.5*mean", "max_features": 3},
            {"threshold": -np.inf, "max_features": 1},
            {"max_features": 4},
        ]
        return [[f.SelectFromModel(model, **one) for one in given] for model in models]

    def unshareable(self) -> list[Any]:
        X, y = rows((160, 8), 0, is_frame=False)
        model = RidgeClassifier()
        return [
            f.SelectFromModel(model.fit(X, y), prefit=True),
            *[f.SelectFromModel(model, max_features=n) for n in (len, -1, 0, 2.5)],
        ]


class TestPercentile(TransformerFamilyContract):
    family = Percentile()

    def groups(self) -> list[Sequence[Any]]:
        return [[f.SelectPercentile(f.f_classif, percentile=p) for p in (30, 60.5, 100)]]

    def unshareable(self) -> list[Any]:
        return [f.SelectPercentile(f.mutual_info_classif, percentile=20), f.SelectKBest()]


def test_every_registered_family_is_tested() -> None:
    tested = {type(case.family) for case in TransformerFamilyContract.__subclasses__()}
    names = registry.names("subtransformers")
    assert {registry.load("subtransformers", name) for name in names} <= tested
