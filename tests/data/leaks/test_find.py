"""What leaks is named, and clean tables are left alone."""

import numpy as np
import pandas as pd
import pytest
from tests.data.leaks.clean import shipped, signs_in

RNG = np.random.default_rng(0)
N = 600
X = pd.DataFrame(RNG.normal(size=(N, 4)), columns=["humidity", "wind", "pressure", "cloud"])
RAIN = np.maximum(X["humidity"] + RNG.normal(size=N) - 0.8, 0).round(1)
TOMORROW = np.where(RAIN > 0.1, "Yes", "No")
PRICE = np.exp(X["humidity"] + 0.5 * RNG.normal(size=N)).to_numpy()


def kinds(frame: pd.DataFrame, y: np.ndarray, *, is_classification: bool = True) -> list[str]:
    return [
        f"{sign.kind} {sign.name}".strip()
        for sign in signs_in(frame, y, is_classification=is_classification)
    ]


LEAKS = {
    "the amount of what is predicted": RAIN,
    "the target in other words": pd.Series(TOMORROW).map({"Yes": "wet", "No": "dry"}),
    "a number for it": (TOMORROW == "Yes") * 3.5 + 1,
    "known only of one class": pd.Series(RNG.normal(size=N)).where(TOMORROW == "Yes"),
    "a day after it": pd.to_datetime("2024-01-01") + pd.to_timedelta((RAIN > 0.1) * 400, unit="D"),
    "rows sorted by it": pd.Series(np.argsort(np.argsort(TOMORROW, kind="stable"))),
}


@pytest.mark.parametrize("name", LEAKS)
def test_features_that_know_the_class_are_named(name: str) -> None:
    (found,) = kinds(X.assign(leak=LEAKS[name]), TOMORROW)
    assert found in ("disguise leak", "alone leak")


@pytest.mark.parametrize(
    "leak", [PRICE * 1.19, np.log(PRICE), 1 / PRICE, PRICE.round(1), (PRICE - 2) ** 3]
)
def test_features_that_know_the_number_are_named(leak: np.ndarray) -> None:
    (found,) = kinds(X.assign(leak=leak), PRICE, is_classification=False)
    assert found in ("disguise leak", "alone leak")


def test_a_noisy_leak_far_ahead_of_the_rest_is_named() -> None:
    noisy = np.where(RNG.random(N) < 0.03, "Yes", TOMORROW)
    assert kinds(X.assign(leak=noisy), TOMORROW) == ["alone leak"]


def test_a_good_feature_is_no_leak() -> None:
    y = np.where(X["humidity"] + 0.25 * RNG.normal(size=N) > 0, 1, 0)
    assert kinds(X, y) == []
    assert kinds(X[["humidity"]], np.where(X["humidity"] > 0, 1, 0)) == []


def test_copies_of_rows_are_named_and_rows_of_few_values_are_not() -> None:
    double = pd.concat([X, X.iloc[:200]], ignore_index=True)
    y = np.concatenate([TOMORROW, TOMORROW[:200]])
    assert kinds(double, y) == ["twins"]
    assert kinds(double.round(0), y) == []
    few = pd.DataFrame(RNG.integers(0, 2, size=(N, 5))).add_prefix("x")
    assert kinds(few, RNG.integers(0, 2, size=N)) == []


def test_groups_that_are_torn_apart_are_named_if_their_targets_are_alike() -> None:
    patient = RNG.integers(0, 60, size=N)
    ill = RNG.random(60)[patient] > 0.5
    y = np.where(RNG.random(N) < 0.1, ~ill, ill)
    assert kinds(X.assign(patient_id=patient), y) == ["groups patient_id"]
    assert kinds(X.assign(patient_id=patient), RNG.permutation(y)) == []
    assert kinds(X.assign(wing=patient), y) == []


@pytest.mark.parametrize("clean", list(shipped()), ids=lambda clean: clean.name)
def test_tables_that_scikit_learn_ships_are_clean(clean) -> None:  # type: ignore[no-untyped-def]
    assert clean.signs() == ()


def test_odd_columns_are_looked_at_without_an_error() -> None:
    odd = X.assign(
        empty=np.nan,
        endless=np.where(X["wind"] > 0, np.inf, 1.0),
        mixed=[1, "a", None] * 200,
        one="x",
        when=pd.date_range("2020-01-01", periods=N),
        kind=pd.Categorical(["a", "b"] * 300),
        flag=[True, False] * 300,
    )
    assert kinds(odd, TOMORROW) == []
    assert kinds(odd, PRICE, is_classification=False) == []
