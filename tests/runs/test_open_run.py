import os
import signal
from pathlib import Path

import pytest

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.study.progress import Progress
from tunesmith.testing.projects import TUNING, make_project
from tunesmith.types import StopReason

SERIAL = f"{TUNING}execution: {{executor: serial}}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_and_the_next_one_completes_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    definition = load_definition(make_project(tmp_path / "own", text=SERIAL))

    def interrupt(progress: Progress) -> None:
        if progress.n_told == 3:
            os.kill(os.getpid(), number)

    first = tune(definition, observer=interrupt)
    assert first.exit_code == 128 + number
    assert first.record.runs[-1].stopped_by == StopReason.of_signal(number)
    assert 3 <= first.record.history.n_told < 12
    rest = tune(definition)
    assert (rest.exit_code, rest.record.history.n_told) == (0, 12)
    # Nothing is evaluated twice.
    assert first.n_evaluated + rest.n_evaluated == 36
    assert not list((tmp_path / "own/.tunesmith").glob("*.journal*"))
    whole = tune(load_definition(make_project(tmp_path / "other", text=SERIAL)))
    assert [(t.key, t.folds[0].scores) for t in rest.record.history.told] == [
        (t.key, t.folds[0].scores) for t in whole.record.history.told
    ]


def test_a_run_without_a_usable_trial_says_so(tmp_path: Path) -> None:
    text = SERIAL.replace("max_depth: {int: [1, 6]}", "max_depth: [0]")
    result = tune(load_definition(make_project(tmp_path, text=text)))
    assert (result.exit_code, result.best_params) == (1, None)
