from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.config.objective import CrossValidation
from tunesmith.data.folds import Split, choose_method, make_splits
from tunesmith.data.table import Rows
from tunesmith.errors import DataError, UsageError

METHODS = [
    "auto",
    "kfold",
    "stratified",
    "group",
    "stratified_group",
    "time_series",
    "shuffle_split",
    "stratified_shuffle_split",
    "leave_one_group_out",
]


def rows(n: int = 40, *, groups: bool = False, folds: Any = None, y: Any = None) -> Rows:
    rng = np.random.default_rng(0)
    target = np.arange(n) % 2 if y is None else np.asarray(y)
    labels = rng.integers(7, size=n) if groups else None
    return Rows(pd.DataFrame({"a": np.arange(n)}), target, groups=labels, folds=folds)


class Leaky:
    def split(self, X: Any, y: Any, groups: Any) -> Any:
        yield [0, 1, 2], [2, 3]


class Outside:
    def split(self, X: Any, y: Any, groups: Any) -> Any:
        yield [0, 1], [99]


class Empty:
    def split(self, X: Any, y: Any, groups: Any) -> Any:
        yield [0, 1], []


class Nothing:
    def split(self, X: Any, y: Any, groups: Any) -> Any:
        return iter(())


class Masks:
    def __init__(self, test_rows: int) -> None:
        self.test_rows = test_rows

    def split(self, X: Any, y: Any, groups: Any) -> Any:
        test = np.arange(len(X)) < self.test_rows
        yield ~test, test


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(METHODS), st.integers(2, 4), st.booleans(), st.booleans(), st.integers(0, 9))
def test_nothing_leaks(method: str, folds: int, shuffle: Any, has_groups: Any, seed: int) -> None:
    table = rows(groups=has_groups)
    cv = CrossValidation(method=method, folds=folds, shuffle=shuffle, seed=seed)  # type: ignore[arg-type]
    try:
        splits = make_splits(cv, table, is_classifier=True)
    except UsageError:
        return
    again = make_splits(cv, table, is_classifier=True)
    assert [split.digest for split in splits] == [split.digest for split in again]
    for split in splits:
        assert not set(split.train) & set(split.test)
        if table.groups is not None:
            assert not set(table.groups[split.train]) & set(table.groups[split.test])
        if method == "time_series":
            assert split.train.max() < split.test.min()


@pytest.mark.parametrize(
    ("section", "groups", "classifier", "expected"),
    [
        ({}, False, True, "stratified"),
        ({}, False, False, "kfold"),
        ({}, True, True, "stratified_group"),
        ({}, True, False, "group"),
        ({"stratify": False}, True, True, "group"),
        ({"stratify": True}, False, False, "stratified"),
        ({"method": "kfold", "stratify": True}, False, True, "stratified"),
        ({"method": "kfold"}, True, True, "group"),
        ({"method": "shuffle_split"}, True, True, "group_shuffle_split"),
        ({"column": "part"}, False, True, "predefined"),
    ],
)
def test_the_method_that_is_meant(
    section: dict[str, Any], expected: str, *, groups: bool, classifier: bool
) -> None:
    cv = CrossValidation.model_validate(section)
    assert choose_method(cv, rows(groups=groups), is_classifier=classifier) == expected


def refused(table: Rows, **section: Any) -> str:
    with pytest.raises(UsageError) as caught:
        make_splits(CrossValidation.model_validate(section), table, is_classifier=True)
    return str(caught.value)


