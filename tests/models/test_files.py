import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tunesmith.errors import UsageError
from tunesmith.models.average import AveragedClassifier
from tunesmith.models.files import load_model, save_model

X, Y = load_iris(return_X_y=True)
OPENED: list[str] = []


class Trap(BaseEstimator):  # type: ignore[misc]
    def __reduce__(self) -> Any:
        return OPENED.append, ("opened",)


@pytest.fixture(scope="module")
def model() -> AveragedClassifier:
    line = make_pipeline(StandardScaler(), LogisticRegression())
    return AveragedClassifier([("line", line)], cv=3).fit(X, Y)


def test_skops_gives_back_the_model(model: AveragedClassifier, tmp_path: Path) -> None:
    pytest.importorskip("skops")
    digest = save_model(model, tmp_path / "m.skops")
    for again in (load_model(tmp_path / "m.skops"), load_model(tmp_path / "m.skops", digest)):
        assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


def test_joblib_is_opened_by_its_digest_only(model: AveragedClassifier, tmp_path: Path) -> None:
    path = tmp_path / "m.joblib"
    digest = save_model(model, path)
    assert np.array_equal(load_model(path, digest).predict(X), model.predict(X))
    with pytest.raises(UsageError, match="runs what is in it"):
        load_model(path)
    OPENED.clear()
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UsageError, match="was not opened"):
        load_model(path, digest)
    assert not OPENED


def test_strange_types_are_refused(tmp_path: Path) -> None:
    skops = pytest.importorskip("skops.io")
    with pytest.raises(UsageError, match=r"m\.joblib instead"):
        save_model(Stranger(), tmp_path / "m.skops")
    skops.dump(Stranger(), tmp_path / "m.skops")
    with pytest.raises(UsageError, match="not trusted"):
        load_model(tmp_path / "m.skops")


class Stranger(BaseEstimator):  # type: ignore[misc]
    """An estimator of nobody's library."""


@pytest.mark.parametrize("name", ["m.pkl", "m"])
def test_other_forms_are_refused(model: AveragedClassifier, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="ends in"):
        save_model(model, tmp_path / name)


def test_missing_and_damaged_files_have_words(tmp_path: Path) -> None:
    pytest.importorskip("skops")
    with pytest.raises(UsageError, match="No such file"):
        load_model(tmp_path / "m.skops")
    (tmp_path / "m.skops").write_text("no archive")
    with pytest.raises(UsageError, match="no model can be read"):
        load_model(tmp_path / "m.skops")
