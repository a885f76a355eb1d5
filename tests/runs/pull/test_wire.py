import json

import pytest

from tunesmith.errors import TunesmithError
from tunesmith.history import Check, Failure, FoldResult
from tunesmith.runs.pull.wire import FitWire, OtherKeysError
from tunesmith.testing.functions import FunctionObjective
from tunesmith.types import Fit

OBJECTIVE = FunctionObjective(lambda _params, _fold: 0.1 + 0.2, n_folds=3)
WIRE = FitWire(OBJECTIVE)
FITS = (
    Fit(0, ({"x": 0.1, "kind": "ünï"},)),
    Fit(-9, ({"n": 1}, {"n": 2}), ({"n": None},)),
    Fit(1, ({"x": 1e-300},), (), {1: float("-inf"), 3: 0.25}),
)


@pytest.mark.parametrize("fit", FITS)
def test_fits_arrive_unchanged(fit: Fit) -> None:
    text = WIRE.content(fit)
    assert WIRE.item(text) == fit
    assert text == WIRE.content(WIRE.item(text))
    assert text.isascii()


def test_results_arrive_bit_for_bit() -> None:
    fit = FITS[1]
    results = [
        FoldResult(-9, {"score": 0.1 + 0.2}, fit_time_s=1 / 3, n_sharing=2, ways=("forest",)),
        FoldResult(-9, {}, failure=Failure("ValueError", "no", "line 1")),
        FoldResult(-9, {"score": 1e-300}, warning="W: w", progress=((1, 0.5),), stopped_at=1),
    ]
    text = WIRE.answer(fit, results)
    assert WIRE.result(text, WIRE.content(fit)) == results
    rows = WIRE.evaluations(text, 7)
    assert (rows.run_id, len(rows.rows)) == (7, 3)


def test_checks_and_readings_come_along() -> None:
    fit = FITS[0]
    made = FoldResult(0, {"score": 1.0}, reading={"a.csv": "12"}, checks=(Check("k", True),))
    text = WIRE.answer(fit, [made])
    (arrived,) = WIRE.result(text, WIRE.content(fit))
    assert (arrived.reading, arrived.checks) == ({"a.csv": "12"}, (Check("k", True),))
    assert len(WIRE.evaluations(text, 1).readings) == 1


def test_extra_candidates_may_be_left_out() -> None:
    fit = FITS[1]
    some = [FoldResult(-9, {"score": n / 7}) for n in range(2)]
    assert WIRE.result(WIRE.answer(fit, some), WIRE.content(fit)) == some


def test_scores_that_are_no_numbers_become_failures() -> None:
    text = WIRE.answer(FITS[0], [FoldResult(0, {"score": float("nan")})])
    (arrived,) = WIRE.result(text, WIRE.content(FITS[0]))
    assert arrived.failure == Failure("nan", "score is nan")


def test_a_worker_with_other_keys_refuses() -> None:
    other = FitWire(FunctionObjective(OBJECTIVE.function, n_folds=3, version="2"))
    with pytest.raises(OtherKeysError, match="fold 0 has other keys here"):
        other.item(WIRE.content(FITS[0]))


def test_answers_of_other_fits_and_of_another_form_are_refused() -> None:
    text = WIRE.answer(FITS[0], [FoldResult(0, {"score": 1.0})])
    with pytest.raises(TunesmithError, match="results of another one"):
        WIRE.result(text, WIRE.content(FITS[2]))
    broken = json.loads(text)
    broken["rows"][0]["scores"] = 1
    with pytest.raises(TunesmithError, match="not the form"):
        WIRE.evaluations(json.dumps(broken), 1)


def test_errors_are_told() -> None:
    assert "a fit has failed on a worker: KeyError: 'x'" in str(WIRE.error("KeyError: 'x'"))
