from pathlib import Path

import pytest

from tunesmith.errors import ConfigError
from tunesmith.testing.importers import ImporterContract

SAMPLE = """\
from skopt import gp_minimize
from skopt.space import Categorical, Integer, Real

dimensions = [
    Real(1e-4, 1e-1, prior="log-uniform", name="lr"),
    Integer(1, 9, name="depth"),
    Categorical(["adam", "sgd"], name="kind"),
    Real(0, 0.5, name="drop"),
]


def loss(point):
    return sum(point[:2])


result = gp_minimize(loss, dimensions, n_calls=30, x0=[0.01, 3, "sgd", 0.1], random_state=2)
"""


class TestSkopt(ImporterContract):
    tool, file, sample = "skopt", "minimize.py", SAMPLE
    space = {
        "lr": {"float": [0.0001, 0.1], "log": True},
        "depth": {"int": [1, 9]},
        "kind": ["adam", "sgd"],
        "drop": {"float": [0.0, 0.5]},
    }
    settings = {
        "search": {
            "method": "bayesian",
            "sampler": "gp",
            "seed": 2,
            "start_with": [{"lr": 0.01, "depth": 3, "kind": "sgd", "drop": 0.1}],
        },
        "stop": {"trials": 30},
    }
    refused = {
        "unequal probabilities": '["adam", "sgd"], -> ["adam", "sgd"], prior=[0.1, 0.9],',
        "known only if the script runs": "Real(0, 0.5 -> Real(0, input()",
        "is no list of dimensions": "loss, dimensions -> loss, list(dimensions.values())",
    }


def test_a_loop_of_your_own_is_refused_with_the_reason(tmp_path: Path) -> None:
    text = """\
from skopt import Optimizer
opt = Optimizer([(0.1, 1.0), (1, 9)], random_state=1)
for _ in range(20):
    x = opt.ask()
    opt.tell(x, loss(x))
"""
    with pytest.raises(ConfigError, match="asked for points by a loop of your own") as caught:
        TestSkopt().converted(tmp_path, text)
    (violation,) = caught.value.violations
    assert violation.place is not None
    assert violation.place.line == 2
    named = "from skopt.space import Real\nspace = [Real(0.1, 1.0, name='rate')]\n"
    draft = TestSkopt().converted(tmp_path, named + text.replace("[(0.1, 1.0), (1, 9)]", "space"))
    assert draft.content["space"] == {"rate": {"float": [0.1, 1.0]}}


def test_dimensions_in_a_dictionary(tmp_path: Path) -> None:
    text = """\
from skopt import gp_minimize
setup = {"space": [(0.5, 2.5), (1, 9), ["a", "b"]]}
gp_minimize(loss, setup["space"])
"""
    space = TestSkopt().converted(tmp_path, text).content["space"]
    assert space == {"x0": {"float": [0.5, 2.5]}, "x1": {"int": [1, 9]}, "x2": ["a", "b"]}


def test_equal_priors_of_choices_are_none(tmp_path: Path) -> None:
    text = SAMPLE.replace('["adam", "sgd"],', '["adam", "sgd"], prior=[0.5, 0.5],')
    assert text != SAMPLE
    assert TestSkopt().converted(tmp_path, text).content["space"] == TestSkopt.space


def test_dimensions_without_a_search(tmp_path: Path) -> None:
    text = """\
from skopt.space import Integer, Real
space = [Integer(1, 5, name="depth"), Real(1e-5, 1, "log-uniform", name="lr")]
"""
    draft = TestSkopt().converted(tmp_path, text)
    expected = {"depth": {"int": [1, 5]}, "lr": {"float": [1e-5, 1.0], "log": True}}
    assert draft.content["space"] == expected
    assert draft.content["objective"]["command"][:2] == ["python", "train.py"]


GRIDS = """\
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from skopt import BayesSearchCV
from skopt.space import Real

pipe = Pipeline([("clf", SVC())])
linear = {"clf": [SVC()], "clf__kernel": ["linear"], "clf__C": Real(1e-3, 10, "log-uniform")}
radial = {"clf__kernel": ["rbf"], "clf__C": Real(1e-2, 10)}
search = BayesSearchCV(pipe, [(linear, 20), (radial, 12)], scoring="accuracy")
"""


def test_grids_with_trials_of_their_own(tmp_path: Path) -> None:
    content = TestSkopt().converted(tmp_path, GRIDS).content
    assert content["space"] == [
        {"clf__kernel": ["linear"], "clf__C": {"float": [0.001, 10.0], "log": True}},
        {"clf__kernel": ["rbf"], "clf__C": {"float": [0.01, 10.0]}},
    ]
    assert content["stop"] == {"trials": 32}


def test_another_estimator_for_a_step_is_refused(tmp_path: Path) -> None:
    for other in ("SVC(tol=0.1)", "Other()"):
        text = GRIDS.replace('"clf": [SVC()]', f'"clf": [{other}]')
        with pytest.raises(ConfigError, match="object of Python"):
            TestSkopt().converted(tmp_path, text)
