"""``tunesmith check``."""

import json
import shlex
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

if TYPE_CHECKING:
    from tunesmith.runs.plan import Preview


@click.command("check")
@config_option
@json_option
def command(config: Path | None, *, as_json: bool) -> None:
    """Validate the configuration and the data, and show what a run would evaluate.

    Imports and runs no code of your project.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.runs.plan import preview

    path = find_config(config)
    # The inner one adds places to a mistake, and the outer one then adds the other mistakes.
    with telling_all(path), pointing_into(path):
        plan = preview(load_definition(path))
    if as_json:
        print_json("plan", _content(plan))
    else:
        show(_text(path, plan))


def _content(plan: "Preview") -> dict[str, object]:
    file = plan.definition.file
    return {
        "study": file.study,
        "method": file.search.method,
        "space": plan.definition.space.to_json(),
        "n_points": plan.n_points,
        "n_trials": plan.n_trials,
        "n_folds": plan.n_folds,
        "n_scores": plan.n_scores,
        "n_fits": plan.n_fits,
        "n_curve": plan.n_curve,
        "window": plan.window,
        "n_workers": plan.n_workers,
        "n_told": plan.n_told,
        "n_known": plan.n_known,
        "not_shared": list(plan.not_shared),
        "project_code": list(plan.project_code),
        "program": _program(plan),
        "budget": _budget(plan),
    }


def _program(plan: "Preview") -> dict[str, object] | None:
    objective = plan.definition.file.objective
    if not objective.is_program:
        return None
    return {
        "command": list(objective.argv),
        "workspace": objective.workspace.mode,
        "notes": list(plan.notes),
    }


def _budget(plan: "Preview") -> dict[str, object] | None:
    budget = plan.definition.file.budget
    if budget is None:
        return None
    return {**budget.model_dump(mode="json"), "budgets": list(plan.budgets)}


def _text(path: Path, plan: "Preview") -> str:
    file = plan.definition.file
    rows = [
        ("study", f"{file.study} ({file.search.method} search, seed {file.search.seed})"),
        ("metric", ", ".join(metric.name for metric in file.objective.metric)),
        ("space", _space(plan)),
        ("trials", _trials(plan)),
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
    rows += _sharing_rows(plan)
    if plan.project_code:
        rows.append(("your code", f"{', '.join(plan.project_code)} (not imported by check)"))
    rows[1:1] = _program_rows(plan)
    if plan.budgets:
        rows.insert(-1, ("budget", _budget_text(plan)))
    body = "\n".join(f"  {name:10} {text}" for name, text in rows)
    return f"{path} is valid.\n{body}\n{_parameters(plan)}\nNext: {_next(path)}"


def _sharing_rows(plan: "Preview") -> list[tuple[str, str]]:
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


def _program_rows(plan: "Preview") -> list[tuple[str, str]]:
    objective = plan.definition.file.objective
    if not objective.is_program:
        return []
    is_shared = objective.workspace.mode == "shared"
    where = "in the project's folder" if is_shared else "in a copy of the project's files"
    rows = [("program", shlex.join(objective.argv)), ("works", where)]
    return [*rows, *(("note", note) for note in plan.notes)]


def _look_ahead(plan: "Preview") -> str:
    """Tell the look-ahead, and which one keeps the other workers busy if some would idle."""
    from tunesmith.runs.progress import counted
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


def _budget_text(plan: "Preview") -> str:
    budget = plan.definition.file.budget
    assert budget is not None  # noqa: S101 - there are budgets
    *steps, full = [f"{step:,}" for step in plan.budgets]
    better = "the better half goes" if budget.rule == "median" else f"1 in {budget.factor} goes"
    if budget.parameter is None:
        where = f"stopped at step {' or '.join(steps)} of {full}" if steps else "never stopped"
        return f"{where} unless good enough ({budget.rule}: {better} on)"
    return f"{budget.parameter} {', '.join([*steps, full])} ({budget.rule}: {better} on)"


def _folds(plan: "Preview") -> str:
    if not plan.n_folds:
        return "known when your code is imported"
    n_seeds = plan.definition.file.objective.seeds or 1
    if n_seeds == 1:
        return f"{plan.n_folds:,}"
    if plan.definition.file.objective.data is None:
        return f"{n_seeds:,} (one a seed)"
    return f"{plan.n_folds:,} ({plan.n_folds // n_seeds:,} × {n_seeds:,} seeds)"


def _next(path: Path) -> str:
    from tunesmith.config.names import CONFIG_NAMES

    is_usual = str(path) in CONFIG_NAMES
    return "tunesmith run" if is_usual else f"tunesmith run -c {shlex.quote(str(path))}"


def _space(plan: "Preview") -> str:
    from tunesmith.runs.progress import counted
    from tunesmith.space.grid import endless_parameters

    space = plan.definition.space
    points = "too many points to count"
    if plan.n_points is not None:
        points = counted(plan.n_points, "point")
    elif endless_parameters(space):
        points = "continuous"
    return f"{counted(len(space.names), 'parameter')}, {points}"


def _parameters(plan: "Preview") -> str:
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


def _trials(plan: "Preview") -> str:
    if plan.n_trials is None:
        return "until another stopping criterion is met"
    return f"{plan.n_trials:,} at most"


def _fits(plan: "Preview") -> str:
    from tunesmith.runs.progress import counted

    if plan.n_fits is None or plan.n_trials is None or plan.n_folds is None:
        return "trials × folds"
    trials, folds = counted(plan.n_trials, "trial"), counted(plan.n_folds, "fold")
    if plan.n_scores in (plan.n_fits, None):
        return f"{plan.n_fits:,} at most ({trials} × {folds})"
    return f"{plan.n_fits:,} at most, for {plan.n_scores:,} scores ({trials} × {folds})"


def _known(plan: "Preview") -> str:
    from tunesmith.runs.progress import counted

    if plan.n_told is None:
        return "told when your code is imported"
    if not plan.n_told and not plan.n_known:
        return "nothing yet; every fit is new"
    parts = [f"{counted(plan.n_told, 'trial')} of this study finished"]
    if plan.n_known is not None:
        parts.append(f"{counted(plan.n_known, 'score')} known")
    return ", ".join(parts)
