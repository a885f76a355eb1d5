"""Cases as configurations: the same estimators, tables and grids, through ``define``.

Each score of each candidate is compared with scikit-learn's ``cross_validate`` on the same folds.
"""

import ast
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat
from random import Random
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import ParameterGrid, cross_validate

from hunts.case import Call, Case
from hunts.compare import KNOWN, Found, Verdict, judge, quiet
from hunts.draw import CONFIGURED
from hunts.kinds import cls
from hunts.witness import witnessing
from tunesmith.config.load import define
from tunesmith.objective.crossval import CrossValObjective, build_objective
from tunesmith.objective.plan import TrialCandidates, plan
from tunesmith.types import Params

SEED = 3
CITIES = ("Oslo", "Rome", "Lima", "")


@dataclass(frozen=True)
class Configured:
    """A case as its table and the sections of its configuration."""

    frame: pd.DataFrame
    sections: Mapping[str, Any]
    candidates: tuple[Params, ...]

    def __str__(self) -> str:
        """A program that gives the scores of each candidate."""
        return (
            "from tunesmith.config.load import define\n"
            "from tunesmith.objective.crossval import build_objective\n"
            f"table = {self.frame.to_csv(index=False)!r}\n"
            f"open('table.csv', 'w').write(table)\n"
            f"definition = define({pformat(dict(self.sections), width=110)})\n"
            "objective = build_objective(definition)"
        )


def configured(case: Case) -> Configured | None:
    """A case as a configuration; ``None`` if a configuration cannot say it."""
    random = Random(str(case))  # noqa: S311 - no secret
    try:
        frame = _frame(case)
        boxes = [{n: [_literal(v) for v in listed] for n, listed in b.items()} for b in case.grid]
        estimator = _estimator(case.estimator, {name for box in boxes for name in box})
    except (ValueError, TypeError, SyntaxError, KeyError):
        return None
    data: dict[str, Any] = {"path": "table.csv", "target": "y"}
    if "w" in frame:
        data["weights"] = "w"
    scoring = case.options.get("scoring", "None")
    usual = "'accuracy'" if _has_classes(frame["y"]) else "'r2'"
    try:
        metric = ast.literal_eval(scoring if scoring != "None" else usual)
        folds = int(case.options.get("cv", "2"))
    except (ValueError, SyntaxError):
        metric, folds = ast.literal_eval(usual), 2
    objective = {**estimator, "metric": metric, "data": data, "cv": {"folds": folds}}
    if random.random() < 0.3 and "steps" not in estimator:
        objective["preprocess"] = "auto"
        frame["city"] = [random.choice(CITIES) for _ in range(len(frame))]
        frame.loc[frame.index[:: random.randint(3, 9)], frame.columns[0]] = np.nan
    sections = {
        "study": "s",
        "objective": objective,
        "space": boxes if len(boxes) > 1 else boxes[0],
        "search": {"method": "grid", "seed": SEED},
    }
    return Configured(frame, sections, tuple(ParameterGrid(boxes)))


def _frame(case: Case) -> pd.DataFrame:
    names = dict(KNOWN)
    with quiet():
        exec(case.setup, names)  # noqa: S102 - the programs are ours
    X, y = names["X"], np.asarray(names["y"])
    rows = np.asarray(X)
    if hasattr(X, "tocsr") or rows.ndim != 2 or rows.dtype.kind not in "fiu" or y.ndim != 1:
        raise ValueError("no table")
    frame = pd.DataFrame(rows, columns=[f"f{place}" for place in range(rows.shape[1])])
    fit = [name.rpartition("__")[2] for name in case.fit if name != "groups"]
    if fit not in ([], ["sample_weight"]):
        raise ValueError("no place for other arguments of fit")
    given = {"w": np.asarray(names["w"], dtype=float)} if fit else {}
    return frame.assign(**given, y=y)


def _has_classes(y: pd.Series) -> bool:
    return y.dtype.kind in "iubO" or not pd.api.types.is_numeric_dtype(y)


def _literal(text: Any) -> Any:
    value = ast.literal_eval(text)
    if not isinstance(value, str | int | float | bool | None):
        raise TypeError("not JSON")
    return value


def _estimator(call: Call, varied: set[str]) -> dict[str, Any]:
    if call.name != "make_pipeline":
        return _step(call, varied)
    steps = [part for part in call.args if isinstance(part, Call)]
    names = [f"{part.name.lower()}__" for part in steps]
    pairs = zip(steps, names, strict=True)
    return {"steps": [_step(part, {n.removeprefix(own) for n in varied}) for part, own in pairs]}


