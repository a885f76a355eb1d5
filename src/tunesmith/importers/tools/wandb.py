"""Weights & Biases: sweep configurations in YAML or JSON."""

import math
from functools import partial
from typing import Any

from tunesmith.importers.commands import escaped, flags, program_words, put_command
from tunesmith.importers.draft import Candidate, Draft, study_name
from tunesmith.importers.python.values import are_equal, choices
from tunesmith.importers.ranges import MAX_EXPONENT, real, whole
from tunesmith.importers.refusal import Refusals, Refused
from tunesmith.importers.settings import Settings, sections
from tunesmith.importers.source import Source

METHODS = {"grid": "grid", "random": "random", "bayes": "bayesian"}
KEYS = ("min", "max", "value", "values", "distribution", "parameters", "mu", "sigma", "q")
ENDS = "W&B rounds: it draws the two end values half as often as the others"
LOG_ENDS = "W&B rounds: it draws the smallest and the largest value less often than here"
OUTSIDE = 12
"""Digits of bounds that W&B gives as exponents."""


def candidates(source: Source) -> list[Candidate]:
    """List the sweeps of a file."""
    return [
        Candidate("wandb", str(s.get("name") or source.path.stem), s.place, partial(_draft, s))
        for s in sections(source)
        if _is_sweep(s)
    ]


def _is_sweep(section: Settings) -> bool:
    parameters = section.get("parameters")
    if not isinstance(parameters, dict) or section.has("hyperparameters"):
        return False
    is_shaped = all(isinstance(v, dict) and set(v) & set(KEYS) for v in parameters.values())
    return is_shaped and (section.word("method") in METHODS or section.has("program"))


def _draft(sweep: Settings) -> Draft:
    source = sweep.source
    draft = Draft("W&B", f"{source.path}:{max(sweep.place[0], 1)}")
    draft.put(("study",), study_name(str(sweep.get("name") or source.path.stem)))
    method = sweep.word("method", "bayes")
    refusals = Refusals()
    with refusals.collecting():
        if method not in METHODS:
            raise Refused(f"`method: {method}` has no equal.", sweep["method"].place)
        _put_parameters(draft, sweep["parameters"], "", is_grid=method == "grid")
    refusals.done()
    _put_program(draft, sweep)
    _put_metric(draft, sweep)
    draft.put(("search", "method"), METHODS[method])
    _put_stop(draft, sweep, is_grid=method == "grid")
    if sweep.has("early_terminate"):
        draft.note(
            ("search",),
            "runs end by themselves: `early_terminate` has no equal until your program writes its"
            " values by step; then a `budget` stops weak ones early (docs/programs.md)",
        )
    return draft


def _put_parameters(draft: Draft, section: Settings, prefix: str, *, is_grid: bool) -> None:
    refusals = Refusals()
    for key, parameter in section.items():
        name = f"{prefix}{key}"
        with refusals.collecting():
            if isinstance(parameter.get("parameters"), dict):
                _put_parameters(draft, parameter["parameters"], f"{name}.", is_grid=is_grid)
                draft.note(("space",), "nested parameters have dots in their names here")
            elif parameter.has("value") or parameter.get("distribution") == "constant":
                value, notes = parameter["value"].plain()
                draft.fixed(name, value, *notes)
            else:
                definition, notes = _definition(parameter, is_grid=is_grid)
                draft.parameter(name, definition, parameter.place, *notes)
    refusals.done()


def _definition(parameter: Settings, *, is_grid: bool) -> tuple[Any, list[str]]:
    kind = parameter.word("distribution") or _kind(parameter)
    if kind.startswith("categorical"):
        weights = parameter["probabilities"].plain()[0] if parameter.has("probabilities") else ()
        if not is_grid and not are_equal(weights):
            raise Refused("choices with unequal `probabilities` have no equal.", parameter.place)
        values, notes = parameter.values("values")
        is_mixed = {type(v) for v in values} >= {bool, str}
        note = "W&B passes True and False; here the words are true and false"
        notes += [note] if is_mixed or any(isinstance(v, bool) for v in values) else []
        return choices(values, parameter.place), notes
    reader = READERS.get(kind)
    if reader is None:
        raise Refused(f"`distribution: {kind}` has no equal.", parameter.place)
    notes = [
        note for key in ("min", "max") if parameter.has(key) for note in parameter[key].plain()[1]
    ]
    definition, note = reader(parameter)
    return definition, [*notes, note]


def _kind(parameter: Settings) -> str:
    if parameter.has("values"):
        return "categorical"
    bounds = [parameter.get("min"), parameter.get("max")]
    if parameter.has("mu") or None in bounds:
        return "normal" if parameter.has("mu") else "unknown"
    return "int_uniform" if all(isinstance(bound, int) for bound in bounds) else "uniform"


def _bounds(parameter: Settings) -> tuple[float, float]:
    return parameter.number("min"), parameter.number("max")


def _uniform(parameter: Settings) -> tuple[Any, str]:
    low, high = _bounds(parameter)
    return real(low, high, parameter.place), ""


def _int_uniform(parameter: Settings) -> tuple[Any, str]:
    low, high = _bounds(parameter)
    return whole(low, high, parameter.place), ""


def _exp(exponent: float, parameter: Settings) -> float:
    if abs(exponent) > MAX_EXPONENT:
        raise Refused("`min`, `max` and `mu` are exponents of e here.", parameter.place)
    return float(f"{math.exp(exponent):.{OUTSIDE}g}")


def _log_uniform(parameter: Settings) -> tuple[Any, str]:
    low, high = _bounds(parameter)
    first, last = (_exp(bound, parameter) for bound in (low, high))
    note = f"`min` and `max` of W&B's `log_uniform` are exponents: e^{low:g} to e^{high:g}"
    return real(first, last, parameter.place, log=True), note


