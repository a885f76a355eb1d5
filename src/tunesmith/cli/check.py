"""``tunesmith check``."""

import json
import shlex
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.options import (
    config_option,
    find_config,
    json_option,
    pointing_into,
    print_json,
    telling_all,
)
from tunesmith.cli.common.streams import show
from tunesmith.config.yaml12 import core_scalar
from tunesmith.system.quick_imports import importing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunesmith.config.model import Definition
    from tunesmith.runs.plan.run_plan import RunPlan
    from tunesmith.types import OutcomeConstraint


@click.command("check")
@config_option
@json_option
@click.option("--anew", is_flag=True, help="Check again, even if nothing has changed.")
def command(config: Path | None, *, as_json: bool, anew: bool) -> None:
    """Validate the configuration and the data, and show what a run would evaluate.

    Imports and runs no code of your project. If nothing has changed since the last check, its
    answer is shown again, with its time.
    """
    path = find_config(config)
    # Most of the time goes into imports, and what the plan leaves behind is small.
    # The inner one adds places to a mistake, and the outer one then adds the other mistakes.
    with importing(), telling_all(path), pointing_into(path):
        from tunesmith.config.load import load_definition
        from tunesmith.runs.plan.earlier_check import EarlierCheck

        definition = load_definition(path)
        earlier = EarlierCheck(definition, path)
        # Before the plan: what changes while it is made must not pass for unchanged.
        signature = earlier.signature()
        known = None if anew else earlier.answer(signature)
        if known is None:
            text, content = _planned(path, definition)
            earlier.put(signature, text, content)
        else:
            text, content = known.text, known.content
    made = None if known is None else known.made
    if as_json:
        print_json("plan", {**content, "checked_before": made})
    else:
        show(text if made is None else f"{text}\n{_before(path, made)}")


def _planned(path: Path, definition: "Definition") -> tuple[str, dict[str, object]]:
    """Make the plan, and return its text and its JSON content."""
    from tunesmith.runs.plan.planner import plan_run

    plan = plan_run(definition)
    return _text(path, plan), _content(plan)


def _before(path: Path, made: str) -> str:
    """Say that an answer is an earlier one."""
    time = datetime.fromisoformat(made).astimezone()
    return (
        f"Nothing has changed since this was checked ({time:%Y-%m-%d %H:%M:%S});"
        f" `tunesmith check{_naming(path)} --anew` checks it again."
    )


def _content(plan: "RunPlan") -> dict[str, object]:
    file = plan.definition.file
    return {
        "study": file.study,
        "method": file.search.method,
        "subject_to": list(file.objective.subject_to),
        "space": plan.definition.space.to_json(),
        "n_points": plan.n_points,
        "n_trials": plan.n_trials,
        "ends": plan.ends or None,
        "n_folds": plan.n_folds,
        "n_scores": plan.n_scores,
        "n_fits": plan.n_fits,
        "n_curve": plan.n_curve,
        "window": plan.window,
        "race": plan.race or None,
        "confirm": plan.confirm and {"n_fits": plan.confirm.n_fits, "text": plan.confirm.text},
        "predictions": plan.predictions or None,
        "start": [{"origin": origin, "params": dict(params)} for origin, params in plan.start],
        "n_workers": plan.n_workers,
        "n_told": plan.n_completed,
        "n_known": plan.n_known,
        "n_known_first": plan.n_known_first,
        "not_shared": list(plan.not_shared),
        "notes": list(plan.notes),
        "project_code": list(plan.project_code),
        "leaks": [sign.content for sign in plan.leaks],
        "program": _program(plan),
        "budget": _budget(plan),
    }


def _program(plan: "RunPlan") -> dict[str, object] | None:
    objective = plan.definition.file.objective
    if not objective.is_program:
        return None
    return {
        "command": list(objective.argv),
        "workspace": objective.workspace.mode,
        "notes": list(plan.notes),
    }


def _budget(plan: "RunPlan") -> dict[str, object] | None:
    budget = plan.definition.file.budget
    if budget is None:
        return None
    forecast = plan.forecast and asdict(plan.forecast)
    content = {**budget.model_dump(mode="json"), "budgets": list(plan.budgets)}
    return {**content, "forecast": forecast}


