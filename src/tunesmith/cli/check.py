"""``tunesmith check``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.options import config_option, find_config, json_option, print_json

if TYPE_CHECKING:
    from tunesmith.preview import Preview


@click.command("check")
@config_option
@json_option
def command(config: Path | None, *, as_json: bool) -> None:
    """Validate the configuration and the data, and show what a run would evaluate.

    Imports and runs no code of your project.
    """
    from tunesmith.config.load import load_definition
    from tunesmith.preview import preview

    path = find_config(config)
    plan = preview(load_definition(path))
    if as_json:
        print_json("plan", _content(plan))
    else:
        click.echo(_text(path, plan))


def _content(plan: "Preview") -> dict[str, object]:
    file = plan.definition.file
    return {
        "study": file.study,
        "method": file.search.method,
        "space": plan.definition.space.to_json(),
        "n_points": plan.n_points,
        "n_trials": plan.n_trials,
        "n_folds": plan.n_folds,
        "n_fits": plan.n_fits,
        "n_told": plan.n_told,
        "n_known": plan.n_known,
        "project_code": list(plan.project_code),
    }


def _text(path: Path, plan: "Preview") -> str:
    file = plan.definition.file
    rows = [
        ("study", f"{file.study} ({file.search.method} search, seed {file.search.seed})"),
        ("metric", ", ".join(metric.name for metric in file.objective.metric)),
        ("space", _space(plan)),
        ("trials", _count(plan.n_trials, "until another stopping criterion is met")),
        ("folds", _count(plan.n_folds, "known when your code is imported")),
        ("fits", _fits(plan)),
        ("known", _known(plan)),
    ]
    if plan.project_code:
        rows.append(("your code", f"{', '.join(plan.project_code)} (not imported by check)"))
    body = "\n".join(f"  {name:10} {text}" for name, text in rows)
    return f"{path} is valid.\n{body}\n{_parameters(plan)}"


def _space(plan: "Preview") -> str:
    names = plan.definition.space.names
    count = "a continuum" if plan.n_points is None else f"{plan.n_points:,} points"
    return f"{len(names)} parameters, {count}"


def _parameters(plan: "Preview") -> str:
    lines = []
    for index, box in enumerate(plan.definition.space.boxes):
        if len(plan.definition.space.boxes) > 1:
            lines.append(f"  box {index + 1}")
        lines += [f"    {name:24} {_definition(value)}" for name, value in box.to_json().items()]
    return "\n".join(["  parameters", *lines])


def _definition(value: object) -> str:
    from tunesmith.space.parameter import canonical_json

    return canonical_json(value).replace('"', "").replace(",", ", ").replace(":", ": ")


def _count(number: int | None, otherwise: str) -> str:
    return otherwise if number is None else f"{number:,}"


def _fits(plan: "Preview") -> str:
    if plan.n_fits is None:
        return "trials x folds"
    return f"{plan.n_fits:,} at most ({plan.n_trials:,} trials x {plan.n_folds} folds)"


def _known(plan: "Preview") -> str:
    told = f"{plan.n_told:,} trials of this study are finished"
    if plan.n_known is None:
        return told
    return f"{told}; the ledger answers {plan.n_known:,} fits"
