"""Katib: experiments, as Kubernetes reads them."""

import math
import re
from functools import partial
from typing import Any

from tunesmith.importers.commands import escaped, put_command, put_program
from tunesmith.importers.draft import Candidate, Draft, study_name
from tunesmith.importers.python.values import choices
from tunesmith.importers.ranges import finite, real, whole
from tunesmith.importers.refusal import Place, Refusals, Refused
from tunesmith.importers.settings import Settings, sections
from tunesmith.importers.source import Source

METHODS = {
    "random": ("random", None),
    "grid": ("grid", None),
    "tpe": ("bayesian", "tpe"),
    "multivariate-tpe": ("bayesian", "tpe"),
    "bayesianoptimization": ("bayesian", "gp"),
    "skopt-bayesian-optimization": ("bayesian", "gp"),
    "cmaes": ("bayesian", "cmaes"),
    "sobol": ("bayesian", "sobol"),
    "hyperband": ("random", None),
}
ROUNDING = ("random", "tpe")
"""Algorithms that hyperopt carries out: it draws a number and rounds it."""
ENDS = "Katib rounds: it draws the two end values half as often as the others"
REFERENCE = re.compile(r"\$\{trialParameters\.([^}]+)\}")
NUMBER = r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?)"


OLD = "StudyJob"


def candidates(source: Source) -> list[Candidate]:
    """List the experiments of a file."""
    return [
        Candidate("katib", _name(s), s.place, partial(_draft, s))
        for s in sections(source)
        if s.get("kind") in ("Experiment", OLD) and "kubeflow" in str(s.get("apiVersion", ""))
    ]


def _name(section: Settings) -> str:
    metadata = section["metadata"]
    return str(metadata.get("name") or metadata.get("generateName") or "experiment").strip("-")


def _draft(experiment: Settings) -> Draft:
    spec, source = experiment["spec"], experiment.source
    if experiment.get("kind") == OLD:
        message = f"`kind: {OLD}` is of Katib before v1alpha3, and is not read."
        raise Refused(message, experiment["kind"].place)
    draft = Draft("Katib", f"{source.path}:{max(experiment.place[0], 1)}")
    draft.put(("study",), study_name(_name(experiment)))
    if spec.has("nasConfig"):
        message = "the search of architectures (`nasConfig`) has no equal."
        raise Refused(message, spec["nasConfig"].place)
    algorithm = spec["algorithm"]
    name = str(algorithm.get("algorithmName", "random"))
    if name not in METHODS:
        raise Refused(f"the algorithm `{name}` has no equal.", algorithm.place)
    refusals = Refusals()
    for parameter in spec["parameters"].parts():
        with refusals.collecting():
            definition, notes = _definition(parameter, name)
            own = str(parameter.get("name"))
            if own.startswith("-"):
                notes = [*notes, f"`{own}` in Katib, which writes the option as the name"]
            draft.parameter(_plain(own), definition, parameter.place, *notes)
    refusals.done()
    if name == "hyperband":
        _put_budget(draft, algorithm)
    _put_objective(draft, spec["objective"])
    _put_template(draft, spec["trialTemplate"])
    _put_search(draft, spec, name)
    return draft


def _plain(name: str) -> str:
    """Return a name without the dashes of an option, as older experiments have them."""
    return name.lstrip("-")


def _definition(parameter: Settings, algorithm: str) -> tuple[Any, list[str]]:
    kind, space, place = parameter.get("parameterType"), parameter["feasibleSpace"], parameter.place
    if kind == "categorical":
        return choices([str(_text(v)) for v in _listed(space)], place), []
    if kind == "discrete":
        return choices([_as_number(v, place) for v in _listed(space)], place), []
    if kind not in ("int", "double"):
        raise Refused(f"`parameterType: {kind}` has no equal.", place)
    low, high = space.number("min"), space.number("max")
    step = space.positive("step") if space.get("step") not in (None, "") else None
    scale = space.get("distribution") or "uniform"
    if scale in ("normal", "logNormal"):
        return _normal(low, high, step, scale, parameter), []
    if scale not in ("uniform", "logUniform"):
        raise Refused(f"`distribution: {scale}` has no equal.", place)
    is_log = scale == "logUniform"
    note = ENDS if algorithm in ROUNDING and (kind == "int" or step is not None) else ""
    if note and step is not None and not math.isclose(low / step, round(low / step)):
        message = f"Katib rounds to multiples of {step:g}, which do not begin at `min: {low:g}`."
        raise Refused(message, place)
    if kind == "int":
        return whole(low, high, place, log=is_log, step=1 if step is None else step), [note]
    return real(low, high, place, log=is_log, step=step), [note]


def _listed(space: Settings) -> list[Any]:
    found = space.get("list")
    return found if isinstance(found, list) else []


