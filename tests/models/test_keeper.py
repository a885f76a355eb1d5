import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from tunesmith.models.keeper import N_OF_FIT, Keeper
from tunesmith.models.store import ModelStore, new_secret
from tunesmith.sharing.submodels.family import answering

X, Y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0).fit(X, Y)


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(ModelStore(tmp_path, new_secret(), 10**7), sign=1)


def test_the_best_models_of_a_fit_are_kept(keeper: Keeper) -> None:
    for place in range(6):
        keeper.note(str(place), 0.1 * (place % 4), TREE, X[:5])
    keeper.flush(0)
    kept = [key for key in "012345" if keeper.store.has(key)]
    assert len(kept) == N_OF_FIT
    assert "3" in kept


def test_a_stand_in_is_kept_as_a_plain_model(keeper: Keeper) -> None:
    rows = X[:5]
    stand_in = answering(TREE, rows, {"predict_proba": lambda: TREE.predict_proba(rows)})
    keeper.note("a", 1.0, stand_in, rows)
    keeper.flush(0)
    model = keeper.store.models("a")["a"]
    assert np.array_equal(model.predict_proba(X), TREE.predict_proba(X))
    assert "predict_proba" not in vars(model)


def test_a_model_that_answers_otherwise_by_itself_is_not_kept(keeper: Keeper) -> None:
    rows = X[:5]
    stand_in = answering(TREE, rows, {"predict_proba": lambda: np.full((5, 3), 0.25)})
    keeper.note("a", 1.0, stand_in, rows)
    keeper.flush(0)
    assert not keeper.store.has("a")


class Awkward(DecisionTreeClassifier):  # type: ignore[misc]
    def __reduce__(self) -> Any:
        raise RuntimeError("not to be stored")


def test_a_model_that_cannot_be_stored_harms_nothing(keeper: Keeper) -> None:
    keeper.note("a", 1.0, Awkward().fit(X, Y), X[:5])
    delivery = keeper.flush(0)
    assert not keeper.store.has("a")
    assert delivery is not None
    assert "not to be stored" in delivery.problem
    # Told once, with the fit that it belongs to.
    assert keeper.flush(0) is None


def test_models_are_handed_over_without_the_secret(keeper: Keeper) -> None:
    keeper.delivers = True
    there: Keeper = pickle.loads(pickle.dumps(keeper))
    assert there.store.secret == b""
    there.note("a", 1.0, TREE, X[:5])
    delivery = there.flush(2)
    assert delivery is not None
    assert not keeper.store.has("a")
    packed = delivery.take()
    assert packed is not None
    assert keeper.store.write(packed)
    assert np.array_equal(keeper.store.models("a")["a"].predict(X), TREE.predict(X))
    # Results stay in memory for the whole run, and models must not.
    assert delivery.take() is None


def test_of_large_models_the_answers_travel_alone(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.models.keeper.MAX_DELIVERED", 100)
    keeper.delivers = True
    keeper.note("a", 1.0, TREE, X[:5])
    delivery = keeper.flush(0)
    assert delivery is not None
    packed = delivery.take()
    assert packed is not None
    assert keeper.store.write(packed)
    assert keeper.store.models("a") == {}
    assert keeper.store.answers("a") is not None


def test_a_second_fit_of_a_candidate_replaces_the_first(keeper: Keeper) -> None:
    keeper.note("a", 1.0, DecisionTreeClassifier(max_depth=1).fit(X, Y), X[:5])
    keeper.note("a", 0.5, TREE, X[:5])
    keeper.flush(0)
    assert keeper.store.models("a")["a"].get_depth() == TREE.get_depth()


def test_answers_alone_are_kept_as_they_were_given(tmp_path: Path) -> None:
    keeper = Keeper(ModelStore(tmp_path, new_secret(), 10**7), sign=1, has_models=False)
    rows = X[:5]
    # Those of the model that was scored, even if a plain one would answer otherwise.
    stand_in = answering(TREE, rows, {"predict_proba": lambda: np.full((5, 3), 0.25)})
    keeper.note("a", 1.0, stand_in, rows)
    keeper.flush(0)
    answers = keeper.store.answers("a")
    assert answers is not None
    assert np.array_equal(answers.values["predict_proba"], np.full((5, 3), 0.25))
    assert dict(keeper.store.models("a")) == {}
