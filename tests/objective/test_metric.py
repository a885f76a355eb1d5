import pickle
import sys
from fractions import Fraction
from math import inf, nan
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, recall_score

from tunesmith.config.objective import MetricSpec
from tunesmith.errors import UsageError
from tunesmith.objective.failure import BadScoreError
from tunesmith.objective.metric import MetricWarning, Scorers, real


def cost(y_true: Any, y_pred: Any) -> float:
    return float((np.asarray(y_true) != np.asarray(y_pred)).sum())


def top(y_true: Any, y_score: Any) -> float:
    return float(np.ptp(y_score))


def probability(y_true: Any, y_proba: Any) -> float:
    return float(np.shape(y_proba)[0])


def own_scorer(estimator: Any, X: Any, y: Any) -> float:
    return float(estimator.score(X, y))


def model_first(model: Any, data: Any, target: Any = None) -> float:
    return 0.25


def three(fitted: Any, table: Any, answers: Any) -> float:
    return 0.5


def with_option(y_true: Any, y_pred: Any, beta: float = 1.0) -> float:
    return beta


def one_argument(y: Any) -> float:
    return 0.0


def broken(y_true: Any, y_pred: Any) -> float:
    raise RuntimeError("broken metric")


def none(y_true: Any, y_pred: Any) -> None:
    return None


recall = make_scorer(recall_score)


@pytest.fixture(autouse=True)
def own_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("own_metrics")
    for name in (
        "cost",
        "top",
        "probability",
        "own_scorer",
        "model_first",
        "three",
        "with_option",
        "one_argument",
        "broken",
        "none",
        "recall",
    ):
        setattr(module, name, globals()[name])
    monkeypatch.setitem(sys.modules, "own_metrics", module)


