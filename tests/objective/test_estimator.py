import pickle
from pathlib import Path
from typing import Any

import pytest
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from tunesmith.config.objective import ObjectiveSection
from tunesmith.errors import UsageError
from tunesmith.objective.estimator import EstimatorBuilder
from tunesmith.space import Box, Categorical, Condition, Float, Int, SearchSpace
from tunesmith.space.parameter import Parameter

FOREST = "sklearn.ensemble.RandomForestClassifier"
LOGISTIC = "sklearn.linear_model.LogisticRegression"
VECTORS = "sklearn.svm.SVC"
SCALER = "sklearn.preprocessing.StandardScaler"


def builder(
    *, random_state: int | None = 7, preprocessor: Any = None, **section: Any
) -> EstimatorBuilder:
    whole = {"data": {"path": "t.csv", "target": "y"}, "metric": "accuracy", **section}
    return EstimatorBuilder(ObjectiveSection.model_validate(whole), random_state, preprocessor)


def space(**parameters: Any) -> SearchSpace:
    return SearchSpace.of(parameters)


def refused(made: EstimatorBuilder, points: SearchSpace | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        made.check(points or space(zzz=Int(1, 2)))
    return str(caught.value)


def module(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(folder)


# -- building ------------------------------------------------------------------------------------


def test_an_estimator_with_fixed_and_free_params() -> None:
    made = builder(estimator=FOREST, params={"n_estimators": 9}).build({"max_depth": 3})
    assert isinstance(made, RandomForestClassifier)
    assert (made.n_estimators, made.max_depth, made.random_state) == (9, 3, 7)


def test_every_build_is_fresh() -> None:
    maker = builder(estimator=FOREST)
    one, other = maker.build({"max_depth": 3}), maker.build({})
    assert one is not other
    assert other.max_depth is None


def test_steps_are_named_by_their_class() -> None:
    made = builder(
        steps=[
            {"estimator": SCALER, "params": {"with_mean": False}},
            {"estimator": SCALER},
            {"name": "clf", "estimator": LOGISTIC},
        ]
    ).build({"C": 0.5, "standardscaler__with_std": False})
    assert isinstance(made, Pipeline)
    assert [name for name, _ in made.steps] == ["standardscaler", "standardscaler-2", "clf"]
    assert made["clf"].C == 0.5
    assert made["standardscaler"].with_mean is False
    assert made["standardscaler"].with_std is False


def test_a_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from sklearn.svm import SVC\n\ndef build():\n    return SVC(C=3.0)\n"
    module(tmp_path, monkeypatch, "made_by_factory", text)
    made = builder(factory="made_by_factory:build").build({"kernel": "linear"})
    assert isinstance(made, SVC)
    assert (made.C, made.kernel) == (3.0, "linear")


def test_a_factory_of_a_pipeline_in_a_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.svm import SVC\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "def build():\n"
        "    return make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), SVC()))\n"
    )
    module(tmp_path, monkeypatch, "nested_factory", text)
    made = builder(factory="nested_factory:build").build({"C": 5.0})
    assert made.get_params()["pipeline__svc__C"] == 5.0


def test_a_choice_among_estimators() -> None:
    maker = builder(
        estimators={
            "forest": {"estimator": FOREST, "params": {"n_estimators": 4}},
            "logistic": {"estimator": LOGISTIC},
        }
    )
    forest = maker.build({"estimator": "forest", "max_depth": 2})
    logistic = maker.build({"estimator": "logistic", "C": 2.0})
    assert (type(forest), forest.n_estimators) == (RandomForestClassifier, 4)
    assert (type(logistic), logistic.C) == (LogisticRegression, 2.0)


def test_a_preprocessor_goes_in_front() -> None:
    made = builder(estimator=LOGISTIC, preprocessor=StandardScaler()).build({"C": 0.5})
    assert [name for name, _ in made.steps] == ["preprocess", "model"]
    assert made["model"].C == 0.5
    piped = builder(steps=[{"estimator": LOGISTIC}], preprocessor=StandardScaler()).build({})
    assert [name for name, _ in piped.steps] == ["preprocess", "logisticregression"]


@pytest.mark.parametrize("n_conditions", [1, 2, 3])
def test_a_condition_implies_those_of_its_parameter(n_conditions: int) -> None:
    # The deeper a parameter, the longer the chain of conditions to the choice of the estimator.
    chain = (("degree", "kernel", "poly"), ("coef0", "degree", 3), ("shrinking", "coef0", 1))
    parameters: dict[str, Parameter] = {
        "estimator": Categorical(("forest", "vectors")),
        "kernel": Categorical(("poly", "rbf")),
        "degree": Categorical((2, 3)),
        "coef0": Categorical((0, 1)),
        "shrinking": Categorical((True, False)),
    }
    conditions = {"kernel": (Condition("estimator", ("vectors",)),)}
    for name, parent, value in chain[:n_conditions]:
        conditions[name] = (Condition(parent, (value,)),)
    points = SearchSpace((Box({n: parameters[n] for n in ("estimator", *conditions)}, conditions),))
    made = builder(estimators={"forest": {"estimator": FOREST}, "vectors": {"estimator": VECTORS}})
    made.check(points)
    assert isinstance(made.build({"estimator": "vectors", "kernel": "poly"}), SVC)
    # Without the first condition, a forest would get the kernel.
    loose = space(estimator=parameters["estimator"], kernel=parameters["kernel"])
    assert "kernel" in refused(made, loose)


SAME_NAMES = """
from sklearn.base import BaseEstimator, ClassifierMixin

class Same(ClassifierMixin, BaseEstimator):
    def __init__(self, verbose=0, memory=None, model="a", preprocess="b", steps=3, depth=1):
        self.verbose, self.memory, self.model = verbose, memory, model
        self.preprocess, self.steps, self.depth = preprocess, steps, depth

    def fit(self, X, y):
        return self
"""


@pytest.mark.parametrize("name", ["verbose", "memory", "model", "preprocess", "steps", "depth"])
@pytest.mark.parametrize("is_steps", [False, True])
def test_names_that_the_pipeline_around_has_too_mean_the_estimators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_steps: bool
) -> None:
    module(tmp_path, monkeypatch, "same_names", SAME_NAMES)
    path = "same_names.Same"
    steps = [{"name": "preprocess", "estimator": SCALER}, {"name": "model", "estimator": path}]
    section: dict[str, Any] = {"steps": steps} if is_steps else {"estimator": path}
    front = None if is_steps else StandardScaler()
    fixed = builder(preprocessor=front, params={name: "x"}, **section).build({})
    free = builder(preprocessor=front, **section)
    free.check(space(**{name: Categorical(("x", "y"))}))
    for made in (fixed, free.build({name: "x"})):
        assert [step for step, _ in made.steps] == ["preprocess", "model"]
        assert getattr(made.steps[-1][1], name) == "x"
        assert made.verbose is False
        assert made.memory is None


