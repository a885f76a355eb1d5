"""Words for the end of a study, as its section ``stop`` asks for it."""

from collections.abc import Iterator, Sequence

from tunesmith.config.stop import StopSection
from tunesmith.runs.progress import counted, duration
from tunesmith.search.criteria.scores import SETTLED


def ending(stop: StopSection, metrics: Sequence[str]) -> str:
    """Describe when a study ends; empty if a number of trials or its space alone decides.

    Args:
        stop: the section.
        metrics: names of those that decide.
    """
    is_plain = stop.model_fields_set <= {"trials", "first_failures"} and not stop.registered
    return "" if is_plain else described(stop, metrics)


def described(stop: StopSection, metrics: Sequence[str]) -> str:
    """Describe the events of which the first ends a study."""
    return " or ".join(_parts(stop, metrics))


def _parts(stop: StopSection, metrics: Sequence[str]) -> Iterator[str]:
    if stop.trials is not None:
        yield counted(stop.trials, "trial")
    if stop.fits is not None:
        yield f"{stop.fits:,} scores of folds"
    if stop.time is not None:
        yield f"{duration(stop.time)} of a run"
    yield from _by_scores(stop, metrics)
    yield from (f"{name}: {value}" for name, value in stop.registered.items())
    yield from (text for part in stop.any if (text := described(part, metrics)))
    if stop.all:
        together = [f"({text})" if " or " in text else text for text in _each(stop.all, metrics)]
        yield f"({' and '.join(together)})" if len(together) > 1 else together[0]


def _each(parts: Sequence[StopSection], metrics: Sequence[str]) -> list[str]:
    return [described(part, metrics) or "nothing" for part in parts]


def _by_scores(stop: StopSection, metrics: Sequence[str]) -> Iterator[str]:
    is_single = len(metrics) == 1
    front = f"the Pareto front of {', '.join(metrics)}"
    if stop.target is not None:
        targets = stop.target if isinstance(stop.target, dict) else {metrics[0]: stop.target}
        listed = " and ".join(f"{name} {score:g}" for name, score in targets.items())
        settles = not (is_single or isinstance(stop.target, dict))
        rest = f", once {SETTLED} in a row bring nothing new onto {front}" if settles else ""
        yield f"a trial that reaches {listed}{rest}"
    if stop.patience is not None:
        gain = f"a better {metrics[0]}" if is_single else f"a new one on {front}"
        yield f"{counted(stop.patience, 'trial')} in a row without {gain}"
    if stop.convergence is not None:
        what = f"the best {metrics[0]}" if is_single else front
        window = stop.convergence.window
        yield f"{counted(window, 'trial')} that move {what} by less than the noise of the folds"
    if stop.further_gain is not None:
        n = stop.further_gain.trials
        yield f"a forecast that {counted(n, 'further trial')} would gain too little"
