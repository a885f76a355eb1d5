"""The contract of objectives: subclass ``ObjectiveContract`` to test your own."""

import json
import pickle
from collections.abc import Sequence
from math import isfinite

import pytest

from tunesmith.objective.objective import Objective
from tunesmith.space import Categorical, SearchSpace
from tunesmith.types import Fit, Params

LONGEST_KEY = 64
"""Characters; the ledger's column takes no more."""


class ObjectiveContract:
    """Tests of one objective: override ``make``, ``params``, and ``failing`` if it can fail."""

    def make(self) -> Objective:
        """Make a fresh objective with the same options each time."""
        raise NotImplementedError

    def params(self) -> Sequence[Params]:
        """Return at least two different candidates that can be scored."""
        raise NotImplementedError

    def space(self) -> SearchSpace | None:
        """Return a space with the candidates in it, if some of them share the fits of others."""
        return None

    def failing(self) -> Params | None:
        """Return a candidate that fails, if there is one."""
        return None

    def test_it_has_folds_and_metrics(self) -> None:
        objective = self.make()
        assert objective.n_folds >= 1
        assert objective.objectives
        assert objective.metrics[: len(objective.objectives)] == objective.objectives

    def test_names_of_metrics_are_unique(self) -> None:
        names = [metric.name for metric in self.make().metrics]
        assert len(names) == len(set(names))

    def test_one_finite_result_a_candidate(self) -> None:
        objective, points = self.make(), self.params()
        for fold in range(objective.n_folds):
            results = objective.evaluate(Fit(fold, tuple(points)))
            assert [result.fold for result in results] == [fold] * len(points)
            for result in results:
                assert result.failure is None
                assert {metric.name for metric in objective.objectives} <= result.scores.keys()
                # Of exactly this type: NumPy's own numbers print as `np.float64(…)`.
                assert all(type(score) is float for score in result.scores.values())
                assert all(isfinite(score) for score in result.scores.values())
                assert result.fit_time_s >= 0
                assert result.score_time_s >= 0

    def test_candidates_do_not_disturb_each_other(self) -> None:
        objective, points = self.make(), self.params()
        together = objective.evaluate(Fit(0, tuple(points)))
        for point, result in zip(points, together, strict=True):
            assert self._scores(self.make(), point, 0) == self._computed(result.scores)

    def test_a_curve_holds_its_point_and_scores_of_its_own(self) -> None:
        objective, space = self.make(), self.space()
        if space is None:
            pytest.skip("this objective names no space")
        for point in map(space.canonical, self.params()):
            submodel_candidates = objective.submodel_candidates(point, space)
            others = tuple(other for other in submodel_candidates if other != point)
            assert len(others) == len(submodel_candidates) - 1
            assert all(space.canonical(other) == other for other in submodel_candidates)
            results = objective.evaluate(Fit(0, (point,), others))
            # Extra candidates are scored all together, or not at all if they would need own fits.
            assert len(results) in (1, len(submodel_candidates))
            for other, result in zip((point, *others), results, strict=False):
                assert self._scores(self.make(), other, 0) == self._computed(result.scores)

    def test_nothing_is_on_the_curve_of_a_space_of_one(self) -> None:
        point = self.params()[0]
        alone = SearchSpace.of({name: Categorical((value,)) for name, value in point.items()})
        assert list(self.make().submodel_candidates(point, alone)) == [point]

    def test_scores_repeat(self) -> None:
        objective, point = self.make(), self.params()[0]
        assert self._scores(objective, point, 0) == self._scores(objective, point, 0)

    def test_it_survives_pickling(self) -> None:
        objective, point = self.make(), self.params()[0]
        before = self._scores(objective, point, 0)
        # Objectives travel to worker processes.
        copy: Objective = pickle.loads(pickle.dumps(objective))  # noqa: S301 - our own bytes
        assert copy.key(point, 0) == objective.key(point, 0)
        assert copy.metrics == objective.metrics
        assert self._scores(copy, point, 0) == before

    def test_keys_tell_params_and_folds_apart(self) -> None:
        objective = self.make()
        keys = [
            objective.key(point, fold)
            for point in self.params()
            for fold in range(objective.n_folds)
        ]
        assert len(set(keys)) == len(keys)
        # PostgreSQL refuses longer ones.
        assert all(len(key) <= LONGEST_KEY for key in keys)

    def test_keys_do_not_depend_on_the_order_of_names(self) -> None:
        objective, point = self.make(), self.params()[0]
        turned = dict(reversed(list(point.items())))
        assert objective.key(turned, 0) == objective.key(point, 0)

    def test_keys_and_context_are_the_same_each_time(self) -> None:
        one, other = self.make(), self.make()
        assert dict(one.context) == dict(other.context)
        assert one.key(self.params()[0], 0) == other.key(self.params()[0], 0)

    def test_defaults_and_context_are_json(self) -> None:
        objective = self.make()
        json.dumps(dict(objective.defaults()), allow_nan=False)
        assert all(isinstance(text, str) for text in objective.context.values())

    def test_a_failure_is_a_result(self) -> None:
        point = self.failing()
        if point is None:
            pytest.skip("this objective names no failing point")
        (result,) = self.make().evaluate(Fit(0, (point,)))
        assert result.failure is not None
        assert result.failure.kind
        assert result.failure.message
        assert not result.scores

    def _scores(self, objective: Objective, point: Params, fold: int) -> dict[str, float]:
        (result,) = objective.evaluate(Fit(fold, (point,)))
        return self._computed(result.scores)

    @staticmethod
    def _computed(scores: object) -> dict[str, float]:
        """Scores without the measured times, which differ each time."""
        assert isinstance(scores, dict)
        return {name: s for name, s in scores.items() if name not in ("fit_time", "score_time")}