def test_lightgbms_own_way_to_be_silent_reaches_it() -> None:
    made = builder(
        estimator="lightgbm.LGBMClassifier", preprocessor=StandardScaler(), params={"verbose": -1}
    ).build({})
    assert made.named_steps["model"].get_params()["verbose"] == -1


def test_lists_become_tuples_where_scikit_learn_has_tuples() -> None:
    maker = builder(
        steps=[
            {
                "estimator": "sklearn.preprocessing.MinMaxScaler",
                "params": {"feature_range": [0, 2]},
            },
            {"estimator": "sklearn.neural_network.MLPClassifier"},
        ]
    )
    made = maker.build({"hidden_layer_sizes": [5, 3]})
    assert isinstance(made["minmaxscaler"], MinMaxScaler)
    assert made["minmaxscaler"].feature_range == (0, 2)
    assert isinstance(made["mlpclassifier"], MLPClassifier)
    assert made["mlpclassifier"].hidden_layer_sizes == (5, 3)
    text = builder(estimator="sklearn.feature_extraction.text.TfidfVectorizer")
    vectorizer = text.build({"ngram_range": [1, 2]})
    assert isinstance(vectorizer, TfidfVectorizer)
    assert vectorizer.ngram_range == (1, 2)


def test_lists_are_not_shared() -> None:
    params: dict[str, Any] = {"class_weight": {"0": 1}}
    made = builder(estimator=LOGISTIC).build(params)
    made.class_weight["0"] = 99
    assert params == {"class_weight": {"0": 1}}


def test_it_pickles_without_its_estimators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "from sklearn.svm import SVC\n\ndef build():\n    return SVC(kernel=lambda a, b: a @ b.T)\n"
    )
    module(tmp_path, monkeypatch, "unpicklable_factory", text)
    maker = builder(factory="unpicklable_factory:build")
    maker.build({})
    copy = pickle.loads(pickle.dumps(maker))
    assert copy.build({"C": 2.0}).C == 2.0


# -- random states -------------------------------------------------------------------------------


def test_seeds_go_where_nobody_set_one() -> None:
    made = builder(
        steps=[
            {"estimator": "sklearn.decomposition.PCA"},
            {"estimator": FOREST, "params": {"random_state": 3}},
        ]
    ).build({})
    assert made["pca"].random_state == 7
    assert made["randomforestclassifier"].random_state == 3


