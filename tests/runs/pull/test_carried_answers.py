import json
import pickle
from typing import Any

import numpy as np
import pytest

from tunesmith.history import FoldResult
from tunesmith.models import keeper
from tunesmith.models.answers import FoldAnswers
from tunesmith.models.keeper import Delivery
from tunesmith.models.store import FoldModel, pack
from tunesmith.runs.pull import carried_answers
from tunesmith.runs.pull.carried_answers import CarriedAnswerError, read_answers, write_answers

RNG = np.random.default_rng(3)
CLASSES = np.array(["no", "yés"], dtype=object)
MADE = {
    "a": FoldAnswers(
        {"predict": CLASSES[[0, 1, 1]], "predict_proba": np.asfortranarray(RNG.random((3, 2)))},
        CLASSES,
        has_own_rule=True,
        is_by_pair=True,
        no_mean="why",
    ),
    "b": FoldAnswers({"predict": RNG.normal(size=(3, 2)).astype("float32")}),
    "c": FoldAnswers({"predict": np.array(["x", "yy"])}, np.array(["x", "yy"])),
}


def results(made: dict[str, FoldAnswers], problem: str = "") -> list[FoldResult]:
    models = [FoldModel(key, one, None) for key, one in made.items()]
    delivery = Delivery(pack(2, models, is_one_trial=True), problem)
    return [FoldResult(2, {"score": 1.0}, delivery=delivery)]


def sent(made: dict[str, FoldAnswers]) -> Any:
    return json.loads(json.dumps(write_answers(results(made))))["answers"]


def test_answers_arrive_bit_for_bit() -> None:
    delivery = read_answers(sent(MADE), 2, MADE.keys())
    assert delivery is not None
    packed = delivery.take()
    assert packed is not None
    assert (packed.fold, packed.keys, packed.is_one_trial) == (2, list(MADE), True)
    arrived = pickle.loads(packed.answers)
    for key, one in MADE.items():
        other = arrived[key]
        assert other.values.keys() == one.values.keys()
        for name, value in one.values.items():
            assert other.values[name].dtype == value.dtype
            assert other.values[name].tolist() == value.tolist()
        assert (other.classes is None) == (one.classes is None)
        assert (other.has_own_rule, other.is_by_pair) == (one.has_own_rule, one.is_by_pair)
        assert other.no_mean == one.no_mean
    assert arrived["a"].classes.tolist() == ["no", "yés"]


def test_what_is_no_plain_array_stays() -> None:
    odd = {
        "list": FoldAnswers({"predict": [1, 2]}),
        "objects": FoldAnswers({"predict": np.array([{}, 1], dtype=object)}),
    }
    assert sent(odd)["by_key"] == {}
    assert write_answers([FoldResult(0, {})]) == {}
    assert read_answers(None, 0, ()) is None


def test_too_much_stays_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carried_answers, "MAX_DELIVERED", 10)
    delivery = read_answers(sent(MADE), 2, MADE.keys())
    assert delivery is not None
    assert (delivery.take(), delivery.problem) == (
        None,
        "the answers of one fit are more than 64 MB",
    )
    assert keeper.MAX_DELIVERED == 64_000_000


def with_array(**changes: Any) -> dict[str, Any]:
    content = sent({"b": MADE["b"]})
    content["by_key"]["b"]["arrays"]["predict"] |= changes
    return dict(content)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"by_key": 7, "problem": "", "is_one_trial": False},
        with_array(type="O", list=[1, 2]),
        with_array(shape=[99]),
        with_array(data="00000"),
        with_array(type="nonsense"),
    ],
)
def test_other_forms_are_refused(content: Any) -> None:
    with pytest.raises(CarriedAnswerError, match="no answers"):
        read_answers(content, 2, ["b"])


def test_answers_of_other_fits_are_refused() -> None:
    with pytest.raises(CarriedAnswerError, match="of other fits"):
        read_answers(sent(MADE), 2, ["a"])
