"""Calls that the user has not asked for."""

import random
import warnings

import numpy as np
import pytest

from tunesmith.system.user_output import unnoticed


def test_nothing_of_them_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    with unnoticed():
        print(random.random(), np.random.rand())
        warnings.warn("an error, were it noticed", stacklevel=1)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index]
    assert capsys.readouterr().out == ""
