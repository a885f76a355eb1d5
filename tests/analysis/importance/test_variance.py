from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from tests.analysis.importance.situations import BOXES, BRANCHES, CONDITIONAL, OF_BOXES, of_table

from tunesmith.analysis.importance.claims import Draws
from tunesmith.analysis.importance.measure import Measure
from tunesmith.analysis.importance.variance import Decomposition, SparseSpaceError
from tunesmith.space.parse import parse_space

U = {"float": [0.0, 1.0]}


@dataclass
class Known:
    """One function of the features, known everywhere."""

    function: Callable[[np.ndarray], np.ndarray]

    def at(self, points: np.ndarray) -> np.ndarray:
        return self.function(points)[None]


def shares(written: object, function: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    found = draws(written, function)
    return {name: float(values[0] / found.total[0]) for name, values in found.single.items()}


def draws(written: object, function: Callable[[np.ndarray], np.ndarray]) -> Draws:
    space, violations = parse_space(written)
    assert space is not None, violations
    return Decomposition(Measure(space), Known(function), np.random.default_rng(0)).draws()


def test_effects_of_one_parameter_and_of_two() -> None:
    found = draws(
        {"a": U, "b": U, "c": U}, lambda x: x[:, 0] + 2 * (x[:, 1] - 0.5) * (x[:, 2] - 0.5)
    )
    # The variance of a uniform number is 1/12, that of the product 4/144.
    assert found.total[0] == pytest.approx(1 / 12 + 4 / 144, rel=0.02)
    assert found.single["a"][0] == pytest.approx(1 / 12, rel=0.02)
    assert found.single["b"][0] == pytest.approx(4 / 144, rel=0.05)
    pairs = {frozenset(pair): float(values[0]) for pair, values in found.pairs.items()}
    assert pairs[frozenset("bc")] == pytest.approx(4 / 144, rel=0.05)
    assert pairs[frozenset("ab")] == pytest.approx(0, abs=1e-12)


def test_a_parameter_counts_within_its_branch() -> None:
    # Features: idle, kind a, kind b, x.
    found = shares(CONDITIONAL, lambda f: np.where(f[:, 1] > 0, 1 - np.abs(f[:, 3] - 0.3), 0.5))
    assert found == pytest.approx(BRANCHES, abs=0.01)
    assert sum(found.values()) == pytest.approx(1, abs=0.01)


def test_pairs_that_never_meet_and_pairs_of_a_branch_have_no_interaction() -> None:
    space = {
        "kind": ["a", "b"],
        "x": {**U, "when": {"kind": "a"}},
        "y": {**U, "when": {"kind": "b"}},
    }
    found = draws(space, lambda f: f.sum(axis=1))
    assert dict(found.pairs) == {}


def test_what_a_branch_does_with_others_is_an_interaction() -> None:
    space = {"kind": ["a", "b"], "x": {**U, "when": {"kind": "a"}}, "z": U}
    # Features: kind a, kind b, z, x. In branch `a` the score is z, in the other -z.
    found = draws(space, lambda f: np.where(f[:, 0] > 0, 1.0, -1.0) * (f[:, 2] - 0.5))
    assert found.pairs["kind", "z"][0] == pytest.approx(1 / 12, rel=0.03)
    assert found.pairs.get(("x", "z"), np.zeros(1))[0] == pytest.approx(0, abs=1e-12)


def test_boxes_share_a_parameter() -> None:
    def score(f: np.ndarray) -> np.ndarray:
        # Features: box 0, box 1; C, of the first box; C, gamma of the second.
        first = f[:, 0] > 0
        c = np.where(first, f[:, 2], f[:, 3])
        return 0.4 * c + np.where(first, -0.3, 0.3 * f[:, 4] - 0.2)

    assert shares(BOXES, score) == pytest.approx(OF_BOXES, abs=0.01)


def test_constraints_leave_less_to_vary() -> None:
    space = {"parameters": {"a": {"int": [1, 6]}, "b": {"int": [1, 6]}}, "constraints": ["a <= b"]}
    points = [(a, b) for b in range(1, 7) for a in range(1, b + 1)]
    within = [np.var(np.arange(1, b + 1)) for _, b in points]
    truth = np.mean(within) / np.var([a for a, _ in points])
    found = shares(space, lambda f: f[:, 0])
    assert found["a"] == pytest.approx(truth, abs=0.03)
    assert found["b"] == pytest.approx(0, abs=1e-12)


def test_tables_agree_with_their_enumeration() -> None:
    table = np.random.default_rng(3).normal(size=(3, 4))

    def score(f: np.ndarray) -> np.ndarray:
        return np.asarray(table[f[:, :3].argmax(axis=1), f[:, 3:].argmax(axis=1)])

    found = shares({"a": ["x", "y", "z"], "b": ["p", "q", "r", "s"]}, score)
    assert found == pytest.approx(of_table(["a", "b"], table), abs=0.02)


def test_a_space_of_next_to_nothing_is_refused() -> None:
    space = {"parameters": {"a": U, "b": U}, "constraints": ["a < 0.001 and b < 0.001"]}
    with pytest.raises(SparseSpaceError):
        draws(space, lambda f: f[:, 0])
