"""Determined: experiment configurations."""

import math
import shlex
from functools import partial
from typing import Any

from tunesmith.importers.commands import escaped, flags, put_command, put_program
from tunesmith.importers.draft import Candidate, Draft, study_name
from tunesmith.importers.python.values import choices
from tunesmith.importers.ranges import powers, real, whole
from tunesmith.importers.refusal import Refusals, Refused
from tunesmith.importers.settings import Settings, sections
from tunesmith.importers.source import Source

TYPES = ("const", "int", "double", "log", "categorical")
METHODS = {
    "random": "random",
    "grid": "grid",
    "adaptive_asha": "random",
    "adaptive_simple": "random",
    "adaptive": "random",
    "async_halving": "random",
    "sync_halving": "random",
}
MAX_COUNT = 10_000


def candidates(source: Source) -> list[Candidate]:
    """List the experiments of a file."""
    return [
        Candidate("determined", str(s.get("name") or source.path.stem), s.place, partial(_draft, s))
        for s in sections(source)
        if s.has("hyperparameters") and isinstance(s.get("searcher"), dict)
    ]


def _draft(experiment: Settings) -> Draft:
    source, searcher = experiment.source, experiment["searcher"]
    draft = Draft("Determined", f"{source.path}:{max(experiment.place[0], 1)}")
    draft.put(("study",), study_name(str(experiment.get("name") or source.path.stem)))
    name = str(searcher.get("name"))
    if name == "single":
        raise Refused("`name: single` trains once: there is no search.", searcher["name"].place)
    if name not in METHODS:
        raise Refused(f"the searcher `{name}` has no equal.", searcher["name"].place)
    _put_parameters(draft, experiment["hyperparameters"], "", is_grid=name == "grid")
    _put_entrypoint(draft, experiment)
    metric = searcher.get("metric")
    if not isinstance(metric, str):
        raise Refused("the searcher names no metric.", searcher.place)
    is_smaller = searcher.get("smaller_is_better", True)
    why = "" if searcher.has("smaller_is_better") else "Determined's own direction is minimize"
    draft.metric(metric, "minimize" if is_smaller else "maximize", why)
    draft.put(
        ("objective", "metrics_file"),
        "metrics.json",
        "let your program write the metric there; what it reports to Determined is not read",
    )
    _put_search(draft, searcher, name)
    return draft


def _put_parameters(draft: Draft, section: Settings, prefix: str, *, is_grid: bool) -> None:
    refusals = Refusals()
    for key, parameter in section.items():
        name = f"{prefix}{key}"
        with refusals.collecting():
            if not isinstance(parameter.data, dict):
                value, notes = parameter.plain()
                draft.fixed(name, value, *notes)
            elif parameter.get("type") not in TYPES:
                _put_parameters(draft, parameter, f"{name}.", is_grid=is_grid)
                draft.note(("space",), "nested parameters have dots in their names here")
            elif parameter.get("type") == "const":
                value, notes = parameter["val"].plain()
                draft.fixed(name, value, *notes)
            else:
                definition, notes = _definition(parameter, is_grid=is_grid)
                draft.parameter(name, definition, parameter.place, *notes)
    refusals.done()


def _definition(parameter: Settings, *, is_grid: bool) -> tuple[Any, list[str]]:
    kind, place = parameter["type"].data, parameter.place
    if kind == "categorical":
        values, notes = parameter.values("vals")
        return choices(values, place), notes
    low, high = parameter.number("minval"), parameter.number("maxval")
    base = parameter.number("base") if parameter.has("base") else 10
    if is_grid:
        count = parameter.number("count")
        if not 1 <= count <= MAX_COUNT:
            raise Refused(f"`count` must be from 1 to {MAX_COUNT:,} (found {count}).", place)
        if kind == "log":
            powers(base, low, high, place)
        return _points(kind, low, high, int(count), base), [f"the {count:g} points of the grid"]
    if kind == "int":
        # The searcher draws `minval + Intn(maxval - minval)`.
        note = f"Determined draws whole numbers below `maxval`: {high - 1:g} is the largest"
        return whole(low, high - 1, place), [note]
    if kind == "double":
        return real(low, high, place), []
    first, last = powers(base, low, high, place)
    note = f"`minval` and `maxval` of type `log` are exponents of {base:g}"
    return real(first, last, place, log=True), [note]


def _points(kind: str, low: float, high: float, count: int, base: float) -> list[Any]:
    """Points of a grid, both ends included."""
    if kind == "int":
        count = min(count, int(high - low) + 1)
    places = [0.5] if count == 1 else [index / (count - 1) for index in range(count)]
    values = [low + place * (high - low) for place in places]
    if kind == "int":
        # Away from zero, as Go rounds.
        return [int(math.copysign(math.floor(abs(value) + 0.5), value)) for value in values]
    if kind == "log":
        values = [base**value for value in values]
    return [float(f"{value:.12g}") for value in values]


def _put_entrypoint(draft: Draft, experiment: Settings) -> None:
    entry = experiment.get("entrypoint")
    words: list[str] = []
    if isinstance(entry, list):
        words = [str(word) for word in entry]
    elif isinstance(entry, str):
        try:
            words = shlex.split(entry)
        except ValueError:
            words = []
    is_program = any(word.endswith((".py", ".sh")) for word in words)
    note = "your program must take these options: it got its hyperparameters from Determined"
    if not is_program:
        put_program(draft, None, f"name the program that trains your model; {note}")
        return
    put_command(draft, [*map(escaped, words), *flags(draft.names)], note)


def _put_search(draft: Draft, searcher: Settings, name: str) -> None:
    draft.put(("search", "method"), METHODS[name])
    if "adaptive" in name or "halving" in name:
        draft.note(
            ("search",),
            f"Determined's `{name}` draws at random, too, and stops weak trials early; they run to"
            " their end here, until you set a `budget` (docs/programs.md)",
        )
    trials = searcher.get("max_trials")
    if isinstance(trials, int):
        draft.put(("stop", "trials"), trials)
    elif name != "grid":
        draft.put(("stop", "trials"), 100, "the searcher has no `max_trials`: choose a number")
    workers = searcher.get("max_concurrent_trials")
    if isinstance(workers, int) and workers > 0:
        draft.put(("execution", "workers"), workers)
