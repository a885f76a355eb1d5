"""Hydra: sweeper sections of a configuration, and command lines with ``--multirun``."""

import shlex
from collections.abc import Iterator
from functools import partial
from typing import Any

from tunesmith.importers.commands import ASSIGNMENT, escaped, put_command
from tunesmith.importers.draft import Candidate, Draft, study_name
from tunesmith.importers.hydra_grammar import Choice, GrammarError, Interval, Range, parse
from tunesmith.importers.python.values import choices
from tunesmith.importers.ranges import real, whole
from tunesmith.importers.refusal import Place, Refusals, Refused
from tunesmith.importers.settings import Settings, sections
from tunesmith.importers.source import SHELL, Source

MULTIRUN = ("-m", "--multirun")
SAMPLERS = {"random": ("random", None), "grid": ("grid", None), "tpe": ("bayesian", "tpe")}
SAMPLERS |= {"cmaes": ("bayesian", "cmaes"), "nsgaii": ("bayesian", None)}
CLASSES = {"RandomSampler": "random", "GridSampler": "grid", "TPESampler": "tpe"}
CLASSES |= {"CmaEsSampler": "cmaes", "NSGAIISampler": "nsgaii"}
OTHERS = ("ax", "nevergrad")
N_TRIALS = 20
"""Number of trials of the Optuna sweeper, if a configuration names none."""


def candidates(source: Source) -> list[Candidate]:
    """List the sweeps of a configuration or of a shell script."""
    if source.suffix in SHELL:
        return [
            Candidate("hydra", f"line-{line}", (line, 1), partial(_of_command, source, line, words))
            for line, words in _commands(source.text)
        ]
    found = []
    for section in sections(source):
        sweeper = _sweeper(section)
        if sweeper is not None:
            convert = partial(_of_config, section, sweeper)
            found.append(Candidate("hydra", source.path.stem, sweeper.place, convert))
    return found


def _sweeper(section: Settings) -> Settings | None:
    for sweeper in (section["hydra"]["sweeper"], section["sweeper"], section):
        if isinstance(sweeper.data, dict):
            is_own = "sweeper" in str(sweeper.get("_target_", "")).lower()
            if any(isinstance(sweeper.get(key), dict) for key in ("params", "search_space")) and (
                is_own or (sweeper is not section and sweeper.path)
            ):
                return sweeper
            if is_own and sweeper is not section and sweeper.path:
                return sweeper
            if isinstance(sweeper.get("ax_config"), dict):
                return sweeper
    return None


def _defaults(section: Settings) -> dict[str, str]:
    """Return the choices of the defaults list, by group."""
    chosen: dict[str, str] = {}
    for part in section["defaults"].parts():
        if isinstance(part.data, dict):
            for key, value in part.data.items():
                chosen[str(key).removeprefix("override ").strip().lstrip("/")] = str(value)
    return chosen


def _kind(section: Settings, sweeper: Settings) -> str:
    target = str(sweeper.get("_target_", "")).lower()
    named = _defaults(section).get("hydra/sweeper", "")
    for kind in ("optuna", *OTHERS):
        if kind in target or kind in named:
            return kind
    is_optuna = any(
        sweeper.has(key) for key in ("n_trials", "sampler", "direction", "search_space")
    )
    if sweeper.has("ax_config"):
        return "ax"
    return "optuna" if is_optuna else named or "basic"


def _of_config(section: Settings, sweeper: Settings) -> Draft:
    source, kind = section.source, _kind(section, sweeper)
    draft = Draft("Hydra", f"{source.path}:{max(sweeper.place[0], 1)}")
    draft.put(("study",), study_name(source.path.stem))
    if kind not in ("optuna", "basic"):
        raise Refused(f"the sweeper `{kind}` has no equal.", sweeper.place)
    if not (sweeper.get("params") or sweeper.get("search_space")):
        raise Refused("the sweeper has no `params`; the command line may name them.", sweeper.place)
    if isinstance(sweeper.get("params"), str):
        raise Refused("`params` are in another file.", sweeper["params"].place)
    if sweeper.get("custom_search_space"):
        raise Refused("`custom_search_space` is code.", sweeper["custom_search_space"].place)
    sampler = _sampler(section, sweeper) if kind == "optuna" else "grid"
    refusals = Refusals()
    with refusals.collecting():
        if isinstance(sweeper.get("params"), dict):
            for key, value in sweeper["params"].items():
                with refusals.collecting():
                    _put(draft, key, _read(value), value.place, is_optuna=kind == "optuna")
        else:
            for key, value in sweeper["search_space"].items():
                with refusals.collecting():
                    _put_old(draft, key, value)
    refusals.done()
    _put_program(draft, ["python", "train.py"], "name the program that this configuration is for")
    _put_metrics(draft, section, sweeper)
    if kind == "optuna":
        _put_optuna(draft, sweeper, sampler)
    else:
        draft.put(("search", "method"), "grid")
    return draft