def test_seeds_reach_nested_estimators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "from sklearn.ensemble import BaggingClassifier\n"
        "from sklearn.tree import DecisionTreeClassifier\n\n"
        "def build():\n    return BaggingClassifier(DecisionTreeClassifier())\n"
    )
    module(tmp_path, monkeypatch, "bagging_factory", text)
    made = builder(factory="bagging_factory:build").build({})
    assert isinstance(made, BaggingClassifier)
    assert (made.random_state, made.estimator.random_state) == (7, 7)


@pytest.mark.parametrize("preprocessor", [None, StandardScaler()])
@pytest.mark.parametrize(
    "section",
    [
        {"estimator": FOREST, "params": {"random_state": None}},
        {"steps": [{"estimator": FOREST, "params": {"random_state": None}}]},
    ],
)
def test_an_explicit_null_stays_and_is_told(section: dict[str, Any], preprocessor: Any) -> None:
    maker = builder(**section, preprocessor=preprocessor)
    values = maker.build({}).get_params()
    assert [v for name, v in values.items() if name.endswith("random_state")] == [None]
    assert "scores will not repeat" in maker.warnings[0]


def test_seeded_estimators_give_no_warning() -> None:
    assert builder(estimator=FOREST).warnings == ()


def test_the_space_may_vary_the_seed() -> None:
    assert builder(estimator=FOREST).build({"random_state": 11}).random_state == 11


# -- checks --------------------------------------------------------------------------------------


def test_unknown_parameters_are_all_named() -> None:
    text = refused(builder(estimator=LOGISTIC), space(c=Float(0, 1), tolerance=Float(0, 1)))
    lines = text.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("space.c: LogisticRegression has no parameter `c`. ")
    assert "Known: C, class_weight" in lines[0]


def test_a_near_name_is_suggested() -> None:
    text = refused(builder(estimator=FOREST), space(n_estimator=Int(1, 5)))
    assert "Did you mean `n_estimators`?" in text


def test_fixed_params_are_checked() -> None:
    text = refused(builder(estimator=FOREST, params={"depth": 3}))
    assert text.startswith("objective.params.depth: RandomForestClassifier has no parameter")
    assert "Did you mean `max_depth`?" in text
    steps = builder(steps=[{"estimator": FOREST, "params": {"depth": 3}}])
    assert refused(steps).startswith("objective.steps[0].params.depth")


def test_the_budget_is_a_parameter_of_every_estimator() -> None:
    builder(estimator=LOGISTIC).check(space(C=Float(0, 1)), budget="max_iter")
    with pytest.raises(UsageError, match=r"^budget\.parameter: .* Did you mean `max_iter`\?"):
        builder(estimator=LOGISTIC).check(space(C=Float(0, 1)), budget="maxiter")


def test_pipeline_names_are_written_short_and_long() -> None:
    maker = builder(steps=[{"estimator": SCALER}, {"estimator": LOGISTIC}])
    maker.check(space(C=Float(0, 1), logisticregression__tol=Float(0, 1)))
    maker.check(space(standardscaler__with_mean=Categorical((True, False))))
    assert "Did you mean `standardscaler__with_mean`?" in refused(
        maker, space(standardscaler__with_maen=Categorical((True,)))
    )


class Flexible(LogisticRegression):  # type: ignore[misc]
    """Takes further parameters, as LightGBM's estimators do."""

    def __init__(self, C: float = 1.0, **more: Any) -> None:
        super().__init__(C=C)
        self.C: float = C
        self.more = more

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"C": self.C, **self.more}

    def set_params(self, **params: Any) -> "Flexible":
        self.C = params.pop("C", self.C)
        self.more |= params
        return self


