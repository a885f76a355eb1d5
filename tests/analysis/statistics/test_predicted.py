import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, confusion_matrix, mean_squared_error

from tunesmith.analysis.statistics.predicted import MAX_CLASSES, Predicted, predicted

RNG = np.random.default_rng(0)
N = 400


def classes(**more: object) -> pd.DataFrame:
    chance = RNG.uniform(size=N)
    target = (RNG.uniform(size=N) < chance).astype(int)
    columns = {"trial": 3, "row": np.arange(N), "fold": np.arange(N) % 5, "target": target}
    columns |= {"prediction": (chance > 0.5).astype(int)}
    columns |= {"probability_0": 1 - chance, "probability_1": chance}
    return pd.DataFrame({**columns, **more})


def look(table: pd.DataFrame) -> Predicted:
    found = predicted(table)
    assert found is not None
    return found


def test_classes_are_counted_as_scikit_learn_counts_them() -> None:
    table = classes()
    found = look(table)
    assert (found.trial, found.n_rows, found.n_predictions) == (3, N, N)
    assert found.confusion is not None
    assert found.confusion.labels == ("0", "1")
    expected = confusion_matrix(table["target"], table["prediction"])
    assert np.array_equal(found.confusion.counts, expected)
    assert found.value == pytest.approx((table["target"] == table["prediction"]).mean())
    assert found.residuals is None


def test_calibration_compares_probabilities_with_what_came_true() -> None:
    table = classes()
    calibration = look(table).calibration
    assert calibration is not None
    assert calibration.of == "1"
    assert sum(one.n for one in calibration.bins) == N
    assert calibration.error < 0.08
    assert calibration.brier == pytest.approx(
        brier_score_loss(table["target"], table["probability_1"])
    )
    # Whoever is too sure is far off.
    sure = table.assign(probability_1=(table["probability_1"] > 0.5) * 0.98 + 0.01)
    sure["probability_0"] = 1 - sure["probability_1"]
    worse = look(sure).calibration
    assert worse is not None
    assert worse.error > 0.15


def test_several_classes_are_calibrated_by_the_predicted_one() -> None:
    labels = np.array(["a", "b", "c"])
    chances = RNG.dirichlet([1, 1, 1], size=N)
    target = labels[[RNG.choice(3, p=row) for row in chances]]
    table = pd.DataFrame({"trial": 0, "row": np.arange(N), "fold": 0, "target": target})
    table["prediction"] = labels[chances.argmax(axis=1)]
    for place, label in enumerate(labels):
        table[f"probability_{label}"] = chances[:, place]
    calibration = look(table).calibration
    assert calibration is not None
    assert calibration.of == ""
    assert calibration.bins[0].mean >= 1 / 3
    assert calibration.error < 0.1


def test_classes_read_from_a_file_are_the_same_numbers() -> None:
    # A gap makes whole numbers fractions, as `1.0`.
    table = classes().astype({"target": float})
    found = look(table)
    assert found.confusion is not None
    assert found.confusion.labels == ("0", "1")


def test_rare_classes_are_taken_together() -> None:
    target = np.repeat(np.arange(30), np.arange(1, 31))
    table = pd.DataFrame({"trial": 0, "row": np.arange(len(target)), "fold": 0, "target": target})
    confusion = look(table.assign(prediction=table["target"])).confusion
    assert confusion is not None
    assert len(confusion.labels) == MAX_CLASSES
    assert confusion.labels[-1] == "others"
    assert confusion.labels[0] == "19"
    assert sum(map(sum, confusion.counts)) == len(target)


def test_residuals_are_predicted_minus_true() -> None:
    truth = RNG.normal(size=N)
    table = pd.DataFrame({"trial": 0, "row": np.arange(N), "fold": 0, "target": truth})
    table["prediction"] = truth + 0.5 + 0.1 * RNG.normal(size=N)
    found = look(table)
    residuals = found.residuals
    assert residuals is not None
    assert (found.is_classes, found.confusion, found.calibration) == (False, None, None)
    assert residuals.mean == pytest.approx(0.5, abs=0.03)
    assert residuals.squared == pytest.approx(
        math.sqrt(mean_squared_error(table["target"], table["prediction"]))
    )
    assert list(residuals.quantiles) == sorted(residuals.quantiles)
    assert len(residuals.bins) == 10
    assert sum(one.n for one in residuals.bins) == N
    assert all(one.mean - one.observed == pytest.approx(0.5, abs=0.1) for one in residuals.bins)


def test_groups_that_differ_are_found() -> None:
    table = classes(sex=np.where(np.arange(N) % 2, "f", "m"), age=np.arange(N) / 7)
    wrong = (table["sex"] == "f") & (np.arange(N) % 3 == 0)
    table.loc[wrong, "prediction"] = 1 - table.loc[wrong, "target"]
    right = table["sex"] == "m"
    table.loc[right, "prediction"] = table.loc[right, "target"]
    sex, age = look(table).slices
    assert (sex.column, [one.name for one in sex.groups]) == ("sex", ["f", "m"])
    assert [one.is_notable for one in sex.groups] == [True, True]
    assert sex.groups[1].value == 1
    assert [one.n for one in sex.groups] == [200, 200]
    assert len(age.groups) == 4
    assert sum(one.n for one in age.groups) == N
    assert not any(one.is_notable for one in age.groups)


def test_gaps_and_many_values_make_groups_of_their_own() -> None:
    names = np.array([f"city {n}" for n in RNG.integers(40, size=N)], dtype=object)
    names[:5] = None
    (city,) = look(classes(city=names)).slices
    assert city.groups[-1].name == "(empty)"
    assert city.groups[-1].n == 5
    assert city.groups[-2].name == "others"
    assert sum(one.n for one in city.groups) == N
    (same,) = look(classes(same=1)).slices
    assert [one.is_notable for one in same.groups] == [False]


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"trial": [0], "row": 0, "fold": 0, "prediction": 1.0}),
        pd.DataFrame({"trial": [0], "row": 0, "target": [math.nan], "prediction": 1.0}),
        pd.DataFrame({"trial": [0], "row": 0, "target_0": 1.0, "prediction_0": 1.0}),
    ],
)
def test_without_one_target_there_is_nothing_to_look_at(table: pd.DataFrame) -> None:
    assert predicted(table) is None


def test_a_single_row_is_no_trouble() -> None:
    table = pd.DataFrame({"trial": [0], "row": 0, "target": 1.5, "prediction": 1.0, "g": "a"})
    found = look(table)
    assert found.residuals is not None
    assert found.value == 0.5
    assert not found.slices[0].groups[0].is_notable


def test_rows_that_are_predicted_often_count_once_in_groups() -> None:
    table = classes(sex=np.where(np.arange(N) % 2, "f", "m"))
    once, often = look(table), look(pd.concat([table] * 9, ignore_index=True))
    assert often.n_predictions == 9 * N
    for one, same in zip(once.slices[0].groups, often.slices[0].groups, strict=True):
        assert (same.name, same.n, same.is_notable) == (one.name, one.n, one.is_notable)
        assert (same.value, same.error) == pytest.approx((one.value, one.error))