@pytest.fixture(scope="module")
def fitted() -> tuple[Any, pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc"))
    y = (X["a"] + rng.normal(size=60) > 0).to_numpy().astype(int)
    return LogisticRegression().fit(X, y), X, y


def own(name: str, direction: Any = "maximize") -> MetricSpec:
    return MetricSpec(name=name, scorer=f"own_metrics:{name}", direction=direction)


def scorers(*names: str | MetricSpec, also: Any = ()) -> Scorers:
    specs = [MetricSpec(name=name) if isinstance(name, str) else name for name in names]
    return Scorers(tuple(specs), tuple(also))


def test_several_metrics_predict_once(fitted: Any) -> None:
    _, X, y = fitted
    calls = []

    class Counting(LogisticRegression):  # type: ignore[misc]
        def predict_proba(self, X: Any) -> Any:
            calls.append(1)
            return super().predict_proba(X)

    counting = Counting().fit(X, y)
    scores = scorers("neg_log_loss", "neg_brier_score")(counting, X, y)
    assert len(calls) == 1
    assert scores.keys() == {"neg_log_loss", "neg_brier_score"}


@pytest.mark.parametrize(
    ("spec", "check"),
    [
        (own("cost", "minimize"), lambda model, X, y: (model.predict(X) != y).sum()),
        (own("top"), lambda model, X, y: np.ptp(model.decision_function(X))),
        (own("probability"), lambda model, X, y: len(X)),
        (own("own_scorer"), lambda model, X, y: model.score(X, y)),
        (own("model_first"), lambda model, X, y: 0.25),
        (own("three"), lambda model, X, y: 0.5),
        (own("with_option"), lambda model, X, y: 1.0),
        (own("recall"), lambda model, X, y: recall_score(y, model.predict(X))),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_own_metrics(fitted: Any, spec: MetricSpec, check: Any) -> None:
    assert scorers(spec)(*fitted)[spec.name] == check(*fitted)


def test_scikit_learns_metric_functions_are_metrics(fitted: Any) -> None:
    model, X, y = fitted
    spec = MetricSpec(name="r", scorer="sklearn.metrics.recall_score", direction="maximize")
    assert scorers(spec)(model, X, y)["r"] == recall_score(y, model.predict(X))


def test_directions() -> None:
    found = scorers("recall", own("cost", "minimize"), "fit_time").metrics
    assert [(metric.name, metric.direction) for metric in found] == [
        ("recall", "maximize"),
        ("cost", "minimize"),
        ("fit_time", "minimize"),
    ]
    assert scorers(own("recall", None)).objectives[0].direction == "maximize"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (MetricSpec(name="recal"), "scikit-learn has no scorer `recal`. Did you mean `recall`?"),
        (MetricSpec(name="recall", direction="minimize"), "scorers are always maximized"),
        (own("cost", None), "a metric of your own needs direction"),
        (own("missing"), "`own_metrics` has no `missing`"),
        (own("one_argument"), "this one takes (y)"),
        (MetricSpec(name="t", scorer="math.tau", direction="maximize"), "is no function"),
    ],
)
def test_what_is_no_metric(spec: MetricSpec, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        scorers(spec).check()
    assert expected in str(caught.value)


def test_every_bad_metric_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        scorers("recal", "acuracy", "f1").check()
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("score", "kind"),
    [
        (nan, "nan"),
        (inf, "inf"),
        (-inf, "inf"),
        (np.float64("nan"), "nan"),
        (10**400, "inf"),
        (None, "type"),
        ("0.5", "type"),
        (True, "type"),
        (np.True_, "type"),
        (1 + 2j, "type"),
        (np.array([0.1, 0.2]), "type"),
        ([0.5], "type"),
        ({"a": 1}, "type"),
    ],
)
def test_what_is_no_score(score: Any, kind: str) -> None:
    with pytest.raises(BadScoreError) as caught:
        real("m", score)
    assert caught.value.kind == kind
    assert "metric `m`" in str(caught.value)


@pytest.mark.parametrize(
    "score", [1, 0.5, np.float32(0.5), np.int64(2), np.array(0.5), np.array([0.5]), Fraction(1, 2)]
)
def test_what_is_a_score(score: Any) -> None:
    assert type(real("m", score)) is float


def test_a_deciding_metric_must_be_computed(fitted: Any) -> None:
    with pytest.raises(RuntimeError, match="broken metric"):
        scorers(own("broken"))(*fitted)
    with pytest.raises(BadScoreError, match="None"):
        scorers(own("none"))(*fitted)


@pytest.mark.parametrize("name", ["broken", "none"])
def test_a_metric_that_decides_nothing_may_fail_and_is_said_to(fitted: Any, name: str) -> None:
    with pytest.warns(MetricWarning, match=name):
        found = scorers("accuracy", also=[own(name)])(*fitted)
    assert found.keys() == {"accuracy"}


def test_a_name_counts_once(fitted: Any) -> None:
    made = scorers("accuracy", also=[MetricSpec(name="accuracy"), MetricSpec(name="recall")])
    assert [metric.name for metric in made.metrics] == ["accuracy", "recall"]


def test_times_are_measured_not_computed(fitted: Any) -> None:
    made = scorers("accuracy", "fit_time")
    assert made(*fitted).keys() == {"accuracy"}
    assert made.time_scores(1.5, 0.5) == {"fit_time": 1.5}
    assert scorers("score_time")(*fitted) == {}


def test_it_pickles(fitted: Any) -> None:
    made = scorers("accuracy", own("cost", "minimize"))
    made(*fitted)
    assert pickle.loads(pickle.dumps(made))(*fitted) == made(*fitted)


@pytest.mark.parametrize(
    ("spec", "is_enough"),
    [
        (MetricSpec(name="accuracy"), True),
        (MetricSpec(name="cost", scorer=f"{__name__}.cost", direction="minimize"), True),
        (MetricSpec(name="recall", scorer=f"{__name__}.recall"), True),
        (MetricSpec(name="own", scorer=f"{__name__}.own_scorer", direction="maximize"), False),
        (MetricSpec(name="fit_time"), False),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_some_metrics_see_more_than_answers(spec: MetricSpec, is_enough: bool) -> None:
    accuracy = MetricSpec(name="accuracy")
    assert Scorers((accuracy,), (spec,)).see_answers_alone == is_enough
