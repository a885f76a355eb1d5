"""Builder of estimators from params."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith.config.objective import ChoiceSection, ObjectiveSection, StepSection
from tunesmith.errors import UsageError, did_you_mean
from tunesmith.sharing.prototype import (
    Prototype,
    is_json,
    last_step,
    like,
    signature_of,
    to_json,
)
from tunesmith.space import Box, Categorical, Condition, SearchSpace
from tunesmith.system.importing import load
from tunesmith.types import Params, Value

CHOICE = "estimator"
"""The space's parameter that picks one of several ``estimators``."""
PIPELINES = frozenset({"memory", "steps", "transform_input", "verbose"})
"""Parameters of scikit-learn's ``Pipeline`` itself."""


@dataclass(frozen=True)
class EstimatorBuilder:
    """Builds estimators as the objective section describes them. Picklable: it holds no estimator.

    A parameter that the whole estimator does not know belongs to its last step: in a pipeline that
    ends in ``model``, ``max_depth`` means ``model__max_depth``. In a pipeline that the
    configuration itself makes, by ``steps`` or ``preprocess``, a parameter that both know
    (``verbose``) belongs to the last step, too.
    """

    section: ObjectiveSection
    random_state: int | None = None
    """Seed for every ``random_state`` that is not set."""
    preprocessor: Any = None
    """An unfitted transformer to put in front, as the step ``preprocess``."""
    _made: dict[str, Prototype] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}}

    @property
    def choices(self) -> list[str]:
        """Names of the estimators to choose among; one empty name if there is no choice."""
        return list(self.section.estimators) or [""]

    def build(self, params: Params) -> Any:
        """Build a fresh, unfitted estimator with these params.

        Raises:
            ValueError: a parameter is unknown.
        """
        return self.prototype(self.choice_of(params)).build(self.own(params))

    def own(self, params: Params) -> Params:
        """Params without the one that chooses the estimator."""
        return {k: v for k, v in params.items() if k != CHOICE or not self.section.estimators}

    def choice_of(self, params: Params) -> str:
        """Name of the estimator that params choose; empty if there is no choice."""
        return str(params.get(CHOICE, "")) if self.section.estimators else ""

    def prototype(self, choice: str = "") -> Prototype:
        """Prototype from which all estimators of one choice are cloned.

        Raises:
            UsageError: it cannot be imported or made.
        """
        if choice not in self._made:
            self._made[choice] = self._prototype(choice)
        return self._made[choice]

    def _prototype(self, choice: str) -> Prototype:
        made, fixed = self._make(choice)
        hidden = PIPELINES if self.section.steps else frozenset()
        if self.preprocessor is not None:
            if not last_step(made)[0]:
                hidden = PIPELINES | {"preprocess", "model"}
            made, fixed = _with_front(made, fixed, self.preprocessor)
        prototype = Prototype(made, fixed, hidden)
        prototype.set_fixed("objective.params", self.section.params)
        # After the fixed parameters: a `random_state` that the user sets to null must stay null.
        if self.random_state is not None:
            prototype.inject(self.random_state)
        return prototype

    def _make(self, choice: str) -> tuple[Any, set[str]]:
        """Make the estimator; return it with the names of the parameters that were fixed in it."""
        section = self.section
        if section.estimators:
            if choice not in section.estimators:
                known = did_you_mean(choice, list(section.estimators))
                raise UsageError(f"space.{CHOICE}: there is no estimator `{choice}`. {known}")
            return _instance(f"objective.estimators.{choice}", section.estimators[choice])
        if section.steps:
            return _pipeline(section.steps)
        if section.factory is not None:
            return _from_factory(section.factory), set()
        if section.estimator is None:
            raise UsageError("objective: name an `estimator`, `steps`, `factory` or `estimators`")
        return _plain(section.estimator, section.params)

    # -- checks ------------------------------------------------------------------------------

    def check(self, space: SearchSpace, budget: str | None = None) -> None:
        """Refuse parameters that the estimator does not have.

        Args:
            space: the search space.
            budget: the parameter that limits the length of a fit, if there is one.

        Raises:
            UsageError: every unknown parameter at once.
        """
        problems = [
            problem
            for box in space
            for name in box.parameters
            for problem in self._problems(box, name)
        ]
        if budget is not None:
            problems += [
                problem
                for box in space
                for choice in self.choices_for(box)
                for problem in self._unknown(choice, budget, "budget.parameter")
            ]
        if problems:
            raise UsageError("\n".join(dict.fromkeys(problems)))

    def _problems(self, box: Box, name: str) -> Iterable[str]:
        if self.section.estimators and name == CHOICE:
            return
        for choice in self.choices_for(box, name):
            yield from self._unknown(choice, name, f"space.{name}")

    def _unknown(self, choice: str, name: str, place: str) -> Iterable[str]:
        prototype = self.prototype(choice)
        if not prototype.knows(name):
            title = f"the estimator `{choice}`" if choice else prototype.title
            hint = did_you_mean(name, prototype.names_like(name))
            yield f"{place}: {title} has no parameter `{name}`. {hint}"

    def choices_for(self, box: Box, name: str | None = None) -> list[str]:
        """Estimators that a box can choose; for one parameter, those that it is active with."""
        if not self.section.estimators:
            return [""]
        chosen = box.parameters.get(CHOICE)
        if chosen is None:
            listed = ", ".join(self.section.estimators)
            raise UsageError(
                f"space: a parameter `{CHOICE}` must choose among the estimators: [{listed}]"
            )
        names = [str(v) for v in chosen.choices] if isinstance(chosen, Categorical) else []
        for condition in _conditions_of(box, name or ""):
            if condition.parent == CHOICE:
                names = [n for n in names if n in map(str, condition.values)]
        return names

    def defaults(self, box: Box, choice: str) -> dict[str, Value]:
        """The estimator's own values of a box's parameters, as far as JSON can hold them."""
        defaults: dict[str, Value] = {CHOICE: choice} if choice else {}
        prototype = self.prototype(choice)
        for name in box.parameters:
            if name not in defaults and prototype.knows(name):
                value = prototype.value(name)
                if is_json(value):
                    defaults[name] = to_json(value)
        return defaults

    @property
    def is_classifier(self) -> bool:
        """True if the estimators predict classes.

        Raises:
            UsageError: some do and some do not.
        """
        from sklearn.base import is_classifier

        by_choice = {c: bool(is_classifier(self.prototype(c).estimator)) for c in self.choices}
        if len(set(by_choice.values())) > 1:
            split = ", ".join(n for n, classifies in by_choice.items() if classifies)
            raise UsageError(
                f"objective.estimators: {split} predict classes, the others do not;"
                " one metric cannot compare them"
            )
        return next(iter(by_choice.values()))

    def fit_params(self, params: Params, given: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments of ``fit``: given ones (weights) go to the last step."""
        prefix = last_step(self.prototype(self.choice_of(params)).estimator)[0] if given else ""
        return {f"{prefix}{name}": value for name, value in given.items()}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons why scores may not repeat; empty if they do."""
        unseeded = {n for choice in self.choices for n in self.prototype(choice).unseeded}
        if not unseeded:
            return ()
        listed = ", ".join(sorted(unseeded))
        return (f"{listed} is null: scores will not repeat, and reused scores are one draw",)

    def spec(self) -> dict[str, Any]:
        """Identity of the estimators, as JSON."""
        section = self.section.model_dump(
            mode="json",
            include={"estimator", "steps", "factory", "estimators", "params", "preprocess"},
        )
        return {**section, "random_state": self.random_state}


def _conditions_of(box: Box, name: str) -> Iterator[Condition]:
    """Yield the conditions of a parameter, and those of the parameters that it depends on."""
    for condition in box.conditions.get(name, ()):
        yield condition
        # A box refuses conditions that form a circle.
        yield from _conditions_of(box, condition.parent)


# -- making --------------------------------------------------------------------------------------


def _plain(path: str, params: Mapping[str, Any]) -> tuple[Any, set[str]]:
    """Make a single estimator; params that are not its own may belong to the step before it."""
    loaded = load("objective.estimator", path)
    own = signature_of(loaded) if inspect.isclass(loaded) else {}
    direct = {name: value for name, value in params.items() if name in own}
    return _instance("objective", ChoiceSection(estimator=path, params=direct))


def _instance(where: str, choice: ChoiceSection | StepSection) -> tuple[Any, set[str]]:
    made = load(f"{where}.estimator", choice.estimator)
    if inspect.isfunction(made) or inspect.isbuiltin(made):
        raise UsageError(
            f"{where}.estimator: `{choice.estimator}` is a function."
            " Use `factory` for a function that returns an estimator."
        )
    if not inspect.isclass(made):
        return _copied(where, made, choice)
    own = signature_of(made)
    # Given to the constructor, which may require them.
    direct = {name: value for name, value in choice.params.items() if name in own}
    try:
        estimator = made(**{n: like(own[n].default, value) for n, value in direct.items()})
    except TypeError as error:
        raise UsageError(f"{where}: {made.__name__} cannot be made: {error}") from None
    prototype = Prototype(_checked(where, choice.estimator, estimator), direct)
    prototype.set_fixed(f"{where}.params", _without(choice.params, direct))
    return prototype.estimator, prototype.fixed


def _copied(where: str, loaded: Any, choice: ChoiceSection | StepSection) -> tuple[Any, set[str]]:
    from sklearn.base import clone

    # A copy: an estimator in a module of the project must stay as it is.
    prototype = Prototype(clone(_checked(where, choice.estimator, loaded)))
    prototype.set_fixed(f"{where}.params", choice.params)
    return prototype.estimator, prototype.fixed


def _without(params: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    left_out = set(names)
    return {name: value for name, value in params.items() if name not in left_out}


def _checked(where: str, path: str, estimator: Any) -> Any:
    lacking = [name for name in ("fit", "get_params", "set_params") if not hasattr(estimator, name)]
    if lacking:
        raise UsageError(
            f"{where}: `{path}` is no estimator: it lacks {', '.join(lacking)}"
            " (scikit-learn's BaseEstimator has the latter two)"
        )
    return estimator


def _pipeline(steps: Sequence[StepSection]) -> tuple[Any, set[str]]:
    from sklearn.pipeline import Pipeline

    made: list[tuple[str, Any]] = []
    fixed: set[str] = set()
    for index, step in enumerate(steps):
        estimator, own = _instance(f"objective.steps[{index}]", step)
        name = step.name or type(estimator).__name__.lower()
        made.append((_unique(name, [n for n, _ in made]), estimator))
        fixed |= {f"{made[-1][0]}__{parameter}" for parameter in own}
    return Pipeline(made), fixed


def _unique(name: str, taken: Sequence[str]) -> str:
    """Name steps as ``make_pipeline`` does, but the first of equal names stays plain."""
    if name not in taken:
        return name
    number = next(i for i in range(2, len(taken) + 3) if f"{name}-{i}" not in taken)
    return f"{name}-{number}"


def _from_factory(path: str) -> Any:
    from sklearn.base import clone

    function = load("objective.factory", path)
    if not callable(function):
        raise UsageError(f"objective.factory: `{path}` is no function")
    try:
        made = function()
    except TypeError as error:
        raise UsageError(f"objective.factory: `{path}()` fails: {error}") from None
    return clone(_checked("objective.factory", path, made))


def _with_front(estimator: Any, fixed: set[str], preprocessor: Any) -> tuple[Any, set[str]]:
    from sklearn.base import clone
    from sklearn.pipeline import Pipeline

    front = ("preprocess", clone(preprocessor))
    if isinstance(estimator, Pipeline):
        return Pipeline([front, *estimator.steps], memory=estimator.memory), fixed
    return Pipeline([front, ("model", estimator)]), {f"model__{name}" for name in fixed}