def _step(call: Call, varied: set[str]) -> dict[str, Any]:
    if call.args or call.name.startswith("own."):
        raise ValueError("no configuration names it")
    made = cls(call.name)
    path = f"{made.__module__}.{made.__qualname__}"
    # What is fixed and varied is refused.
    fixed = {name: value for name, value in call.options.items() if name not in varied}
    params = {name: _literal(value) for name, value in fixed.items()}
    return {"estimator": path} | ({"params": params} if params else {})


def verdict_of(case: Case, stratum: str) -> Verdict | None:
    """A case, run as its stratum asks; ``None`` if it cannot be written so."""
    return judge_configured(case) if stratum == CONFIGURED else judge(case)


def judge_configured(case: Case) -> Verdict | None:
    """Run a case as a configuration; ``None`` if it cannot be one."""
    made = configured(case)
    if made is None:
        return None
    with tempfile.TemporaryDirectory() as folder, quiet():
        made.frame.to_csv(Path(folder) / "table.csv", index=False)
        try:
            objective = build_objective(define(made.sections, root=folder))
        except Exception as error:  # noqa: BLE001 - what is refused is not compared
            return None if type(error).__module__.startswith("tunesmith") else _raised(case, error)
        with witnessing() as witness:
            actual = _ours(objective, made.candidates)
        found = ""
        for number, params in enumerate(made.candidates):
            expected = _theirs(objective, made, params)
            if expected is not None and expected != actual[number]:
                again = _theirs(objective, made, params)
                if again == expected:
                    found = f"{params}\n  expected {expected}\n  actual   {actual[number]}"
                    break
    return Verdict(case, Found(), Found(), witness.n_shared, found)


def _raised(case: Case, error: Exception) -> Verdict:
    return Verdict(case, Found(), Found(), 0, f"{type(error).__name__}: {error}")


Scores = list[str]
FAILED = "failed"


def _ours(objective: CrossValObjective, candidates: tuple[Params, ...]) -> list[Scores]:
    """Fold by fold, as text that tells all bits."""
    trials = [TrialCandidates(number, (params,)) for number, params in enumerate(candidates)]
    names = [metric.name for metric in objective.metrics]
    found: list[Scores] = [[FAILED] * objective.n_folds for _ in candidates]
    for one in plan(trials, objective.n_folds, (), objective.groups):
        results = objective.evaluate(one.fit)
        for owners, result in zip(one.owners, results, strict=True):
            for number, _ in owners:
                if result.failure is None:
                    found[number][one.fit.fold] = repr([float(result.scores[n]) for n in names])
    return found


def _theirs(objective: CrossValObjective, made: Configured, params: Params) -> Scores | None:
    """Scores of scikit-learn's own loop; ``None`` if its folds fail."""
    rows, section = objective.table.rows, made.sections["objective"]
    names = [metric.name for metric in objective.metrics]
    given = {} if rows.weights is None else {"sample_weight": rows.weights}
    last = (
        f"{list(_built(objective, section, params).named_steps)[-1]}__"
        if _is_piped(section)
        else ""
    )
    try:
        found = cross_validate(
            _built(objective, section, params),
            rows.X,
            rows.y,
            cv=[(split.train, split.test) for split in objective.splits],
            scoring=names,
            params={f"{last}{name}": value for name, value in given.items()},
            error_score="raise",
        )
    except Exception:  # noqa: BLE001 - which folds fail is not told
        return None
    columns = [found[f"test_{name}"] for name in names]
    scores = [[float(column[fold]) for column in columns] for fold in range(objective.n_folds)]
    return [repr(s) if all(map(math.isfinite, s)) else FAILED for s in scores]


def _is_piped(section: Mapping[str, Any]) -> bool:
    return "steps" in section or "preprocess" in section


def _built(objective: CrossValObjective, section: Mapping[str, Any], params: Params) -> Any:
    """An estimator made without our builder, unless that puts steps in front."""
    if _is_piped(section):
        return objective.builder.build(params)
    module, _, name = section["estimator"].rpartition(".")
    made = getattr(__import__(module, fromlist=[name]), name)
    estimator = made(**{**section.get("params", {}), **params})
    if estimator.get_params().get("random_state", 0) is None:
        estimator.set_params(random_state=SEED)
    return estimator