def test_estimators_with_open_ended_params(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType

    holder = ModuleType("flexible_module")
    holder.Flexible = Flexible  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flexible_module", holder)
    maker = builder(estimator="flexible_module.Flexible")
    maker.check(space(lambda_l1=Float(0, 1)))
    assert maker.build({"lambda_l1": 0.5}).more["lambda_l1"] == 0.5


CHOICE = {"forest": {"estimator": FOREST}, "logistic": {"estimator": LOGISTIC}}
PICK = Categorical(("forest", "logistic"))


def test_conditions_say_whose_parameter_it_is() -> None:
    parameters: dict[str, Parameter] = {"estimator": PICK, "max_depth": Int(1, 5)}
    builder(estimators=CHOICE).check(
        SearchSpace((Box(parameters, {"max_depth": (Condition("estimator", ("forest",)),)}),))
    )
    text = refused(builder(estimators=CHOICE), SearchSpace.of(parameters))
    assert "the estimator `logistic` has no parameter `max_depth`" in text


def test_boxes_say_whose_parameter_it_is() -> None:
    builder(estimators=CHOICE).check(
        SearchSpace.of(
            {"estimator": Categorical(("forest",)), "max_depth": Int(1, 5)},
            {"estimator": Categorical(("logistic",)), "C": Float(0, 1)},
        )
    )


def test_a_choice_needs_its_parameter() -> None:
    text = refused(builder(estimators=CHOICE), space(C=Float(0, 1)))
    assert "`estimator` must choose among the estimators: [forest, logistic]" in text
    wrong = space(estimator=Categorical(("forrest",)), max_depth=Int(1, 2))
    assert "there is no estimator `forrest`" in refused(builder(estimators=CHOICE), wrong)


def test_classifiers_and_regressors_do_not_compare() -> None:
    mixed = {"a": {"estimator": LOGISTIC}, "b": {"estimator": "sklearn.linear_model.Ridge"}}
    with pytest.raises(UsageError, match="a predict classes, the others do not"):
        _ = builder(estimators=mixed).is_classifier


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({}, "name an `estimator`, `steps`, `factory` or `estimators`"),
        ({"estimator": "sklearn.ensemble.RandomForrest"}, "has no `RandomForrest`"),
        ({"estimator": "sklearn.ensmble.RandomForest"}, "there is no module `sklearn.ensmble`"),
        ({"estimator": "nowhere.Thing"}, "there is no module `nowhere`"),
        ({"estimator": "math.sqrt"}, "Use `factory` for a function"),
        ({"estimator": "pathlib.Path"}, "lacks fit, get_params, set_params"),
        ({"estimator": "sklearn.multiclass.OneVsRestClassifier"}, "cannot be made"),
        ({"factory": "math.tau"}, "`math.tau` is no function"),
        ({"factory": "math.sqrt"}, "`math.sqrt()` fails"),
    ],
)
def test_what_is_no_estimator(section: dict[str, Any], expected: str) -> None:
    assert expected in refused(builder(**section))


def test_a_near_class_is_suggested() -> None:
    text = refused(builder(estimator="sklearn.ensemble.RandomForestClasifier"))
    assert "Did you mean `sklearn.ensemble.RandomForestClassifier`?" in text


def test_an_import_that_fails_shows_the_users_frames_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(tmp_path, monkeypatch, "fails_to_import", "def f():\n    1 / 0\n\nf()\n")
    text = refused(builder(factory="fails_to_import:build"))
    assert "cannot import `fails_to_import:build`: ZeroDivisionError" in text
    assert "fails_to_import.py:2 in f: 1 / 0" in text
    assert "importlib" not in text
    assert "tunesmith/" not in text
    assert str(tmp_path) not in text


def test_a_missing_dependency_of_the_users_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module(tmp_path, monkeypatch, "needs_more", "import not_there_at_all\n")
    text = refused(builder(factory="needs_more:build"))
    assert "No module named 'not_there_at_all'" in text
    assert "needs_more.py:1" in text


def test_a_module_that_exits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(tmp_path, monkeypatch, "exits_early", "import sys\nsys.exit(4)\n")
    assert "SystemExit: 4" in refused(builder(factory="exits_early:build"))


# -- defaults and identity -----------------------------------------------------------------------


def test_defaults_are_the_estimators_own() -> None:
    box = space(C=Float(0, 9), tol=Float(0, 1), class_weight=Categorical((None,))).boxes[0]
    found = builder(estimator=LOGISTIC).defaults(box, "")
    assert found == {"C": 1.0, "tol": 1e-4, "class_weight": None}


def test_defaults_hold_json_alone() -> None:
    box = space(hidden_layer_sizes=Categorical(([100],)), alpha=Float(0, 1)).boxes[0]
    found = builder(estimator="sklearn.neural_network.MLPClassifier").defaults(box, "")
    assert found == {"hidden_layer_sizes": [100], "alpha": 1e-4}
    imputer = builder(estimator="sklearn.impute.SimpleImputer")
    nan = space(missing_values=Categorical((None,))).boxes[0]
    assert imputer.defaults(nan, "") == {}


def test_the_spec_names_what_scores_depend_on() -> None:
    specs = [
        builder(estimator=FOREST).spec(),
        builder(estimator=LOGISTIC).spec(),
        builder(estimator=FOREST, params={"max_depth": 2}).spec(),
        builder(estimator=FOREST, preprocess="auto").spec(),
        builder(estimator=FOREST, random_state=8).spec(),
    ]
    assert len({str(spec) for spec in specs}) == len(specs)
    assert "cv" not in specs[0]