def _read(value: Settings) -> Any:
    """Read a sweep as text, or a plain value."""
    if not isinstance(value.data, str):
        return value.data
    try:
        return parse(value.data)
    except (GrammarError, TypeError, ValueError, KeyError) as error:
        raise Refused(f"`{value.data}`: {error}.", value.place) from None


def _put(draft: Draft, key: str, value: Any, place: Place, *, is_optuna: bool) -> None:
    """Add a parameter, or a fixed value."""
    note = ""
    if isinstance(value, Choice):
        definition: Any = choices(list(value.values), place)
    elif isinstance(value, Range):
        definition, note = _ranged(value, place, is_optuna=is_optuna)
    elif isinstance(value, Interval):
        if not is_optuna:
            raise Refused("the basic sweeper takes no `interval`.", place)
        numbers = (value.start, value.end)
        is_whole = all(isinstance(n, int) and not isinstance(n, bool) for n in numbers)
        make = whole if is_whole else real
        definition = make(*numbers, place, log="log" in value.tags)
    else:
        draft.fixed(key, value)
        return
    draft.parameter(key, definition, place, note)


def _ranged(value: Range, place: Place, *, is_optuna: bool) -> tuple[Any, str]:
    numbers = (value.start, value.stop, value.step)
    if is_optuna and not value.is_shuffled:
        note = "Hydra's Optuna sweeper takes `stop` in, unlike its other sweepers"
        if all(isinstance(n, int) for n in numbers):
            return whole(value.start, value.stop, place, step=value.step), note
        return real(value.start, value.stop, place, step=value.step), note
    listed, current = [], value.start
    while (current < value.stop) if value.step > 0 else (current > value.stop):
        listed.append(current)
        current += value.step
        if value.step == 0 or len(listed) > 10_000:
            raise Refused("the range has too many values.", place)
    return choices(listed, place), ""


def _put_old(draft: Draft, key: str, section: Settings) -> None:
    """Add a parameter of ``search_space``, the older form of the Optuna sweeper."""
    kind, place = section.get("type"), section.place
    if kind == "categorical":
        draft.parameter(key, choices(section["choices"].plain()[0], place), place)
        return
    if kind not in ("int", "float"):
        raise Refused(f"`type: {kind}` has no equal.", place)
    low, high, is_log = section.number("low"), section.number("high"), bool(section.get("log"))
    step = section.number("step") if section.get("step") is not None and not is_log else None
    if kind == "int":
        definition = whole(int(low), int(high), place, log=is_log, step=step or 1)
    else:
        definition = real(low, high, place, log=is_log, step=step)
    draft.parameter(key, definition, place)


def _sampler(section: Settings, sweeper: Settings) -> str:
    sampler = sweeper["sampler"]
    target = sampler.get("_target_") if isinstance(sampler.data, dict) else None
    if target is not None:
        name = str(target).rpartition(".")[2]
        if name not in CLASSES:
            raise Refused(f"the sampler `{name}` has no equal.", sampler.place)
        return CLASSES[name]
    named = _defaults(section)
    name = named.get("hydra/sweeper/sampler", named.get("sampler", "tpe"))
    if name not in SAMPLERS:
        raise Refused(f"the sampler `{name}` has no equal.", section["defaults"].place)
    return name


def _put_optuna(draft: Draft, sweeper: Settings, sampler: str) -> None:
    method, model = SAMPLERS[sampler]
    if method == "grid":
        # Of a range, the sweeper's grid leaves the last value out.
        for name, definition in draft.content["space"].items():
            if isinstance(definition, dict):
                message = f"`{name}`: the sweeper's grid of ranges has no equal; list its values."
                raise Refused(message, draft.place(("space", name)))
    note = "NSGA-II has no equal: Bayesian search takes its place" if sampler == "nsgaii" else ""
    draft.put(("search", "method"), method, note)
    if model:
        draft.put(("search", "sampler"), model)
    seed = sweeper["sampler"].get("seed") if isinstance(sweeper.get("sampler"), dict) else None
    if isinstance(seed, int) and not isinstance(seed, bool):
        draft.put(("search", "seed"), seed)
    trials = sweeper.get("n_trials")
    if isinstance(trials, int):
        draft.put(("stop", "trials"), trials)
    else:
        why = f"the sweeper names no `n_trials`: its own number is {N_TRIALS}"
        draft.put(("stop", "trials"), N_TRIALS, why)
    workers = sweeper.get("n_jobs")
    if isinstance(workers, int) and workers > 0:
        draft.put(("execution", "workers"), workers)