@pytest.mark.parametrize(
    ("section", "table", "expected"),
    [
        (
            {"folds": 5},
            rows(y=[0] * 37 + [1] * 3),
            "class 1 has 3 of 40. Use at most 3 folds. Or set stratify: false.",
        ),
        ({"method": "kfold", "folds": 5}, rows(4), "5 folds of 4 rows cannot be made"),
        ({"method": "group"}, rows(), "group needs groups: name their column as data.groups"),
        ({"folds": 9}, rows(groups=True), "9 folds need as many groups; there are 7."),
        ({"method": "time_series"}, rows(groups=True), "does not keep the rows of a group"),
        ({"method": "time_series", "repeats": 2}, rows(), "cv.repeats: time_series cannot be"),
        ({"method": "time_series", "stratify": True}, rows(), "cannot keep class shares"),
        ({"method": "stratified", "stratify": False}, rows(), "false contradicts the method"),
        ({"method": "predefined"}, rows(), "predefined folds need the column"),
        ({"method": "time_series", "folds": 3, "gap": 30}, rows(), "cannot split these 40 rows"),
    ],
)
def test_what_cannot_be_split(section: dict[str, Any], table: Rows, expected: str) -> None:
    assert expected in refused(table, **section)


def test_predefined_folds_keep_to_the_column() -> None:
    column = np.array([0, 0, 1, 1, -1, 2])
    cv = CrossValidation(method="predefined", column="part")
    splits = make_splits(cv, rows(6, folds=column), is_classifier=True)
    assert [split.test.tolist() for split in splits] == [[0, 1], [2, 3], [5]]
    assert all(4 in split.train for split in splits)


def test_predefined_folds_must_not_tear_groups() -> None:
    table = Rows(
        pd.DataFrame({"a": range(4)}),
        np.array([0, 1, 0, 1]),
        groups=np.array(["p", "p", "q", "q"]),
        folds=np.array([0, 1, 0, 1]),
    )
    text = refused(table, method="predefined", column="part")
    assert text == "cv: fold 0 tears 2 groups apart (p among them)"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Leaky", "cv: fold 0 trains and tests on the same 1 rows (row 2 among them)"),
        ("Outside", "cv: fold 0 names row 99 of 40 rows"),
        ("Empty", "cv: fold 0 has no rows to test on"),
        ("Nothing", "cv: there is not one split"),
    ],
)
def test_own_splitters_are_checked(
    name: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_module(monkeypatch)
    assert expected in refused(rows(), splitter=f"own_folds.{name}")


def own_module(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType

    module = ModuleType("own_folds")
    for cls in (Leaky, Outside, Empty, Nothing, Masks):
        setattr(module, cls.__name__, cls)
    monkeypatch.setitem(sys.modules, "own_folds", module)


def test_own_splitters_take_params_and_may_give_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    own_module(monkeypatch)
    cv = CrossValidation(splitter="own_folds:Masks", params={"test_rows": 3})
    (split,) = make_splits(cv, rows(10), is_classifier=True)
    assert split.test.tolist() == [0, 1, 2]
    assert split.train.tolist() == list(range(3, 10))
    assert "cv.params: Masks does not accept them" in refused(
        rows(), splitter="own_folds:Masks", params={"no": 1}
    )


def test_an_unknown_splitter_is_named() -> None:
    text = refused(rows(), splitter="sklearn.model_selection.KFlod")
    assert text == (
        "cv.splitter: `sklearn.model_selection` has no `KFlod`."
        " Did you mean `sklearn.model_selection.KFold`?"
    )
    assert "no method `split" in refused(rows(), splitter="math.tau")


def test_splits_are_read_only_and_told_apart() -> None:
    one = Split(np.array([0, 1]), np.array([2]))
    other = Split(np.array([0, 2]), np.array([1]))
    assert one.digest != other.digest
    with pytest.raises(ValueError, match="read-only"):
        one.train[0] = 3


def test_data_errors_are_data_errors() -> None:
    with pytest.raises(DataError):
        make_splits(CrossValidation(method="group"), rows(), is_classifier=True)


@pytest.mark.parametrize("method", ["kfold", "stratified", "group", "stratified_group"])
def test_repeats_differ(method: str) -> None:
    cv = CrossValidation(method=method, folds=2, repeats=3)  # type: ignore[arg-type]
    splits = make_splits(cv, rows(groups=method.endswith("group")), is_classifier=True)
    assert len({split.digest for split in splits}) == 6
