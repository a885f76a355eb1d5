from tunesmith.history import Failure, FoldResult, Metric, Trial
from tunesmith.space import Int, SearchSpace
from tunesmith.study.pending_trial import PendingTrial
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import OutcomeConstraint, State

SPACE = SearchSpace.of({"n": Int(1, 9)})
OBJECTIVE = FunctionObjective(lambda _params, _fold: 0.0, n_folds=2, shared="n")
SCORE = Metric("score")


def opened(n: int = 3) -> PendingTrial:
    """A trial that proposed the last of n points."""
    trial = Trial(4, {"n": n}, key=SPACE.key({"n": n}), origin="random")
    return PendingTrial.of(trial, OBJECTIVE.submodel_candidates(trial.params, SPACE), OBJECTIVE)


def scored(*means: float | None) -> PendingTrial:
    """Two folds a point, around a mean; ``None`` fails on its second fold."""
    found = opened(len(means))
    for place, mean in enumerate(means):
        found.receive(place, FoldResult(0, {"score": (mean or 9) - 0.25}))
        failed = FoldResult(1, {}, failure=Failure("ValueError", "no"))
        good = None if mean is None else FoldResult(1, {"score": mean + 0.25})
        found.receive(place, good or failed)
    return found


def told(found: PendingTrial, metric: Metric = SCORE) -> tuple[object, ...]:
    assert found.is_whole
    trial, keys = found.completed(metric, SPACE.key)
    assert list(keys) == [OBJECTIVE.key(trial.params, fold) for fold in (0, 1)]
    assert trial.key == SPACE.key(trial.params)
    return trial.params["n"], trial.mean("score"), trial.proposed, trial.n_points


def test_the_best_point_is_told() -> None:
    assert told(scored(1, 3, 2)) == (2, 3.0, {"n": 3}, 3)
    assert told(scored(1, 3, 2), Metric("score", "minimize")) == (1, 1.0, {"n": 3}, 3)


def test_of_equally_good_points_the_first_is_told() -> None:
    assert told(scored(2, 2, 2)) == (1, 2.0, {"n": 3}, 3)


def test_what_was_proposed_is_told_where_it_is_the_best() -> None:
    assert told(scored(1, 2, 3)) == (3, 3.0, None, 3)


def test_failed_points_lose() -> None:
    assert told(scored(None, 1, None)) == (2, 1.0, {"n": 3}, 3)


def test_where_all_fail_it_is_the_proposal_that_failed() -> None:
    trial, _ = scored(None, None, None).completed(SCORE, SPACE.key)
    assert (trial.state, trial.params, trial.proposed) == (State.FAILED, {"n": 3}, None)


def test_a_point_that_did_not_come_along_loses() -> None:
    found = opened(2)
    for fold in (0, 1):
        found.receive(1, FoldResult(fold, {"score": 1.0}))
    found.receive(0, FoldResult(0, {"score": 9.0}))
    assert not found.is_whole
    found.give_up(0, 1)
    assert told(found) == (2, 1.0, None, 1)


def test_known_results_are_taken_as_its_own_folds() -> None:
    found = opened(2)
    found.take({OBJECTIVE.key({"n": 1}, 1): FoldResult(7, {"score": 2.0})})
    assert found.results == {(0, 1): FoldResult(1, {"score": 2.0})}
    assert list(found.have) == [(4, 0, 1)]


def bound(text: str) -> PendingTrial:
    """Three points with scores 1, 2, 3 and the same costs, under a constraint."""
    trial = Trial(4, {"n": 3}, key=SPACE.key({"n": 3}), origin="random")
    found = PendingTrial.of(
        trial,
        OBJECTIVE.submodel_candidates(trial.params, SPACE),
        OBJECTIVE,
        subject_to=(OutcomeConstraint.read(text),),
    )
    for place in range(3):
        for fold in (0, 1):
            found.receive(place, FoldResult(fold, {"score": place + 1.0, "cost": place + 1.0}))
    return found


def test_the_best_point_that_meets_the_constraints_is_told() -> None:
    assert told(bound("cost <= 2"))[:2] == (2, 2.0)
    assert told(bound("cost <= 9"))[:2] == (3, 3.0)


def test_the_closest_point_is_told_if_none_meets_the_constraints() -> None:
    assert told(bound("cost <= 0.5"))[:2] == (1, 1.0)