def _normal(low: float, high: float, step: Any, scale: str, parameter: Settings) -> Any:
    if step is not None or parameter.get("parameterType") == "int":
        raise Refused("a rounded normal distribution has no equal.", parameter.place)
    if scale == "normal":
        kwds = {"loc": (low + high) / 2, "scale": (high - low) / 6}
        return {"scipy": "norm", "kwds": kwds}
    if not 0 < low < high:
        raise Refused("a log scale needs bounds above 0, the lower one first.", parameter.place)
    mean = (math.log(low) + math.log(high)) / 2
    spread = (math.log(high) - math.log(low)) / 6
    return {"scipy": "lognorm", "kwds": {"s": spread, "scale": math.exp(mean)}}


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _as_number(value: Any, place: tuple[int, int]) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Refused(f"{value!r} is no number.", place) from None
    is_whole = number.is_integer() and not (isinstance(value, str) and "." in value)
    return int(number) if is_whole and not isinstance(value, float) else number


def _settings(algorithm: Settings) -> dict[str, str]:
    return {str(s.get("name")): str(s.get("value")) for s in algorithm["algorithmSettings"].parts()}


def _put_budget(draft: Draft, algorithm: Settings) -> None:
    settings = _settings(algorithm)
    name, largest = _plain(settings.get("resource_name", "")), settings.get("r_l", "")
    if name not in draft.content["space"] or not largest.replace(".", "").isdigit():
        message = "hyperband names no resource (`resource_name`, `r_l`) among the parameters."
        raise Refused(message, algorithm.place)
    del draft.content["space"][name]
    place = algorithm.place
    section = {"parameter": name, "max": _whole(largest, place), "rule": "hyperband"}
    if settings.get("eta", "").replace(".", "").isdigit():
        section["factor"] = _whole(settings["eta"], place)
    draft.put(("budget",), section, "the resource of Katib's hyperband, with its largest value")


def _whole(digits: str, place: Place) -> int:
    try:
        return int(finite(float(digits), "a setting of hyperband", place))
    except ValueError:
        raise Refused(f"{digits} is no number.", place) from None


def _put_objective(draft: Draft, objective: Settings) -> None:
    name = str(objective.get("objectiveMetricName") or "loss")
    direction = objective.get("type")
    if direction not in ("minimize", "maximize"):
        raise Refused(f"`type: {direction}` is no direction.", objective.place)
    draft.metric(name, direction)
    best = "largest" if direction == "maximize" else "smallest"
    draft.put(
        ("objective", "metrics_pattern"),
        rf"(?:^|[^\w-]){re.escape(name)}\s*=\s*{NUMBER}",
        f"as Katib's collector reads `{name}=0.9`; here the last match counts, there the {best}",
    )
    goal = objective.get("goal")
    if isinstance(goal, int | float) and not isinstance(goal, bool):
        draft.put(("stop", "target"), goal)
    if objective.get("additionalMetricNames"):
        draft.note(("objective", "metric"), "`additionalMetricNames` are not taken over")


def _put_template(draft: Draft, template: Settings) -> None:
    references = {
        str(p.get("name")): _plain(str(p.get("reference")))
        for p in template["trialParameters"].parts()
    }
    words = _words(template["trialSpec"])
    known = [*draft.content["space"], draft.content.get("budget", {}).get("parameter")]
    if words is None or not any(REFERENCE.search(word) for word in words):
        note = "the template's command cannot be read: write the one of your program"
        put_program(draft, None, note)
        return
    items = [_filled(word, references, known, template) for word in words]
    note = "the command of the template's container: let it run in your project's folder"
    put_command(draft, items, note)


def _filled(word: str, references: dict[str, str], known: list[Any], template: Settings) -> str:
    parts, end = [], 0
    for match in REFERENCE.finditer(word):
        name = references.get(match[1], match[1])
        if name not in known:
            message = f"`{match[0]}` stands for no parameter of the experiment."
            raise Refused(message, template.place)
        parts += [escaped(word[end : match.start()]), f"{{{name}}}"]
        end = match.end()
    return "".join([*parts, escaped(word[end:])])


def _words(spec: Settings) -> list[str] | None:
    """Return command and arguments of the first container that has a command."""
    waiting = [spec.data]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, dict):
            containers = node.get("containers")
            for container in containers if isinstance(containers, list) else ():
                if isinstance(container, dict) and isinstance(container.get("command"), list):
                    given = container.get("args")
                    arguments = given if isinstance(given, list) else []
                    return [str(word) for word in (*container["command"], *arguments)]
            waiting += list(node.values())
        elif isinstance(node, list):
            waiting += node
    return None


def _put_search(draft: Draft, spec: Settings, name: str) -> None:
    method, sampler = METHODS[name]
    draft.put(("search", "method"), method)
    if sampler is not None:
        draft.put(("search", "sampler"), sampler)
    seed = _settings(spec["algorithm"]).get("random_state", "")
    if seed.isdigit():
        draft.put(("search", "seed"), int(seed))
    trials = spec.get("maxTrialCount")
    if isinstance(trials, int):
        draft.put(("stop", "trials"), trials)
    elif method != "grid":
        draft.put(("stop", "trials"), 100, "the experiment has no `maxTrialCount`: choose a number")
    workers = spec.get("parallelTrialCount")
    if isinstance(workers, int) and workers > 0:
        draft.put(("execution", "workers"), workers, "Katib ran so many pods at a time")
    if spec.has("earlyStopping"):
        draft.note(
            ("search",),
            "trials run to their end: `earlyStopping` has no equal until your program writes its"
            " values by step; then a `budget` stops weak ones early (docs/programs.md)",
        )
