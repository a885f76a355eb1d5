"""Evaluation of some recorded folds again, to compare the scores."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tunesmith.config.model import Definition
from tunesmith.history import FURTHER, HOLDOUT, FoldResult, Trial
from tunesmith.ledger.records import StudyRecord
from tunesmith.objective.metric import TIMES
from tunesmith.objective.objective import Objective
from tunesmith.pipeline.findings import Finding
from tunesmith.runs.cleanup import working_folders
from tunesmith.runs.factory import build_executor, build_objective
from tunesmith.runs.project_code import project_on_path
from tunesmith.runs.workers import fork_server_for, on_this_machine
from tunesmith.study.loop import results_of
from tunesmith.types import Fit

APART = "verify"
"""Name of the study whose folders programs use here; they are removed afterwards."""


@dataclass(frozen=True)
class Evaluated:
    """A recorded fold and what it scores now."""

    trial: int
    fold: int
    """``HOLDOUT`` for the rows that the search never saw."""
    recorded: FoldResult
    now: FoldResult

    def differing(self, tolerance: float) -> list[str]:
        """Metrics that do not repeat; measured times never do.

        Args:
            tolerance: relative to what is recorded; 0 for bit by bit.
        """
        return [
            name
            for name, score in sorted(self.recorded.scores.items())
            if name not in TIMES and not _is_near(self.now.scores.get(name), score, tolerance)
        ]


def _is_near(now: float | None, recorded: float, tolerance: float) -> bool:
    return now is not None and (now == recorded or abs(now - recorded) <= tolerance * abs(recorded))


def refit(
    definition: Definition,
    drawn: Sequence[tuple[Trial, FoldResult]],
    tolerance: float = 0.0,
) -> tuple[int, list[Finding]]:
    """Evaluate recorded folds anew, without a ledger, by the study's executor.

    Folds that pull workers have made are evaluated on this machine: workers answer through the
    ledger, and must not be their own judges.

    Args:
        definition: of the study, which the folds belong to.
        drawn: from ``draw``.
        tolerance: relative, per score; 0 for bit by bit.

    Returns:
        The number of evaluated folds, and the differences.

    Raises:
        UsageError: the study cannot be run as it is.
    """
    name = f"{definition.file.study}.{APART}"
    here = on_this_machine(definition.file.execution)
    file = definition.file.model_copy(update={"study": name, "execution": here})
    evaluated = _StudyApart(replace(definition, file=file)).evaluate(drawn)
    return len(evaluated), [item for one in evaluated for item in _findings(one, tolerance)]


def draw(
    record: StudyRecord, n: int, seed: int, *, shared_first: bool = False
) -> list[tuple[Trial, FoldResult]]:
    """Draw recorded folds at random, each once; in order of trials and folds.

    Folds that failed or were stopped early are not drawn.

    Args:
        record: of a study.
        n: at most so many.
        seed: of the draw.
        shared_first: draw those of shared fits before all others.
    """
    recorded = [
        (trial, fold)
        for trial in record.history.completed
        for fold in (*trial.folds, *_apart(record, trial))
        if fold.failure is None and fold.stopped_at is None
    ]
    order = np.random.default_rng(seed).permutation(len(recorded)).tolist()
    if shared_first:
        # The sort is stable: within both groups the order stays that of the draw.
        order.sort(key=lambda place: not recorded[place][1].is_shared)
    return [recorded[place] for place in sorted(order[:n])]


def _apart(record: StudyRecord, trial: Trial) -> Iterator[FoldResult]:
    """Yield the results of a trial that belong to none of the search's folds."""
    if trial.number in record.holdout:
        yield record.holdout[trial.number]
    yield from record.further.get(trial.number, ())


@dataclass(frozen=True)
class _StudyApart:
    """A study under another name: its programs work in folders that are removed afterwards."""

    definition: Definition

    def evaluate(self, drawn: Sequence[tuple[Trial, FoldResult]]) -> list[Evaluated]:
        """Evaluate folds, by the study's executor and without a ledger."""
        fits = [Fit(fold.fold, (trial.params,)) for trial, fold in drawn]
        with project_on_path(self.definition.root):
            section, execution = self.definition.file.objective, self.definition.file.execution
            fork_server = fork_server_for(section, execution)
            objective = build_objective(self.definition)
            try:
                with (
                    working_folders(self.definition, objective),
                    build_executor(objective.evaluate, section, execution, fork_server) as executor,
                ):
                    futures = [executor.submit(fit) for fit in fits]
                    while not all(future.done() for future in futures):
                        executor.completed(None)
            finally:
                self._remove_folders(objective)
        results = [results_of(future, fit)[0] for future, fit in zip(futures, fits, strict=True)]
        return [
            Evaluated(trial.number, fold.fold, fold, now)
            for (trial, fold), now in zip(drawn, results, strict=True)
        ]

    def _remove_folders(self, objective: Objective) -> None:
        """Remove the folders that programs have left."""
        if not self.definition.file.objective.is_program:
            return
        from tunesmith.objective.program.objective import ProgramObjective

        assert isinstance(objective, ProgramObjective)  # noqa: S101 - it has a command
        runner = objective.runner
        shutil.rmtree(runner.runs, ignore_errors=True)
        if runner.checkpoints is not None:
            shutil.rmtree(runner.checkpoints.folder, ignore_errors=True)


def _findings(one: Evaluated, tolerance: float) -> Iterator[Finding]:
    fold = f"fold {one.fold}" if one.fold >= 0 else f"further split {FURTHER - one.fold}"
    fold = "held-out rows" if one.fold == HOLDOUT else fold
    place = f"trial {one.trial}, {fold}"
    fix = (
        "Other libraries or hardware, a model without a seed, or a record that was changed:"
        " `tunesmith run --restart` evaluates everything anew."
    )
    if one.now.failure is not None:
        said = f"fails now ({one.now.failure.kind}: {one.now.failure.message})"
        yield Finding(place, said, "its scores as recorded", fix)
        return
    differing = one.differing(tolerance)
    if differing:
        now = ", ".join(f"{name} {one.now.scores.get(name)!r}" for name in differing)
        then = ", ".join(f"{name} {one.recorded.scores[name]!r}" for name in differing)
        yield Finding(place, f"scores {now} now", f"{then} as recorded", fix)