def _put_metrics(draft: Draft, section: Settings, sweeper: Settings) -> None:
    directions = sweeper.get("direction", "minimize")
    directions = directions if isinstance(directions, list) else [directions]
    name = section.get("optimized_metric")
    note = "" if isinstance(name, str) else "the value that your program returns to Hydra: name it"
    for index, direction in enumerate(directions):
        if direction not in ("minimize", "maximize"):
            raise Refused(f"`direction: {direction}` is none.", sweeper["direction"].place)
        made = "value" if len(directions) == 1 else f"value_{index}"
        draft.metric(name if isinstance(name, str) else made, direction, note)
    if not sweeper.has("direction"):
        draft.note(("objective", "metric"), "no direction is named here: minimize is Hydra's own")
    draft.put(
        ("objective", "metrics_file"),
        "metrics.json",
        "let your program write the metric there; what it returns to Hydra is not read",
    )


def _put_program(draft: Draft, words: list[str], *notes: str) -> None:
    put_command(draft, words, *notes)
    draft.put(("objective", "overrides"), "hydra")


# -- command lines -------------------------------------------------------------------------------


def _commands(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the commands with ``--multirun``: line and words; lines that go on are joined."""
    lines = text.splitlines()
    index = 0
    while index < len(lines):
        first, line = index, lines[index]
        while line.rstrip().endswith("\\") and index + 1 < len(lines):
            index += 1
            line = f"{line.rstrip()[:-1]} {lines[index]}"
        index += 1
        try:
            words = shlex.split(line.strip().removeprefix("$ "), comments=True)
        except ValueError:
            continue
        own = [word for word in words if not ASSIGNMENT.match(word)]
        has_program = any(word.endswith(".py") for word in words) or "python" in own[:1]
        if has_program and any(word in MULTIRUN for word in words[1:]) and _overrides(words):
            yield first + 1, words


def _overrides(words: list[str]) -> list[str]:
    program = next((i for i, word in enumerate(words) if not ASSIGNMENT.match(word)), 0)
    behind = words[program + 1 :]
    return [w for w in behind if "=" in w and not w.startswith("-") and w[0] not in "=/"]


def _of_command(source: Source, line: int, words: list[str]) -> Draft:
    draft = Draft("Hydra", f"{source.path}:{line}")
    draft.put(("study",), study_name(source.path.stem))
    overrides = _overrides(words)
    place = (line, 1)
    # Hydra's own sweeper takes no intervals.
    sampler = "optuna" if any("interval(" in override for override in overrides) else ""
    trials = N_TRIALS
    direction, others = "minimize", []
    refusals = Refusals()
    for override in overrides:
        key, _, text = override.partition("=")
        if key == "hydra/sweeper":
            sampler = text if sampler in ("", "optuna") else sampler
        elif key == "hydra/sweeper/sampler":
            sampler = f"optuna:{text}"
        elif key == "hydra.sweeper.n_trials":
            trials = int(text) if text.isdigit() else trials
        elif key == "hydra.sweeper.direction":
            direction = text
        elif key.startswith("hydra"):
            others.append(override)
        else:
            with refusals.collecting():
                value = _value(text, override, place)
                _put(draft, key, value, place, is_optuna=bool(sampler))
    refusals.done()
    _finish(draft, words, overrides, sampler, others)
    draft.metric("value", direction, "the value that your program returns to Hydra: name it")
    draft.put(("objective", "metrics_file"), "metrics.json", "let your program write it there")
    if sampler:
        draft.put(("stop", "trials"), trials)
    return draft


def _value(text: str, override: str, place: Place) -> Any:
    if "$" in text:
        raise Refused(f"`{override}`: a variable of the shell is known only there.", place)
    try:
        return parse(text)
    except (GrammarError, TypeError, ValueError, KeyError) as error:
        raise Refused(f"`{override}`: {error}.", place) from None


def _finish(
    draft: Draft, words: list[str], overrides: list[str], sampler: str, others: list[str]
) -> None:
    kind, _, name = sampler.partition(":")
    if kind not in ("", "basic", "optuna"):
        raise Refused(
            f"the sweeper `{kind}` has no equal.", (int(draft.origin.rpartition(":")[2]), 1)
        )
    left = [escaped(w) for w in words if w not in MULTIRUN and w not in overrides]
    _put_program(draft, left)
    if others:
        draft.note(
            ("objective", "command"), f"left out, as it is for the sweep: {' '.join(others)}"
        )
    method, model = SAMPLERS.get(name or "tpe", ("bayesian", None)) if sampler else ("grid", None)
    is_named = any(override.startswith("hydra/sweeper=") for override in overrides)
    own = (
        "an interval is for Optuna's sweeper" if sampler else "Hydra's own tries every combination"
    )
    draft.put(
        ("search", "method"), method, "" if is_named else f"the command names no sweeper: {own}"
    )
    if model:
        draft.put(("search", "sampler"), model)
