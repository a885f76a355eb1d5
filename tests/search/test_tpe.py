"""TPE: Optuna as a library, kept on a short lead."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import optuna
import pytest

from tunesmith.history import Metric, TrialLog
from tunesmith.search.sobol import SobolSampler
from tunesmith.search.tpe import TPESampler, _Mirror
from tunesmith.space import Box, Categorical, Condition, Distribution, Float, Int, SearchSpace
from tunesmith.testing.sampler import (
    CONDITIONAL,
    FLAT,
    SPACES,
    TWO,
    UNION,
    play,
    random_log,
    stream,
    tell,
)

SCRIPT = """
from tunesmith.search.tpe import TPESampler
from tunesmith.testing.sampler import CONDITIONAL, UNION, play
for space in (CONDITIONAL, UNION):
    for trial in play(TPESampler(seed=1, n_startup=5), space, 12).trials:
        print(trial.key)
"""


def test_it_starts_with_the_sobol_points() -> None:
    expected = [t.params for t in play(SobolSampler(seed=4), FLAT, 8).trials]
    assert [t.params for t in play(TPESampler(seed=4, n_startup=8), FLAT, 10).trials][
        :8
    ] == expected


def test_the_generator_decides_once_the_model_is_at_work() -> None:
    log = random_log(FLAT, 15, 15)
    found = [TPESampler().suggest(FLAT, log.view(), 1, stream(0, n))[0] for n in range(5)]
    assert len({FLAT.key(params) for params in found}) == 5


@pytest.mark.parametrize("name", SPACES)
def test_the_mirror_holds_the_history_as_optuna_sees_it(name: str) -> None:
    space = SPACES[name]
    log = random_log(space, 12, 9)
    mirror = _Mirror(space, log.view(5))
    mirror.update(log.view(5))
    mirror.update(log.view())
    trials = mirror._study.get_trials()
    states = [trial.state.name for trial in trials]
    assert states == ["COMPLETE"] * 5 + ["FAIL"] + ["COMPLETE"] * 3 + ["RUNNING"] * 3
    for mine, other in zip(log.view(), trials, strict=True):
        expected = [mine.mean("score")] if other.state.name == "COMPLETE" else None
        assert other.values == (None if expected is None else pytest.approx(expected, rel=1e-11))
        prefix = f"{space.locate(mine.params)[0]}/"
        names = {key.removeprefix(prefix) for key in other.params if key != "box"}
        assert names == mine.params.keys()


def test_scores_reach_optuna_rounded_to_12_digits() -> None:
    log = random_log(FLAT, 2, 2, turn=1 / 3)
    mirror = _Mirror(FLAT, log.view())
    mirror.update(log.view())
    for mine, other in zip(log.completed, mirror._study.get_trials(), strict=True):
        assert other.value == float(f"{mine.mean('score'):.12g}")


def test_the_last_bits_of_a_score_decide_nothing() -> None:
    def suggested(shift: float) -> Any:
        log = random_log(FLAT, 20, 20, turn=1.0 + shift)
        return TPESampler().suggest(FLAT, log.view(), 1, stream(1, 1))

    assert suggested(0.0) == suggested(3e-16)


def test_running_trials_push_the_next_point_away() -> None:
    """Twelve running trials on the best spot; fixed seeds, so the outcome cannot vary."""
    space = SearchSpace.of({"x": Float(0, 1)})

    def distance(*, lie: bool) -> float:
        log = TrialLog((Metric("score"),))
        for number in range(25):
            log.ask({"x": number / 24}, space.key({"x": number / 24}), "test")
            tell(log, space, log.trials[number])
        for n in range(12):
            params = {"x": 0.4 + n / 1000}
            log.ask(params, space.key(params), "test")
        sampler = TPESampler(constant_liar=lie)
        found = [sampler.suggest(space, log.view(), 1, stream(2, n))[0]["x"] for n in range(20)]
        return float(np.median([abs(float(x) - 0.4) for x in found]))  # type: ignore[arg-type]

    assert distance(lie=True) > 2 * distance(lie=False)


def test_optunas_log_level_is_left_alone() -> None:
    optuna.logging.set_verbosity(optuna.logging.DEBUG)
    try:
        play(TPESampler(n_startup=3), FLAT, 6)
        assert optuna.logging.get_verbosity() == optuna.logging.DEBUG
    finally:
        optuna.logging.set_verbosity(optuna.logging.INFO)


def test_nothing_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    play(TPESampler(n_startup=3), UNION, 8)
    play(TPESampler(n_startup=3), CONDITIONAL, 8, objectives=TWO)
    assert capfd.readouterr() == ("", "")


def test_distributions_are_searched_by_quantile() -> None:
    space = SearchSpace.of(
        {"alpha": Distribution("expon", (), {"scale": 10.0}), "n": Distribution("poisson", (4.0,))}
    )
    found = [trial.params for trial in play(TPESampler(n_startup=4), space, 20).trials]
    assert all(params in space for params in found)
    assert all(isinstance(params["n"], int) for params in found)
    assert max(float(params["alpha"]) for params in found) > 3  # type: ignore[arg-type]


def test_constants_and_single_values_pass_through() -> None:
    space = SearchSpace.of(
        {"c": Categorical((None,)), "n": Int(3, 3), "f": Float(0.5, 0.5), "x": Float(0, 1)}
    )
    for trial in play(TPESampler(n_startup=3), space, 8).trials:
        assert {**trial.params, "x": 0} == {"c": None, "f": 0.5, "n": 3, "x": 0}


def test_one_name_may_mean_different_things_in_different_boxes() -> None:
    space = SearchSpace(
        (
            Box({"kind": Categorical(("a",)), "size": Int(1, 5)}),
            Box(
                {"kind": Categorical(("b", "c")), "size": Float(0, 1)},
                {"size": (Condition("kind", ("c",)),)},
            ),
        )
    )
    for trial in play(TPESampler(n_startup=4), space, 20).trials:
        assert space.key(space.canonical(trial.params)) == trial.key


def test_the_mirror_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    init = _Mirror.__init__

    def counted(self: Any, *args: Any) -> None:
        built.append(1)
        init(self, *args)

    monkeypatch.setattr(_Mirror, "__init__", counted)
    play(TPESampler(n_startup=4), FLAT, 20)
    assert built == [1]


@pytest.mark.slow
def test_the_hash_seed_of_the_process_decides_nothing() -> None:
    def printed(hash_seed: str) -> str:
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", SCRIPT]
        run = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        return run.stdout

    assert printed("1") == printed("2") != ""


def test_failures_teach_nothing_so_the_start_goes_on() -> None:
    log = random_log(FLAT, 12, 12, failing=1)
    expected = SobolSampler().suggest(FLAT, log.view(), 1, stream(0, 0))
    assert TPESampler().suggest(FLAT, log.view(), 1, stream(0, 0)) == expected
