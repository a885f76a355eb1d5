"""Studies of what lives in memory: scores as scikit-learn gives them, and honest reuse."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import tunesmith
from tunesmith import Float, Int
from tunesmith.data.row_blocks import from_text
from tunesmith.errors import ConfigError, DataError, UsageError

X, Y = load_iris(return_X_y=True)
X, Y = X[::2], Y[::2]
FRAME = pd.DataFrame(X, columns=list("abcd"))
WEIGHTS = np.linspace(0.1, 2, len(Y))
GROUPS = np.arange(len(Y)) % 5
C = {"C": [0.1, 1.0, 10.0]}


class Nearest(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator as somebody writes it in a notebook."""

    def __init__(self, power: float = 2.0) -> None:
        self.power = power

    def fit(self, X: Any, y: Any) -> "Nearest":
        self.classes_ = np.unique(y)
        rows = np.asarray(X)
        self.centres_ = np.array([rows[y == c].mean(axis=0) for c in self.classes_])
        return self

    def predict(self, X: Any) -> Any:
        far = np.abs(np.asarray(X)[:, None] - self.centres_) ** self.power
        return self.classes_[far.sum(axis=2).argmin(axis=1)]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Otherwise all tests would count as the project's code.
    monkeypatch.chdir(tmp_path)


def tune(subject: Any, *data: Any, **options: Any) -> Any:
    given: Any = {"workers": 1, "progress": False, "search": "grid"} | options
    call: Any = tunesmith.tune
    return call(subject, *data, **given)


def by_trial(result: Any, metric: str) -> list[tuple[dict[str, Any], list[float]]]:
    return [
        (dict(trial.params), [fold.scores[metric] for fold in trial.folds])
        for trial in result.record.history.completed
    ]


def polars_frame() -> Any:
    return pytest.importorskip("polars").DataFrame({name: FRAME[name].to_numpy() for name in FRAME})


