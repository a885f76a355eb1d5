"""Starting points, and those of earlier studies among them."""

from tunesmith.history import FoldResult, Metric, TrialLog
from tunesmith.search.sobol import SobolSampler
from tunesmith.search.tpe import TPESampler
from tunesmith.space import Int, SearchSpace
from tunesmith.study.strategy import SamplerStrategy
from tunesmith.types import Params

SPACE = SearchSpace.of({"n": Int(1, 99)})
START: tuple[tuple[str, Params], ...] = (
    ("defaults", {"n": 1}),
    ("earlier", {"n": 2}),
    ("earlier", {"n": 3}),
    ("earlier", {"n": 4}),
    ("portfolio", {"n": 5}),
)


def origins(scores: dict[int, float], n: int = 7, window: int = 1, *, reads: bool = True) -> str:
    """Origins of the first trials, by their first letters."""
    sampler = TPESampler() if reads else SobolSampler()
    strategy = SamplerStrategy(SPACE, sampler, name="sampler", seed=0, window=window, start=START)
    log = TrialLog((Metric("score"),))
    for number in range(n):
        while len(log.completed) < number - window + 1:
            trial = log.trials[len(log.completed)]
            score = scores.get(int(str(trial.params["n"])), 0.0)
            log.tell(trial.completed([FoldResult(0, {"score": score})]))
        proposal = strategy.propose(log)
        assert proposal is not None
        log.ask(proposal[1], strategy.key(proposal[1]), proposal[0])
    return "".join(trial.origin[0] for trial in log.trials)


def test_good_points_of_earlier_studies_are_all_tried() -> None:
    assert origins({1: 0.5, 2: 0.6}) == "deeepss"
    assert origins({1: 0.5, 2: 0.5}) == "deeepss"


def test_points_of_earlier_studies_are_dropped_if_the_first_is_worse_than_the_defaults() -> None:
    assert origins({1: 0.5, 2: 0.4, 3: 0.9}) == "depssss"


def test_with_a_look_ahead_those_under_way_are_finished() -> None:
    # Two are proposed before the result of the first one is known.
    assert origins({1: 0.5, 2: 0.4}, window=2) == "deepsss"


def test_a_search_that_reads_no_results_tries_them_all() -> None:
    assert origins({1: 0.5, 2: 0.4}, reads=False) == "deeepss"
