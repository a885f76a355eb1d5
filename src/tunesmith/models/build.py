"""Models of a finished study: the average of the winner's fold models, or a greedy ensemble."""

import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tunesmith.errors import UsageError
from tunesmith.models.average import averaged
from tunesmith.models.greedy import Blends, Counts, greedy
from tunesmith.models.material import Material
from tunesmith.models.worth import Worth, always, best_alone, worth
from tunesmith.system.interruptions import is_ours
from tunesmith.types import Params

KINDS = ("best", "average", "ensemble")
N_CANDIDATES = 20
"""Most trials that an ensemble is chosen from, if their models are kept."""
N_FITTED = 5
"""Most trials that are fitted again for an ensemble, if their models are not kept."""
N_TIMED = 1_000
"""Most rows that are predicted to measure the time."""


@dataclass(frozen=True)
class RankedTrial:
    """A completed trial."""

    number: int
    params: Params


@dataclass(frozen=True)
class Member:
    """A trial whose fold models are part of a model."""

    trial: int
    params: Params
    weight: float
    """Its share; those of all members add up to 1."""


@dataclass(frozen=True)
class Cost:
    """Cost of a model in use."""

    n_models: int
    """Fitted models in it, each of which predicts."""
    n_bytes: int
    """Size as a pickle."""
    ms_per_1000: float
    """Milliseconds to predict 1,000 rows, the fastest of three times."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """A model, with what there is to know of it."""

    kind: str
    model: Any = field(repr=False)
    members: tuple[Member, ...]
    n_fits: int
    """Fits that were made for it after the search."""
    n_kept: int
    """Models that the search had kept."""
    worth: Worth | None = None
    """By the metric that decides; ``None`` if there are no fold scores to tell."""
    single: Worth | None = None
    """Worth of the best single trial of the same candidates."""
    default: Worth | None = None
    """Worth of the current or default parameters, if a trial has them."""
    cost: Cost | None = None
    single_cost: Cost | None = None
    """Cost of one model that is fitted with the winner's params."""
    holdout: float | None = None
    """Score on rows that took no part in the search."""
    single_holdout: float | None = None
    """Score of the refitted winner on them."""


def average_of(material: Material, winner: RankedTrial, *, cv: Any = None) -> Built:
    """Build the average of one trial's fold models.

    Args:
        material: fold models of the study.
        winner: the trial.
        cv: folds for a later ``fit`` on other rows.

    Raises:
        UsageError: the models predict nothing, or nothing that has a mean.
    """
    _check_has_mean(material, winner)
    return _built(material, "average", [winner], (1,), cv)


def ensemble_of(
    material: Material,
    candidates: Sequence[RankedTrial],
    *,
    sign: int,
    default: int | None = None,
    cv: Any = None,
) -> Built:
    """Build a greedy ensemble of the candidates' fold models.

    Args:
        material: fold models of the study.
        candidates: trials, the best first.
        sign: +1 if larger scores are better, -1 if smaller ones are.
        default: number of the trial with the current or default parameters, if it is a candidate.
        cv: folds for a later ``fit`` on other rows.

    Raises:
        UsageError: there is no candidate, or the models predict nothing that has a mean.
    """
    if not candidates:
        raise UsageError("an ensemble needs a trial with a score on every fold.")
    for one in candidates:
        _check_has_mean(material, one)
    blends = blends_of(material, candidates, sign)
    # Blends are scored once each, so that the worth costs little beyond the choice.
    counts = greedy(blends)
    built = _built(material, "ensemble", candidates, counts, cv)
    numbers = [one.number for one in candidates]
    at_default = None if default not in numbers else blends.alone(numbers.index(default))
    return replace(
        built,
        worth=worth(blends, lambda folds: greedy(blends, folds)),
        single=worth(blends, best_alone(blends)),
        default=None if at_default is None else worth(blends, always(at_default)),
    )


def _check_has_mean(material: Material, candidate: RankedTrial) -> None:
    # Before any choice: labels of clusters add up without an error, to a model that means nothing.
    if reason := material.answers_on(candidate.params, 0).no_mean:
        raise UsageError(f"{reason}: that has no mean. Take the winner, fitted again: `best`.")


def blends_of(material: Material, candidates: Sequence[RankedTrial], sign: int) -> Blends:
    """Return what scores blends of candidates on the folds."""
    source = material.source

    def score(model: Any, fold: int) -> float:
        try:
            return source.fold_score(model, fold)
        except Exception as error:
            if is_ours(error):
                raise
            raise UsageError(
                f"the metric cannot score a blend of predictions: {type(error).__name__}: {error}."
                " An average needs no scores: take it instead."
            ) from error

    return Blends([material.answers(one.params) for one in candidates], score, sign)


def candidates_for(
    material: Material, ranked: Sequence[RankedTrial], always_in: Sequence[int] = ()
) -> list[RankedTrial]:
    """Select the trials that an ensemble is chosen from.

    Args:
        material: tells which models are kept.
        ranked: complete trials, the best first.
        always_in: numbers of trials that take part although they may have to be fitted again.

    Returns:
        Those whose models are kept, at most ``N_CANDIDATES``; if there are fewer than ``N_FITTED``,
        also the best of the others. In the order given.
    """
    # Fits cost most of a search, and answers that are kept cost nothing.
    kept = [one.number for one in ranked if material.has(one.params)][:N_CANDIDATES]
    others = [one.number for one in ranked if one.number not in kept]
    wanted = {*kept, *always_in, *others[: max(N_FITTED - len(kept), 0)]}
    return [one for one in ranked if one.number in wanted]


def _built(
    material: Material, kind: str, candidates: Sequence[RankedTrial], counts: Counts, cv: Any
) -> Built:
    chosen = [(one, n) for one, n in zip(candidates, counts, strict=True) if n]
    total = sum(counts)
    members, parts = [], {}
    for one, n in chosen:
        models = material.models(one.params)
        parts[f"trial{one.number}"] = material.source.unfitted(one.params), models
        members.append(Member(one.number, one.params, n / total))
    # A clone of an average of one trial should not show a weight.
    weights = None if len(chosen) == 1 else [one.weight for one in members]
    model = averaged(parts, weights, cv=cv or material.source.n_folds)
    return Built(
        kind=kind,
        model=model,
        members=tuple(members),
        n_fits=material.n_fits,
        n_kept=material.n_kept,
    )


def cost_of(model: Any, X: Any) -> Cost:
    """Measure a model's size and the time of its predictions.

    Args:
        model: fitted.
        X: rows; the first ones are predicted.
    """
    rows = X[:N_TIMED]
    seconds = []
    # The fastest of three: others that use the machine only add to the time.
    for _ in range(3):
        began = time.perf_counter()
        model.predict(rows)
        seconds.append(time.perf_counter() - began)
    # Frames, arrays, sparse matrices and lists all come here.
    n_rows = rows.shape[0] if hasattr(rows, "shape") else len(rows)
    n_bytes = _size(model)
    per_1000 = min(seconds) * 1e3 * N_TIMED / n_rows
    return Cost(len(getattr(model, "models_", [model])), n_bytes, per_1000)


def _size(model: Any) -> int:
    """Size of a model as a pickle, in bytes.

    Raises:
        UsageError: it holds what no file can hold.
    """
    try:
        return len(pickle.dumps(model))
    # Pickle says it in three ways, by version and kind of object.
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(
            f"the model cannot be stored: {error}.\n  A lambda, or a function within another one,"
            " cannot be found again by its name: make it a function of a module."
        ) from None