def _text(path: Path, plan: "RunPlan") -> str:
    file = plan.definition.file
    rows = [
        ("study", f"{file.study} ({file.search.method} search, seed {file.search.seed})"),
        ("metric", ", ".join(metric.name for metric in file.objective.metric)),
        *_constraint_rows(file.objective.constraints),
        ("space", _space(plan)),
        ("trials", _trials(plan)),
        *([("ends", plan.ends)] if plan.ends else []),
        ("folds", _folds(plan)),
        ("fits", _fits(plan)),
        ("known", _known(plan)),
    ]
    if plan.n_curve > 1:
        text = f"each trial is the best of all that its fits score, up to {plan.n_curve:,} points"
        if plan.read_off:
            names = ", ".join(f"`{name}`" for name in plan.read_off)
            text += f"; {names} {'is' if len(plan.read_off) == 1 else 'are'} read off, not searched"
        rows.insert(-1, ("curves", text))
    if plan.window is not None:
        rows.append(("look-ahead", _look_ahead(plan)))
    if plan.race:
        rows.append(("race", plan.race))
    after = {"confirm": plan.confirm.text if plan.confirm else "", "predicted": plan.predictions}
    rows += [(name, text) for name, text in after.items() if text]
    rows += _start_rows(plan)
    from tunesmith.reporting.escape import one_line

    rows += _sharing_rows(plan)
    rows += [("leak?", sign.text(lambda name: f"`{one_line(name)}`")) for sign in plan.leaks]
    if not plan.definition.file.objective.is_program:
        rows += [("note", note) for note in plan.notes]
    if plan.project_code:
        rows.append(("your code", f"{', '.join(plan.project_code)} (not imported by check)"))
    rows[1:1] = _program_rows(plan)
    if plan.budgets:
        rows.insert(-1, ("budget", _budget_text(plan)))
    if plan.forecast is not None:
        rows.append(("forecast", plan.forecast.text))
        rows += [("warning", plan.forecast.warning)] if plan.forecast.warning else []
    body = "\n".join(f"  {name:10} {text}" for name, text in rows)
    return f"{path} is valid.\n{body}\n{_parameters(plan)}\nNext: {_next(path)}"


def _start_rows(plan: "RunPlan") -> list[tuple[str, str]]:
    """Rows on the points that are tried first, one for each of those from elsewhere."""
    wanted = [w for w in ("earlier", "portfolio") if w in plan.definition.file.starting_points]
    if not wanted:
        return []
    origins = [origin for origin, _ in plan.start]
    counts = {name: origins.count(name) for name in origins}
    listed = [name if n == 1 else f"{name} ({n})" for name, n in counts.items()]
    rows = [("first", ", ".join(listed) or "nothing")]
    rows += [(o, _definition(dict(params))) for o, params in plan.start if o in wanted]
    if plan.project_code:
        return [("first", "known when your code is imported")]
    lacking = (word for word in wanted if word not in counts)
    return [*rows, *((w, "nothing is known for this estimator and space") for w in lacking)]


def _constraint_rows(constraints: "Sequence[OutcomeConstraint]") -> list[tuple[str, str]]:
    """Rows on the constraints on outcomes."""
    if not constraints:
        return []
    text = f"{' and '.join(map(str, constraints))}: a trial that violates one never wins"
    rows = [("subject to", text)]
    measured = sorted({one.metric for one in constraints} & {"fit_time", "score_time"})
    if measured:
        note = (
            f"{' and '.join(measured)} depends on the machine and"
            " its load, so that another run of this study may choose another trial"
        )
        rows.append(("note", note))
    return rows


def _sharing_rows(plan: "RunPlan") -> list[tuple[str, str]]:
    """Rows on shared fits: their cost, and the reasons for which there are not more of them."""
    rows = [("not shared", reason) for reason in plan.not_shared]
    if plan.is_shared:
        text = (
            "fits are shared; a new kind is first compared with fresh fits, at the cost of about"
            " one fit a worker, and remembered in the ledger"
        )
        rows.insert(0, ("sharing", text))
    elif plan.project_code and plan.definition.file.execution.share != "off":
        # Families are told by the class itself, which `check` must not import.
        text = (
            "not known before a run, which imports your code: a class of your own shares fits only"
            " if an installed package adds a family for it"
        )
        rows.append(("sharing", text))
    return rows


def _program_rows(plan: "RunPlan") -> list[tuple[str, str]]:
    objective = plan.definition.file.objective
    if not objective.is_program:
        return []
    is_shared = objective.workspace.mode == "shared"
    where = "in the project's folder" if is_shared else "in a copy of the project's files"
    rows = [("program", shlex.join(objective.argv)), ("works", where)]
    return [*rows, *(("note", note) for note in plan.notes)]


def _look_ahead(plan: "RunPlan") -> str:
    """Tell the look-ahead, and which one keeps the other workers busy if some would idle."""
    from tunesmith.analysis.numbers import counted
    from tunesmith.study.look_ahead import window_for

    assert plan.window is not None  # noqa: S101 - results are read
    assert plan.n_folds is not None  # noqa: S101 - otherwise there is no look-ahead
    text = f"{counted(plan.window, 'trial')} at a time, {counted(plan.n_folds, 'fold')} each"
    if not plan.n_idle:
        return text
    window = window_for(plan.n_workers, plan.n_folds)
    return (
        f"{text}: {plan.n_idle:,} of your {plan.n_workers:,} workers would idle; `search: {{window:"
        f" {window}}}` keeps them busy, but each trial is then proposed without the results of"
        f" {window - 1:,} others"
    )