def _log_uniform_values(parameter: Settings) -> tuple[Any, str]:
    low, high = _bounds(parameter)
    return real(low, high, parameter.place, log=True), ""


def _inverse(parameter: Settings) -> tuple[Any, str]:
    low, high = _bounds(parameter)
    first, last = (_exp(-bound, parameter) for bound in (high, low))
    note = f"`inv_log_uniform` is the logarithmic scale from e^{-high:g} to e^{-low:g}"
    return real(first, last, parameter.place, log=True), note


def _quantized(parameter: Settings) -> tuple[Any, str]:
    low, high = _bounds(parameter)
    q = parameter.positive("q", 1)
    first, last = round(low / q) * q, round(high / q) * q
    if isinstance(q, int):
        return whole(first, last, parameter.place, step=q), ENDS
    first, last = (float(f"{bound:.12g}") for bound in (first, last))
    return real(first, last, parameter.place, step=q), ENDS


def _quantized_log(parameter: Settings) -> tuple[Any, str]:
    low, high = _bounds(parameter)
    if parameter.get("distribution") == "q_log_uniform":
        low, high = _exp(low, parameter), _exp(high, parameter)
    q = parameter.positive("q", 1)
    if q != 1:
        raise Refused("a log scale with steps has no equal.", parameter.place)
    return whole(round(low), round(high), parameter.place, log=True), LOG_ENDS


def _normal(parameter: Settings) -> tuple[Any, str]:
    mu, sigma = parameter.number("mu", 0), parameter.positive("sigma", 1)
    return {"scipy": "norm", "kwds": {"loc": float(mu), "scale": float(sigma)}}, ""


def _log_normal(parameter: Settings) -> tuple[Any, str]:
    mu, sigma = parameter.number("mu", 0), parameter.positive("sigma", 1)
    scale = _exp(mu, parameter)
    return {"scipy": "lognorm", "kwds": {"s": float(sigma), "scale": scale}}, ""


def _beta(parameter: Settings) -> tuple[Any, str]:
    a, b = parameter.positive("a", 1), parameter.positive("b", 1)
    return {"scipy": "beta", "kwds": {"a": float(a), "b": float(b)}}, ""


READERS = {
    "uniform": _uniform,
    "int_uniform": _int_uniform,
    "log_uniform": _log_uniform,
    "log_uniform_values": _log_uniform_values,
    "inv_log_uniform": _inverse,
    "inv_log_uniform_values": _log_uniform_values,
    "q_uniform": _quantized,
    "q_log_uniform": _quantized_log,
    "q_log_uniform_values": _quantized_log,
    "normal": _normal,
    "log_normal": _log_normal,
    "beta": _beta,
}


def _put_program(draft: Draft, sweep: Settings) -> None:
    program = sweep.get("program")
    given = sweep.get("command")
    names = draft.names
    if not isinstance(given, list):
        given = ["${env}", "${interpreter}", "${program}", "${args}"]
    items: list[str] = []
    for item in map(str, given):
        items += _macro(item, str(program or "train.py"), names, sweep)
    note = "" if program else "the sweep names no `program`: put yours here"
    why = ""
    if not any("${args" in str(item) for item in given):
        items += flags(names)
        why = "W&B hands no arguments over here; your program must take these options"
    put_command(draft, items, note, why)


def _macro(item: str, program: str, names: list[str], sweep: Settings) -> list[str]:
    macros = {
        "${env}": [],
        "/usr/bin/env": [],
        "env": [],
        "${interpreter}": ["python"],
        "${program}": program_words(program),
        "${args}": [f"--{escaped(name)}={{{name}}}" for name in names],
        "${args_no_hyphens}": [f"{escaped(name)}={{{name}}}" for name in names],
        "${args_json_file}": ["{params}"],
    }
    if item in macros:
        return macros[item]
    if "${args_no_boolean_flags}" in item:
        is_free = not any(_has_flag(parameter) for _, parameter in sweep["parameters"].items())
        if is_free:
            return macros["${args}"]
        raise Refused("truth values as bare flags have no equal.", sweep["command"].place)
    if "${" in item:
        raise Refused(f"`{item}` in `command` has no equal.", sweep["command"].place)
    return [escaped(item)]


def _has_flag(parameter: Settings) -> bool:
    values = [parameter.get("value"), *(parameter.get("values") or ())]
    return any(isinstance(value, bool) for value in values)


def _put_metric(draft: Draft, sweep: Settings) -> None:
    metric = sweep["metric"]
    name = metric.get("name") if isinstance(metric.data, dict) else None
    goal = metric.get("goal", "minimize") if isinstance(metric.data, dict) else "minimize"
    if goal not in ("minimize", "maximize"):
        raise Refused(f"`goal: {goal}` is no direction.", metric.place)
    note = "" if name else "the sweep names no metric: name one that your program computes"
    why = "" if metric.has("goal") else "the sweep names no goal: W&B's own is minimize"
    draft.metric(str(name or "loss"), goal, note, why)
    draft.put(
        ("objective", "metrics_file"),
        "metrics.json",
        "let your program write the metric there, too: what it logs to W&B is not read",
    )


def _put_stop(draft: Draft, sweep: Settings, *, is_grid: bool) -> None:
    if isinstance(sweep.get("run_cap"), int):
        draft.put(("stop", "trials"), sweep.get("run_cap"))
    elif not is_grid:
        note = "the sweep has no `run_cap`: its agents go on until you stop them"
        draft.put(("stop", "trials"), 100, note)
