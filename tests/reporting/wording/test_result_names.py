"""Names that people try on a result are answered with what exists."""

import copy
import pickle
import re

import pytest

import tunesmith
from tunesmith.reporting.wording.result_names import NAMES, OF_ESTIMATORS


@pytest.fixture(scope="module")
def result() -> tunesmith.Result:
    return tunesmith.tune(
        lambda params: params["x"], space={"x": [1, 2]}, search="grid", progress=False
    )


@pytest.mark.parametrize("name", ["best_model", "predict", "best_params_", "study", "best_value"])
def test_other_names(result: tunesmith.Result, name: str) -> None:
    with pytest.raises(AttributeError, match=f"no attribute '{name}'. .*`best|no attribute"):
        getattr(result, name)
    assert not hasattr(result, name)


def test_what_a_hint_names_is_there(result: tunesmith.Result) -> None:
    for name in (*NAMES, *OF_ESTIMATORS):
        with pytest.raises(AttributeError) as caught:
            getattr(result, name)
        named = re.findall(r"`(?:result\.)?([a-z_]+)(?:\(|`|\.)([a-z_]*)", str(caught.value))
        assert named, name
        for own, inner in named:
            assert hasattr(type(result), own) or own in result.__dataclass_fields__, (name, own)
            if own == "summary":
                assert hasattr(result.summary, inner), (name, inner)


def test_a_slip_and_a_probe(result: tunesmith.Result) -> None:
    with pytest.raises(AttributeError, match="Did you mean `best_score`"):
        result.best_scor  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError) as caught:
        result._ipython_display_  # type: ignore[attr-defined]  # noqa: B018
    assert str(caught.value) == "'Result' object has no attribute '_ipython_display_'"
    assert copy.copy(result) == result


def test_objects_without_their_fields_yet_do_not_recurse() -> None:
    empty = tunesmith.Result.__new__(tunesmith.Result)
    with pytest.raises(AttributeError, match="no attribute 'record'"):
        empty.record  # noqa: B018
    assert pickle.loads(pickle.dumps(tunesmith.Result)) is tunesmith.Result
