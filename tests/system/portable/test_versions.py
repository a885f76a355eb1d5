from types import SimpleNamespace

import numpy as np
import pytest

from tunesmith.system.portable.versions import (
    check_search_input,
    process_print_options,
    sobol,
)


def test_a_seed_fixes_the_sequence() -> None:
    points = sobol(3, 5, bits=30).random(8)
    assert np.array_equal(points, sobol(3, 5, bits=30).random(8))
    assert not np.array_equal(points, sobol(3, 6, bits=30).random(8))


def test_the_hook_is_called_if_there_is_one() -> None:
    seen: list[object] = []
    search = SimpleNamespace(_check_input_parameters=lambda **given: seen.append(given))
    check_search_input(search, 1, 2, {"groups": None})
    assert seen == [{"X": 1, "y": 2, "split_params": {"groups": None}}]
    check_search_input(object(), 1, 2, {})


def test_old_numpy_has_print_options_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "__version__", "2.1.0")
    assert process_print_options() == {}
    monkeypatch.setattr(np, "__version__", "1.26.0")
    assert process_print_options()["precision"] == 8
