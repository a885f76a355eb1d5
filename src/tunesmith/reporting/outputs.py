"""The files that a run leaves: best parameters, report, trials."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tunesmith import registry
from tunesmith.config.model import Outputs
from tunesmith.files import inside, write_atomic
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting import table
from tunesmith.reporting.page.render import render as page
from tunesmith.reporting.parameters import best_parameters, is_as_written, read_parameters
from tunesmith.reporting.summary import Summary, summarise
from tunesmith.space.parameter import canonical_json


@dataclass(frozen=True)
class Written:
    """An output file; ``changed`` is false where it had this very content already."""

    path: Path
    changed: bool


def write_outputs(
    record: StudyRecord, root: Path, outputs: Outputs, summary: Summary | None = None
) -> list[Written]:
    """Write every configured output, from the record alone.

    Best parameters are left as they are while there is no complete trial, and where the gate holds
    the winner back. What an earlier run of the study had adopted is then put back, too, unless
    somebody edited it.

    Raises:
        UsageError: a path leads out of the project, or TOML cannot hold the winner.
        StorageError: a file cannot be written.
    """
    summary = summary or summarise(record)
    # Everything is made before anything is written: a failure leaves the files as they were.
    contents = {outputs.report: registry.load("reports", "markdown")(summary)}
    best = _best(summary, inside(root, outputs.best))
    if best is not None:
        contents[outputs.best] = best
    if outputs.html is not None:
        contents[outputs.html] = page(record, summary, has_times=False)
    if outputs.trials is not None:
        contents[outputs.trials] = TRIALS[Path(outputs.trials).suffix](record, summary)
    files = {inside(root, name): content for name, content in contents.items()}
    return [Written(path, write_atomic(path, content)) for path, content in files.items()]


def _best(summary: Summary, path: Path) -> str | None:
    """What the best-parameters file is to hold; ``None`` where it is left alone."""
    if summary.gate is None:
        return None
    if not summary.gate.holds_back:
        return best_parameters(summary, path.suffix)
    number = summary.gate.reference
    kept = next((trial for trial in summary.ranking if trial.number == number), None)
    if kept is None or not path.is_file() or not is_as_written(path, summary.study):
        return None
    is_there = canonical_json(read_parameters(path)[0]) == canonical_json(dict(kept.params))
    return None if is_there else best_parameters(summary, path.suffix, kept)


def trials_json(record: StudyRecord, summary: Summary) -> str:
    """All trials as one JSON document."""
    content = {"kind": "trials", "schema_version": 1, "study": summary.study}
    return json.dumps({**content, "trials": _timeless(record)}, indent=1, allow_nan=False) + "\n"


CLOCKS = ("mean_fit_time", "mean_score_time")
"""Left out of committed files: they would change although nothing else does."""


def _timeless(record: StudyRecord) -> list[table.Row]:
    return [{k: v for k, v in row.items() if k not in CLOCKS} for row in table.rows_of(record)]


TRIALS: dict[str, Callable[[StudyRecord, Summary], str]] = {
    ".csv": lambda record, _: table.to_csv(_timeless(record)),
    ".jsonl": lambda record, _: table.to_json_lines(_timeless(record)),
    ".json": trials_json,
}