CASES: dict[str, tuple[Any, Any, Any, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "arrays": (SVC(), lambda: X, Y, C, {}, {}),
    "a frame of pandas": (make_pipeline(StandardScaler(), SVC()), lambda: FRAME, Y, {}, {}, {}),
    "a frame of polars": (SVC(), polars_frame, Y, C, {"cv": 3}, {"cv": 3}),
    "sparse rows": (SVC(), lambda: sparse.csr_matrix(X), Y, C, {}, {}),
    "words to predict": (SVC(), lambda: FRAME, Y.astype(str), C, {"cv": 3}, {"cv": 3}),
    "a forest, whose fits are shared": (
        RandomForestClassifier(random_state=0),
        lambda: X,
        Y,
        {"n_estimators": [3, 6]},
        {"cv": 3},
        {"cv": 3},
    ),
    "a splitter": (
        SVC(),
        lambda: X,
        Y,
        C,
        {"cv": ShuffleSplit(4, random_state=1)},
        {"cv": ShuffleSplit(4, random_state=1)},
    ),
    "groups": (
        SVC(),
        lambda: X,
        Y,
        C,
        {"cv": GroupKFold(3), "groups": GROUPS},
        {"cv": GroupKFold(3), "groups": GROUPS},
    ),
    "weights": (
        SVC(),
        lambda: X,
        Y,
        C,
        {"weights": WEIGHTS},
        {"params": {"sample_weight": WEIGHTS}},
    ),
    "a scorer": (
        SVC(),
        lambda: X,
        Y,
        C,
        {"metric": make_scorer(f1_score, average="macro")},
        {"scoring": make_scorer(f1_score, average="macro")},
    ),
    "a lambda": (
        SVC(),
        lambda: X,
        Y,
        C,
        {"metric": lambda e, X, y: e.score(X, y) ** 2},
        {"scoring": lambda e, X, y: e.score(X, y) ** 2},
    ),
    "a class of a notebook": (
        Nearest(),
        lambda: FRAME,
        Y,
        {"power": [1.0, 2.0, 3.0]},
        {"cv": KFold(3, shuffle=True, random_state=0)},
        {"cv": KFold(3, shuffle=True, random_state=0)},
    ),
    "a regressor": (Ridge(), lambda: X, X[:, 0] * 2, {"alpha": [0.1, 1.0]}, {}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_cross_val_score(case: str) -> None:
    estimator, make, y, space, ours, theirs = CASES[case]
    rows = make()
    space = space or {"svc__C": [0.1, 1.0, 10.0]}
    result = tune(estimator, rows, y, space=space, **ours)
    metric = result.record.objectives[0].name
    trials = by_trial(result, metric)
    assert len(trials) == np.prod([len(values) for values in space.values()])
    for params, scores in trials:
        expected = cross_val_score(clone(estimator).set_params(**params), rows, y, **theirs)
        assert scores == expected.tolist()


def test_several_metrics_are_those_of_cross_validate() -> None:
    also = {"f1": make_scorer(f1_score, average="macro")}
    result = tune(SVC(), X, Y, space=C, metric="accuracy", also=also, cv=3)
    for params, scores in by_trial(result, "f1"):
        expected = cross_validate(
            SVC(**params), X, Y, cv=3, scoring={"accuracy": "accuracy", **also}
        )
        assert scores == expected["test_f1"].tolist()
    assert [m.name for m in result.record.objectives] == ["accuracy"]


def test_two_deciding_metrics_make_a_front() -> None:
    result = tune(SVC(), X, Y, space=C, metric=["accuracy", "f1_macro"], cv=3)
    assert [m.name for m in result.record.objectives] == ["accuracy", "f1_macro"]
    assert result.summary.front


def test_values_may_be_any_objects() -> None:
    pipeline = make_pipeline(StandardScaler(), SVC())
    scalers = [StandardScaler(), MinMaxScaler(), "passthrough"]
    space = {"standardscaler": scalers, "svc__C": loguniform(0.1, 10)}
    result = tune(pipeline, X, Y, space=space, search="random", stop=6, cv=3)
    assert result.best_params["standardscaler"] in scalers
    model = result.best_estimator()
    assert model.score(X, Y) > 0.8
    assert {type(v).__name__ for v in result.trials["param_standardscaler"]} <= {
        "StandardScaler",
        "MinMaxScaler",
        "str",
    }


def test_the_number_of_workers_changes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    space = {"power": Float(0.5, 4)}
    options: dict[str, Any] = {"space": space, "search": "bayesian", "stop": 6, "cv": 3}
    metric = lambda e, X, y: e.score(X, y)  # noqa: E731
    one, two = (tune(Nearest(), X, Y, metric=metric, workers=n, **options) for n in (1, 2))
    assert by_trial(one, "score") == by_trial(two, "score")


def test_warnings_are_recorded_and_not_shown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = tune(LogisticRegression(max_iter=1), X, Y, space=C, cv=3)
    assert "ConvergenceWarning" in result.summary.warnings[0].kind


def test_a_failing_estimator_fails_in_words() -> None:
    result = tune(SVC(), X, Y, space={"C": [-1.0, 1.0]}, cv=3)
    assert len(result.summary.failures) == 1
    assert result.best_params == {"C": 1.0}


# -- the gate ------------------------------------------------------------------------------------


def test_the_gate_compares_with_the_estimator_as_it_was_given() -> None:
    tree = DecisionTreeClassifier(max_depth=1, random_state=0)
    result = tune(tree, X, Y, space={"max_depth": Int(1, 4)}, gate=True)
    assert result.summary.current_parameters == {"max_depth": 1}
    assert result.summary.gate.verdict == "adopt"
    same = tune(tree.set_params(max_depth=3), X, Y, space={"max_depth": [3]}, gate=0.5)
    assert same.summary.gate.verdict != "adopt"


def test_the_gate_compares_with_other_parameters() -> None:
    result = tune(SVC(), X, Y, space=C, gate={"min_improvement": 0.4}, current={"C": 1.0})
    assert result.summary.current_parameters == {"C": 1.0}
    assert not result.summary.gate.is_open


SHUFFLED = KFold(4, shuffle=True, random_state=3)
PAIRS = list(SHUFFLED.split(X))
POOR = {"space": {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 2, 3, 4]}, "gate": True}
STUMP = DecisionTreeClassifier(max_depth=1, random_state=0)


SPLITTERS = (
    SHUFFLED,
    ShuffleSplit(4, test_size=0.3, random_state=0),
    RepeatedKFold(n_splits=4, n_repeats=2, random_state=0),
)


@pytest.mark.parametrize("cv", [None, 4, *SPLITTERS])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_gate_decides_on_further_splits(cv: Any, workers: int, tmp_path: Path) -> None:
    options = {**POOR, "ledger": tmp_path / "scores.db", "workers": workers}
    result = tune(STUMP, X, Y, cv=cv, **options)
    confirmed = result.summary.confirmed
    assert confirmed.verdict == result.summary.gate.verdict == "adopt"
    assert "on further splits" in result.summary.gate.reason
    n = 5 if cv is None else 4
    assert confirmed.n_scores == 2 * n * confirmed.n_repeats
    further = result.record.further
    assert {len(folds) for folds in further.values()} == {n * confirmed.n_repeats}
    # Each is scored as scikit-learn scores it, and nothing is evaluated a second time.
    objective, trial = result.objective, result.record.history[min(further)]
    for fold in further[min(further)]:
        train, test = objective.further.split(fold.fold, X, Y)
        fresh = clone(STUMP).set_params(**trial.params).fit(X[train], Y[train])
        assert fold.scores == {"accuracy": fresh.score(X[test], Y[test])}
    again = tune(STUMP, X, Y, cv=cv, **options)
    assert (again.n_evaluated, again.summary.confirmed) == (0, confirmed)
    # The rows' parts come with all scores, those of the search included.
    assert all(from_text(fold.parts) is not None for fold in result.record.all_results)


def test_parts_of_rows_are_recorded_only_for_a_gate_and_rows_of_their_own() -> None:
    groups = np.arange(len(Y)) % 30
    for options in ({"gate": None}, {"cv": GroupKFold(4), "groups": groups}):
        result = tune(STUMP, X, Y, **{**POOR, **options})
        assert {fold.parts for fold in result.record.all_results} == {""}
    own = tune(STUMP, X, Y, **POOR, metric=lambda model, X, y: model.score(X, y))
    assert {fold.parts for fold in own.record.all_results} == {""}


def test_scores_and_trials_are_the_same_with_parts() -> None:
    one, other = (tune(STUMP, X, Y, **{**POOR, "gate": gate}) for gate in (None, True))
    assert [t.params for t in one.record.history] == [t.params for t in other.record.history]
    assert [
        [dict(fold.scores) for fold in trial.folds] for trial in one.record.history.completed
    ] == [[dict(fold.scores) for fold in trial.folds] for trial in other.record.history.completed]


@pytest.mark.parametrize(
    ("cv", "why"),
    [
        (PAIRS, "they are a fixed list"),
        (iter(PAIRS), "they are a fixed list"),
        (PredefinedSplit(np.arange(len(Y)) % 4), "PredefinedSplit has no `random_state`"),
    ],
)
def test_the_gate_keeps_what_it_cannot_confirm(cv: Any, why: str) -> None:
    said: list[str] = []
    gate = tune(STUMP, X, Y, cv=cv, say=said.append, **POOR).summary.gate
    assert (gate.verdict, gate.holds_back) == ("indistinguishable", True)
    assert gate.reason.startswith("nothing is adopted without further splits: its folds in memory")
    assert any(why in text and "keeps the current parameters" in text for text in said)
    # Who asks for it in so many words gets the verdict of the search's folds.
    assert tune(STUMP, X, Y, cv=list(PAIRS), confirm="off", **POOR).summary.gate.is_open


def test_without_a_gate_nothing_is_said_of_it() -> None:
    said: list[str] = []
    tune(STUMP, X, Y, cv=PAIRS, say=said.append, **{**POOR, "gate": None})
    assert not said


# -- what a ledger recognises --------------------------------------------------------------------


def fits(place: Path, metric: Any, **options: Any) -> int:
    said: list[str] = options.pop("said", [])
    result = tune(
        SVC(), X, Y, space=C, cv=3, metric=metric, ledger=place, say=said.append, **options
    )
    return int(result.n_evaluated)


def test_a_scorer_with_another_closure_is_another_one(tmp_path: Path) -> None:
    def scorer(factor: float) -> Any:
        return lambda e, X, y: factor * e.score(X, y)

    place = tmp_path / "scores.db"
    assert [fits(place, scorer(1.0)), fits(place, scorer(1.0)), fits(place, scorer(2.0))] == [
        9,
        0,
        9,
    ]


def test_what_nobody_recognises_is_never_used_again(tmp_path: Path) -> None:
    held = iter(range(1000))
    said: list[str] = []
    held_open = (n for n in held)

    def scorer(e: Any, X: Any, y: Any) -> float:
        return float(next(held_open))

    place = tmp_path / "scores.db"
    assert [fits(place, scorer, said=said) for _ in range(2)] == [9, 9]
    assert "will not be reused by later runs: `held_open` of" in said[0]
    # A user who knows better may say so.
    assert [fits(place, scorer, version="1") for _ in range(2)] == [9, 0]
    assert fits(place, scorer, version="2") == 9


def test_other_data_and_other_folds_are_other_trials(tmp_path: Path) -> None:
    options: dict[str, Any] = {"space": C, "ledger": tmp_path / "scores.db"}
    assert tune(SVC(), X, Y, cv=3, **options).n_evaluated == 9
    assert tune(SVC(), X, Y, cv=3, **options).n_evaluated == 0
    assert tune(SVC(), X + 1, Y, cv=3, **options).n_evaluated == 9
    again = tune(SVC(), X, Y, cv=KFold(3, shuffle=True, random_state=0), **options)
    assert again.n_evaluated == 9
    assert tune(SVC(), X, Y, cv=3, weights=WEIGHTS, **options).n_evaluated == 9


def test_a_temporary_ledger_goes_with_its_result() -> None:
    result = tune(SVC(), X, Y, space=C, cv=3)
    place = Path(result.ledger)
    assert place.is_file()
    del result
    assert not place.parent.exists()


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (({},), {}, "study: is missing"),
        ((SVC, X, Y), {"space": C}, "SVC is a class. Give an instance: tune(SVC(), …)"),
        ((3, X, Y), {"space": C}, "3 is no estimator: it lacks fit, get_params, set_params"),
        ((SVC(),), {"space": C}, "X is missing"),
        ((SVC(), X, Y), {}, "space: is missing"),
        ((SVC(), X, Y[:-1]), {"space": C}, "inconsistent numbers of samples"),
        ((SVC(), X, Y), {"space": {"c": [1]}}, "SVC has no parameter `c`. Known: C,"),
        ((SVC(), X, Y), {"space": {"C": 1}}, "space: expected a list, an array"),
        ((SVC(), X, Y), {"space": C, "metric": "auc"}, "no scorer `auc`. Did you mean `roc_auc`"),
        ((SVC(), X, Y), {"space": C, "metric": 3}, "3 is no scorer"),
        ((SVC(), X, Y), {"space": C, "cv": 1}, "the folds cannot be made"),
        ((SVC(), X, Y), {"space": C, "cv": {"folds": 3}}, "a dict describes folds of a file"),
        ((SVC(), X, Y), {"space": C, "cv": GroupKFold(3)}, "The 'groups' parameter"),
        ((SVC(), X, Y), {"space": C, "cv": [1, 2]}, "the folds cannot be made"),
        ((SVC(), X, Y), {"space": C, "cv": [([0, 999], [1])]}, "the training rows of split 0"),
        ((SVC(), X, Y), {"space": C, "cv": [([0, 50], [])]}, "the test rows of split 0 are not"),
        ((SVC(), X, Y), {"space": C, "cv": [([True], [1])]}, "the training rows of split 0"),
        ((SVC(), X, Y), {"space": C, "workers": 0}, "execution.workers: must be at least 1"),
        ((SVC(), X, Y), {"space": C, "current": {"c": 1}}, "current.c: SVC has no parameter `c`"),
        ((SVC(), X, Y), {"space": C, "search": "bayes"}, "unknown method `bayes`"),
        ((SVC(), X, Y), {"space": C, "stop": {"trial": 3}}, "unknown key"),
        ((SVC(), X, Y), {"space": {"C": Float(0, 1)}}, "a grid cannot list a continuous range"),
        ((lambda p: 1, X, Y), {"space": C}, "is a function, which has its own data"),
        ((lambda p, fold: 1,), {"space": C}, "say how many folds there are, cv=5"),
        ((lambda p: {"a": 1},), {"space": C}, "name the one that decides, for example metric='a'"),
        ((lambda p: "good",), {"space": C}, "'good', which is no score"),
        ((lambda p: [],), {"space": C}, "gave an empty list, which holds no score"),
        ((lambda p: {},), {"space": C}, "gave an empty dict, which holds no score"),
        ((lambda p: [{}, {}],), {"space": C}, "gave an empty dict, which holds no score"),
        ((lambda p: 1,), {"space": C, "weights": [1]}, "a function has its own data"),
        (("tuning.yaml",), {"space": C}, "a configuration has these in its own sections"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    arguments: tuple[Any, ...], options: dict[str, Any], words: str
) -> None:
    defaults = {} if isinstance(arguments[0], dict | str) else {"search": "grid"}
    given: dict[str, Any] = defaults | options
    with pytest.raises((UsageError, DataError, ConfigError)) as error:
        tunesmith.tune(*arguments, **given, progress=False)
    assert words in str(error.value)


def test_an_unknown_argument_is_named() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'scoring'"):
        tune(SVC(), X, Y, space=C, scoring="accuracy")


def test_a_short_name_of_a_step_is_completed() -> None:
    with pytest.raises(UsageError, match="Did you mean `svc__C`"):
        tune(make_pipeline(StandardScaler(), SVC()), X, Y, space=C)


def test_a_dict_is_a_configuration(tmp_path: Path) -> None:
    FRAME.assign(target=Y).to_csv(tmp_path / "data.csv", index=False)
    objective = {
        "estimator": "sklearn.svm.SVC",
        "data": {"path": "data.csv", "target": "target"},
        "cv": 3,
        "metric": "accuracy",
    }
    sections = {"study": "s", "objective": objective, "space": C, "search": {"method": "grid"}}
    result = tunesmith.tune({**sections, "execution": {"workers": 1}}, progress=False)
    assert len(result.trials) == 3
    assert result.best_estimator().predict(FRAME).shape == Y.shape
