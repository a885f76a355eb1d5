"""The tree-structured Parzen estimator (Bergstra et al. 2011), by Optuna used as a library."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.random import Generator

from tunesmith.history import History, Trial, shortfall
from tunesmith.search.quiet import quiet
from tunesmith.search.sobol import SobolSampler
from tunesmith.search.unseen import unseen
from tunesmith.space import Box, Categorical, Distribution, Float, Int, Parameter, SearchSpace
from tunesmith.types import Params, State, Value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

BOX = "box"
FARTHEST = 1e100
"""Distance from the constraints of a trial whose outcome is unknown."""
TRIES = 10


@dataclass
class TPESampler:
    """Optuna's TPE on a study in memory that mirrors the history.

    Every suggestion takes a fresh Optuna sampler, seeded from ``rng``; the mirror is only a
    cache. Conditional parameters and unions of boxes are modelled group by group. Trials that
    are running count as bad ones (a constant lie), which keeps the next points away from them.
    """

    # 2: the model begins by the number of completed trials.
    version: ClassVar[int] = 2

    seed: int = 0
    n_startup: int = 10
    """Number of completed trials before the model is used; until then come Sobol points."""
    n_candidates: int = 24
    """Number of points drawn for each suggestion."""
    multivariate: bool | None = None
    """Model parameters jointly; by default unless several objectives decide, as in Optuna."""
    constant_liar: bool = True
    """Keep away from running trials."""
    _mirror: "_Mirror | None" = field(default=None, init=False, repr=False, compare=False)

    def blocker(self, space: SearchSpace) -> str | None:  # noqa: ARG002
        """No blocker: any space will do."""
        return None

    def suggest(self, space: SearchSpace, history: History, n: int, rng: Generator) -> list[Params]:
        """Suggest the points with the largest ratio of good to bad density."""
        if history.n_completed < self.n_startup or history.n_completed - history.n_failed < 2:
            return SobolSampler(self.seed).suggest(space, history, n, rng)
        if self._mirror is None or not self._mirror.leads_to(space, history):
            self._mirror = _Mirror(space, history)
        self._mirror.update(history)
        draw = self._mirror.drawing(self._optuna_sampler(space, history, rng))
        return unseen(draw, space, history, n, rng, tries=TRIES)

    def _optuna_sampler(self, space: SearchSpace, history: History, rng: Generator) -> Any:
        is_dynamic = len(space.boxes) > 1 or any(box.conditions for box in space)
        is_joint = is_dynamic or len(history.objectives) == 1
        if self.multivariate is not None:
            is_joint = self.multivariate
        with warnings.catch_warnings():
            # `group` is marked experimental; conditional spaces need it.
            warnings.simplefilter("ignore")
            sampler = _optuna_class()(
                seed=int(rng.integers(2**31)),
                multivariate=is_joint,
                group=is_joint and is_dynamic,
                constant_liar=self.constant_liar,
                # `suggest` draws the first points itself.
                n_startup_trials=0,
                n_ei_candidates=self.n_candidates,
            )
        if is_joint and not is_dynamic:
            sampler.known_space = _flat_distributions(space.boxes[0])
        return sampler


@cache
def _optuna_class() -> Any:
    from optuna.samplers import TPESampler as OptunaTPESampler

    class FlatTPESampler(OptunaTPESampler):  # type: ignore[misc]
        """A sampler that is given the parameters, and need not find them in all trials."""

        known_space: "dict[str, BaseDistribution] | None" = None

        def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
            if self.known_space is not None:
                return self.known_space
            return super().infer_relative_search_space(study, trial)

    return FlatTPESampler


class _Mirror:
    """An Optuna study in memory with the same trials as a history.

    A point is drawn by asking that study; the asked trial is then failed, which takes it out of
    the model. Numbers in the mirror therefore differ from the history's.
    """

    def __init__(self, space: SearchSpace, history: History) -> None:
        from optuna import create_study

        self.space, self._history = space, history
        self._n = self._n_mirrored = 0
        self._running: dict[int, int] = {}
        with quiet():
            self._study = create_study(directions=[m.direction for m in history.objectives])

    def leads_to(self, space: SearchSpace, history: History) -> bool:
        """True if the history continues the one that is mirrored.

        False if a trial was completed with other params than were asked for: Optuna's trials keep
        theirs, and their order counts.
        """
        if space is not self.space or not history.continues(self._history):
            return False
        running = (number for number in self._running if number < history.n_completed)
        return all(history[number].key == self._history[number].key for number in running)

    def update(self, history: History) -> None:
        """Finish running trials and add new ones."""
        for number in [number for number in self._running if number < history.n_completed]:
            self._finish(self._running.pop(number), history, number)
        for number in range(self._n, len(history)):
            mirrored = self._add(history[number])
            if number < history.n_completed:
                self._finish(mirrored, history, number)
            else:
                self._running[number] = mirrored
        self._n, self._history = len(history), history

    def drawing(self, sampler: Any) -> Callable[[], Params]:
        """Return a function that draws one point after the other."""

        def draw() -> Params:
            self._study.sampler = sampler
            with quiet():
                asked = self._study.ask()
                params = self._walk(asked)
                self._study.tell(asked, state=_state("FAIL"))
            self._n_mirrored += 1
            return params

        return draw

    def _add(self, trial: Trial) -> int:
        from optuna.trial import create_trial

        params, distributions = self._translate(trial.params)
        self._study.add_trial(
            create_trial(state=_state("RUNNING"), params=params, distributions=distributions)
        )
        self._n_mirrored += 1
        return self._n_mirrored - 1

    def _finish(self, mirrored: int, history: History, number: int) -> None:
        trial = history[number]
        if trial.state is State.COMPLETE:
            self._constrain(mirrored, history, trial)
            # 12 digits: a score's last bits must not decide which points come next.
            means = [float(f"{trial.mean(m.name):.12g}") for m in history.objectives]
            self._study.tell(mirrored, means)
        else:
            ended = "PRUNED" if trial.state is State.PRUNED else "FAIL"
            self._study.tell(mirrored, state=_state(ended))

    def _constrain(self, mirrored: int, history: History, trial: Trial) -> None:
        """Tell how far a trial is from what constraints allow; such trials count as bad ones."""
        short = shortfall(trial, history.subject_to)
        if short > 0:
            # There is no public way for a trial that this process did not ask for.
            stored = self._study.get_trials(deepcopy=False)[mirrored]
            self._study._storage.set_trial_system_attr(
                stored._trial_id,
                "constraints:subject_to",
                float(f"{min(short, FARTHEST):.12g}"),
            )

    def _translate(self, params: Params) -> tuple[dict[str, Any], "dict[str, BaseDistribution]"]:
        index, canonical = self.space.locate(params)
        parameters = self.space.boxes[index].parameters
        values: dict[str, Any] = {}
        distributions: dict[str, BaseDistribution] = {}
        if len(self.space.boxes) > 1:
            values[BOX], distributions[BOX] = index, _choice(len(self.space.boxes))
        for name, value in canonical.items():
            values[f"{index}/{name}"] = _outside(parameters[name], value)
            distributions[f"{index}/{name}"] = _distribution(parameters[name])
        return values, distributions

    def _walk(self, asked: Any) -> dict[str, Value]:
        n_boxes = len(self.space.boxes)
        index = asked.suggest_categorical(BOX, tuple(range(n_boxes))) if n_boxes > 1 else 0
        box = self.space.boxes[index]
        params: dict[str, Value] = {}
        for name in box.order:
            if box.is_active(name, params):
                parameter = box.parameters[name]
                params[name] = _inside(parameter, _ask(asked, f"{index}/{name}", parameter))
        return dict(sorted(params.items()))


# -- translation: Optuna sees plain numbers and indices ---------------------------------------


def _distribution(parameter: Parameter) -> "BaseDistribution":
    from optuna.distributions import FloatDistribution, IntDistribution

    match parameter:
        case Categorical():
            return _choice(parameter.n_levels)
        case Int(step=1):
            return IntDistribution(parameter.low, parameter.high, log=parameter.log)
        case Float(step=None):
            return FloatDistribution(parameter.low, parameter.high, log=parameter.log)
        case Distribution():
            # By quantile: Optuna has no distributions of SciPy.
            return FloatDistribution(0.0, 1.0)
        case _:
            return IntDistribution(0, (parameter.n_levels or 1) - 1)


def _flat_distributions(box: Box) -> "dict[str, BaseDistribution]":
    """Varying parameters of a box without conditions, by name in the mirror."""
    distributions = {
        f"0/{name}": _distribution(box.parameters[name]) for name in sorted(box.parameters)
    }
    return {name: wanted for name, wanted in distributions.items() if not wanted.single()}


def _choice(n: int) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution

    return CategoricalDistribution(tuple(range(n)))


def _ask(asked: Any, name: str, parameter: Parameter) -> Any:
    wanted: Any = _distribution(parameter)
    match parameter:
        case Categorical():
            return asked.suggest_categorical(name, wanted.choices)
        case Float(step=None) | Distribution():
            return asked.suggest_float(name, wanted.low, wanted.high, log=wanted.log)
        case _:
            return asked.suggest_int(name, wanted.low, wanted.high, log=wanted.log)


def _outside(parameter: Parameter, value: Value) -> Any:
    """Convert a value to Optuna's form."""
    match parameter:
        case Int(step=1) | Float(step=None):
            return value
        case Distribution():
            return parameter.unit(value)
        case _:
            return parameter.index(value)


def _inside(parameter: Parameter, value: Any) -> Value:
    """Convert a value to the space's form."""
    match parameter:
        case Int(step=1):
            return int(value)
        case Float(step=None):
            # 12 digits, as in `Float.at`, so that keys do not depend on last bits.
            return min(max(float(f"{value:.12g}"), parameter.low), parameter.high)
        case Distribution():
            return parameter.at(value)
        case _:
            return parameter.level(int(value))


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]
