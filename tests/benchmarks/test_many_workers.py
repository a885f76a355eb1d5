"""The pretended cluster keeps time as a real one would."""

import pytest
from benchmarks.many_workers import N_FOLDS, PretendedCluster, branin, study

from tunesmith.search.random import RandomSampler


def test_workers_work_side_by_side_on_the_pretended_clock() -> None:
    for n_workers, rounds in ((1, 6), (2, 3), (6, 1)):
        cluster = PretendedCluster(lambda item: item, n_workers, 100.0)
        futures = [cluster.submit(number) for number in range(6)]
        ended = 0
        while ended < 6:
            ended += len(cluster.completed())
        assert sorted(future.result() for future in futures) == list(range(6))
        assert cluster.now_s == pytest.approx(100 * rounds, rel=0.6)
        assert cluster.busy_s <= n_workers * cluster.now_s


def test_trials_do_not_depend_on_the_number_of_workers() -> None:
    seen = [study(RandomSampler(seed=1), 20, n, window=8, fit_s=60.0) for n in (1, 7)]
    assert [one.n_fits for one in seen] == [20 * N_FOLDS] * 2
    assert seen[0].best == seen[1].best
    assert 0 <= seen[0].idle < 0.1
    assert seen[1].took_s < seen[0].took_s / 3


def test_the_function_has_its_known_best() -> None:
    assert branin({"x": 9.42478, "y": 2.475}, 0) == pytest.approx(-0.397887, abs=1e-5)
