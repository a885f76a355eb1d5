"""The files that a run leaves: best parameters, report, trials."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith import registry
from tunesmith.analysis.outcomes import winning
from tunesmith.analysis.ranking import running_best
from tunesmith.analysis.summary import Summary, summarise
from tunesmith.config.model import OutputsSection
from tunesmith.ledger.histories.portable import write_history
from tunesmith.ledger.records import StudyRecord
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.foreign import refuse_foreign
from tunesmith.parameters.publish import published_text
from tunesmith.parameters.texts import best_parameters
from tunesmith.reporting import table
from tunesmith.reporting.json import finite
from tunesmith.system.files import inside, write_atomic


@dataclass(frozen=True)
class Written:
    """An output file; ``changed`` is false if it had this very content already."""

    path: Path
    changed: bool


def write_outputs(
    record: StudyRecord,
    root: Path,
    outputs: OutputsSection,
    *,
    summary: Summary | None = None,
    nested: Sequence[StudyRecord] = (),
    forced: Collection[str] = (),
) -> list[Written]:
    """Write every configured output, from the record and its nested searches alone.

    Args:
        record: of the study.
        root: the project folder.
        outputs: of the configuration.
        summary: of the study; computed if it is not given.
        nested: the searches of its nested cross-validation.
        forced: names of outputs that are written although something else is there.

    Best parameters are left unchanged while there is no complete trial, if the gate holds the
    winner back, or if a user-owned file was edited (``published_text``).

    Raises:
        UsageError: a path leads out of the project, or TOML cannot hold the winner.
        StorageError: a file cannot be written.
    """
    summary = summary or summarise(record)
    place = BestFile.of_record(root, outputs, record)
    # Once more: a long study leaves time for somebody to put a file there.
    refuse_foreign(place, forced)
    # All contents are made before anything is written: a failure leaves the files as they were.
    contents = contents_of(record, outputs, summary, nested)
    best = published_text(summary, place, is_forced=outputs.best.path in forced)
    if best is not None:
        contents[outputs.best.path] = best
    files = {inside(root, name): content for name, content in contents.items()}
    return [Written(path, write_atomic(path, content)) for path, content in files.items()]


def write_again(
    record: StudyRecord,
    root: Path,
    outputs: OutputsSection,
    summary: Summary,
    nested: Sequence[StudyRecord] = (),
) -> list[Written]:
    """Write the outputs that are there, but for parameters, which somebody may have edited.

    Raises:
        UsageError: a path leads out of the project, or one has what somebody else wrote.
        StorageError: a file cannot be written.
    """
    refuse_foreign(BestFile.of_record(root, outputs, record), ())
    contents = contents_of(record, outputs, summary, nested)
    files = {inside(root, name): c for name, c in contents.items() if name != outputs.tuned}
    there = {path: content for path, content in files.items() if path.is_file()}
    return [Written(path, write_atomic(path, content)) for path, content in there.items()]


def contents_of(
    record: StudyRecord,
    outputs: OutputsSection,
    summary: Summary,
    nested: Sequence[StudyRecord] = (),
) -> dict[str, str]:
    """Return the content of every output but the best parameters, by path below the project folder.

    Raises:
        UsageError: TOML cannot hold the winner.
    """
    by_path = {outputs.report: registry.load("reports", "markdown")(summary)}
    if outputs.tuned is not None and summary.chosen is not None:
        by_path[outputs.tuned] = best_parameters(summary, Path(outputs.tuned).suffix)
    if outputs.html is not None:
        from tunesmith.reporting.page.render import render as page

        # Without durations, so that a second run of the same study changes no byte.
        by_path[outputs.html] = page(record, summary, has_times=False)
    if outputs.trials is not None:
        by_path[outputs.trials] = TRIALS[Path(outputs.trials).suffix](record, summary)
    if outputs.history is not None:
        by_path[outputs.history] = write_history((record, *nested))
    if outputs.metrics is not None:
        by_path[outputs.metrics] = metrics_json(summary)
    return by_path


def metrics_json(summary: Summary) -> str:
    """The winner's scores and the number of trials, for ``dvc metrics``."""
    chosen = summary.chosen
    content: dict[str, Any] = {}
    if chosen is not None:
        content = {
            metric.name: {"mean": chosen.means[metric.name], "std": chosen.stds[metric.name]}
            for metric in summary.metrics
        }
    if summary.holdout is not None:
        content["holdout"] = dict(summary.holdout)
    violating = summary.outcomes.violating
    counts = {"trials": summary.n_trials, "complete": len(summary.ranking) + len(violating)}
    if summary.outcomes.constraints:
        counts["violating"] = len(violating)
    return json.dumps(finite({**content, **counts}), indent=2, allow_nan=False) + "\n"


def trials_json(record: StudyRecord, summary: Summary) -> str:
    """All trials as one JSON document."""
    content = {"kind": "trials", "schema_version": 1, "study": summary.study}
    return json.dumps({**content, "trials": _timeless(record)}, indent=1, allow_nan=False) + "\n"


CLOCKS = ("mean_fit_time", "mean_score_time")
"""Left out of committed files: they would change although nothing else does."""


def _timeless(record: StudyRecord) -> list[table.Row]:
    """Rows without clocks, with the best score so far, which ``dvc plots`` draws."""
    rows = [{k: v for k, v in row.items() if k not in CLOCKS} for row in table.rows_of(record)]
    for metric in record.objectives:
        name = table.suffix(metric, record.metrics)
        bests = running_best(winning(record.history, metric), metric)
        for row, best in zip(rows, bests, strict=True):
            row[f"best_{name}"] = best if best == best else None  # NaN
    return rows


TRIALS: dict[str, Callable[[StudyRecord, Summary], str]] = {
    ".csv": lambda record, _: table.to_csv(_timeless(record)),
    ".jsonl": lambda record, _: table.to_json_lines(_timeless(record)),
    ".json": trials_json,
}