def _budget_text(plan: "RunPlan") -> str:
    budget = plan.definition.file.budget
    assert budget is not None  # noqa: S101 - there are budgets
    *steps, full = [f"{step:,}" for step in plan.budgets]
    better = "the better half goes" if budget.rule == "median" else f"1 in {budget.factor} goes"
    metrics = [metric.name for metric in plan.definition.file.objective.metric]
    if budget.parameter is None:
        where = f"stopped at step {' or '.join(steps)} of {full}" if steps else "never stopped"
        return f"{where} unless good enough ({budget.rule}: {better} on)"
    by = f", by the Pareto front of {', '.join(metrics)}" if len(metrics) > 1 else ""
    return f"{budget.parameter} {', '.join([*steps, full])} ({budget.rule}: {better} on{by})"


def _folds(plan: "RunPlan") -> str:
    if not plan.n_folds:
        return "known when your code is imported"
    n_seeds = plan.definition.file.objective.seeds or 1
    if n_seeds == 1:
        return f"{plan.n_folds:,}"
    if plan.definition.file.objective.data is None:
        return f"{n_seeds:,} (one a seed)"
    return f"{plan.n_folds:,} ({plan.n_folds // n_seeds:,} × {n_seeds:,} seeds)"


def _next(path: Path) -> str:
    return f"tunesmith run{_naming(path)}"


def _naming(path: Path) -> str:
    """Option that names the configuration; empty if it is found without one."""
    from tunesmith.config.names import CONFIG_NAMES

    return "" if str(path) in CONFIG_NAMES else f" -c {shlex.quote(str(path))}"


def _space(plan: "RunPlan") -> str:
    from tunesmith.analysis.numbers import counted
    from tunesmith.space.grid import endless_parameters

    space = plan.definition.space
    points = "too many points to count"
    if plan.n_points is not None:
        points = counted(plan.n_points, "point")
    elif endless_parameters(space):
        points = "continuous"
    return f"{counted(len(space.names), 'parameter')}, {points}"


def _parameters(plan: "RunPlan") -> str:
    boxes = plan.definition.space.to_json()["boxes"]
    width = max(len(name) for box in boxes for name in box) + 1
    lines = []
    for index, box in enumerate(boxes):
        lines.append("  parameters" if len(boxes) == 1 else f"  parameters {index + 1}")
        lines += [f"    {name:{width}} {_definition(value)}" for name, value in box.items()]
    constraints = plan.definition.space.to_json()["constraints"]
    return "\n".join(
        [*lines, *([f"  constraints {' · '.join(constraints)}"] if constraints else [])]
    )


def _definition(value: object) -> str:
    """Return a parameter in the flow style of YAML, as in most configurations."""
    if isinstance(value, list):
        return f"[{', '.join(map(_definition, value))}]"
    if isinstance(value, dict):
        items = (f"{name}: {_definition(item)}" for name, item in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, str):
        # Without quotes YAML would read such a text as a number, a truth value or null.
        return value if isinstance(core_scalar(value), str) else f'"{value}"'
    return json.dumps(value, ensure_ascii=False)


def _trials(plan: "RunPlan") -> str:
    if plan.n_trials is None:
        return "until another stopping criterion is met"
    return f"{plan.n_trials:,} at most"


def _fits(plan: "RunPlan") -> str:
    from tunesmith.analysis.numbers import counted

    if plan.n_fits is None or plan.n_trials is None or plan.n_folds is None:
        return "trials × folds"
    trials, folds = counted(plan.n_trials, "trial"), counted(plan.n_folds, "fold")
    if plan.n_scores in (plan.n_fits, None):
        return f"{plan.n_fits:,} at most ({trials} × {folds})"
    return f"{plan.n_fits:,} at most, for {plan.n_scores:,} scores ({trials} × {folds})"


def _known(plan: "RunPlan") -> str:
    from tunesmith.analysis.numbers import counted

    if plan.n_completed is None:
        return "told when your code is imported"
    n_known = plan.n_known_first if plan.n_known is None else plan.n_known
    if not plan.n_completed and not n_known:
        return "nothing yet; every fit is new"
    parts = [f"{counted(plan.n_completed, 'trial')} of this study finished"]
    if plan.n_known is not None:
        parts.append(f"{counted(plan.n_known, 'score')} known")
    elif n_known:
        # Later trials depend on results, so that it is not known which they are.
        parts.append(f"{counted(n_known, 'score')} of the points that are tried first known")
    return ", ".join(parts)
