"""Form in which fits and their results travel between a run and its workers: JSON values only.

A worker gets no code and no pickle. It builds the objective from its own checkout, and takes
params, fold and keys from the task. Keys say everything that scores depend on, so that a worker
whose keys differ would make other scores, and refuses.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from tunesmith.errors import TunesmithError, UsageError
from tunesmith.history import Check, FoldResult
from tunesmith.ledger.journal import READING, ROW, is_row
from tunesmith.ledger.leases.seam import Evaluations
from tunesmith.ledger.rows import evaluation_row, fold_result_of, reading_row
from tunesmith.objective.objective import Objective
from tunesmith.types import Fit

SEARCH = "search"
"""Name in a fit of the outer fold whose search it belongs to."""


class OtherKeysError(UsageError):
    """The keys of a fit are others here: something that its scores depend on differs."""


@dataclass(frozen=True)
class FitWire:
    """Writes fits and reads results, or the other way round.

    Args:
        objective: of the study; it computes the keys.
        search: number of the outer fold whose search the fits belong to; ``None`` if they are those
            of the study itself.
    """

    objective: Objective
    search: int | None = field(default=None, kw_only=True)

    # -- in the run --------------------------------------------------------------------------

    def content(self, item: Fit) -> str:
        """Write a fit."""
        content = {
            "fold": item.fold,
            "candidates": [dict(params) for params in item.candidates],
            "extra": [dict(params) for params in item.extra_candidates],
            "thresholds": [[step, least] for step, least in sorted(item.thresholds.items())],
            "keys": self._keys(item),
            **({} if self.search is None else {SEARCH: self.search}),
            **self._sent_along(item),
        }
        # Sorted, since the text is the address of the fit; ASCII, which every database takes.
        return json.dumps(content, sort_keys=True)

    def result(self, text: str, content: str) -> list[FoldResult]:
        """Read the results of a fit.

        Args:
            text: answer of a worker.
            content: the fit, as it was written.

        Raises:
            TunesmithError: the answer belongs to another fit.
        """
        answer = json.loads(text)
        fit = json.loads(content)
        keys = [row["key"] for row in answer["rows"]]
        if keys not in (fit["keys"], fit["keys"][: len(fit["candidates"])]):
            raise TunesmithError("a worker has answered a fit with the results of another one")
        readings = {one["digest"]: json.loads(one["content"]) for one in answer["readings"]}
        results = [
            _fold_result(row, checks, readings)
            for row, checks in zip(answer["rows"], answer["checks"], strict=True)
        ]
        if "answers" in answer and results:
            # Studies that keep nothing, of programs above all, need no libraries of estimators.
            from tunesmith.runs.pull.carried_answers import read_answers

            delivery = read_answers(answer["answers"], fit["fold"], fit["keys"])
            results[0] = replace(results[0], delivery=delivery)
        return results

    def evaluations(self, text: str, run_id: int) -> Evaluations:
        """Read results as rows of the ledger.

        Raises:
            TunesmithError: they have not the form of such rows.
        """
        return evaluations_of(text, run_id)

    def receive(self, text: str) -> None:
        """Take in what came beside the results: nothing, since fits of estimators leave no files.

        Args:
            text: answer of a worker.
        """

    def error(self, text: str) -> BaseException:
        """Build the error that a fit has raised on a worker."""
        return TunesmithError(f"a fit has failed on a worker: {text}")

    # -- on a worker -------------------------------------------------------------------------

    def item(self, text: str) -> Fit:
        """Read a fit.

        Raises:
            OtherKeysError: its keys are others here.
        """
        content = json.loads(text)
        fit = Fit(
            content["fold"],
            tuple(content["candidates"]),
            tuple(content["extra"]),
            dict(content["thresholds"]),
        )
        if self._keys(fit) != content["keys"]:
            raise OtherKeysError(
                f"fold {fit.fold} has other keys here than in the run: its rows, or something else"
                " that scores depend on, differ.\n  Give the worker the run's commit, data and"
                " environment."
            )
        self._begin(fit, content)
        return fit

    def answer(self, fit: Fit, results: Sequence[FoldResult]) -> str:
        """Write the results of a fit."""
        checked = [result.checked() for result in results]
        named = [replace(one, reading=self._named(one.reading)) for one in checked]
        rows = [
            evaluation_row(key, result, 0)
            for key, result in zip(self._keys(fit), named, strict=False)
        ]
        readings = [reading_row(one.reading) for one in named if one.reading is not None]
        return json.dumps(
            {
                "rows": [{name: row[name] for name in sorted(ROW)} for row in rows],
                "readings": readings,
                "checks": [[[c.kind, c.is_passed] for c in one.checks] for one in results],
                **self._brought(fit, results),
            }
        )

    def admitted(self, wanted: Mapping[str, Any]) -> None:
        """Hear of the run whose fits follow.

        Args:
            wanted: what it wants of workers.
        """

    # -- what comes with fits and results ----------------------------------------------------

    def _sent_along(self, item: Fit) -> dict[str, Any]:  # noqa: ARG002 - see ProgramWire
        """Return what a fit needs beside its values, as JSON."""
        return {}

    def _begin(self, fit: Fit, content: Mapping[str, Any]) -> None:
        """Prepare a fit on a worker with what was sent along."""

    def _named(self, reading: Mapping[str, str] | None) -> Mapping[str, str] | None:
        """Name the files of a reading as the run does."""
        return reading

    def _brought(self, fit: Fit, results: Sequence[FoldResult]) -> dict[str, Any]:  # noqa: ARG002
        """Return what a fit has left beside its results, as JSON: answers of its models."""
        if not results or results[0].delivery is None:
            return {}
        from tunesmith.runs.pull.carried_answers import write_answers

        return write_answers(results)

    def _keys(self, fit: Fit) -> list[str]:
        return [self.objective.key(params, fit.fold) for params in fit.all_candidates]


def evaluations_of(text: str, run_id: int) -> Evaluations:
    """Read the answer of a worker as rows of the ledger.

    Raises:
        TunesmithError: it has not the form of such rows.
    """
    answer = json.loads(text)
    readings = answer["readings"]
    if not all(map(is_row, answer["rows"])) or not all(map(_is_reading, readings)):
        raise TunesmithError("the answer of a worker has not the form of evaluations")
    return Evaluations(run_id, answer["rows"], readings)


def _is_reading(content: Mapping[str, Any]) -> bool:
    return tuple(sorted(content)) == tuple(sorted(READING)) and all(
        isinstance(value, str) for value in content.values()
    )


def _fold_result(
    row: Mapping[str, Any], checks: Sequence[Sequence[Any]], readings: Mapping[str, Any]
) -> FoldResult:
    result = fold_result_of(SimpleNamespace(**row), row["fold"])  # type: ignore[arg-type]
    return replace(
        result,
        reading=readings.get(row["reading"]),
        checks=tuple(Check(kind, is_passed) for kind, is_passed in checks),
    )
