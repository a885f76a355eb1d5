"""Outputs that would replace what somebody else wrote.

Each kind of output is recognised by a mark in its text: the heading of the report, the columns of
the table of trials, and so on. A file without that mark is not Tunesmith's, and is not replaced.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from tunesmith.config.source import read_document
from tunesmith.errors import UsageError
from tunesmith.parameters.best_file import BestFile
from tunesmith.parameters.shape import WriteBlocker, is_origin
from tunesmith.parameters.texts import read_parameters
from tunesmith.system.files import inside

HEAD = 4096
"""So many characters at the beginning of a file tell what it is."""
NOT_OURS = WriteBlocker("is there already, and Tunesmith did not write it.")


def refuse_foreign(best: BestFile, forced: Collection[str] = ()) -> None:
    """Refuse to run while an output is somebody else's file.

    Args:
        best: the best-parameters file, with the outputs that it belongs to.
        forced: paths of outputs that may be replaced all the same, as the configuration names them.

    Raises:
        UsageError: all such outputs; or a forced path is no output.
    """
    known = best.outputs.paths.values()
    # A misspelt name must not be taken for consent to something else.
    unknown = [name for name in forced if name not in known]
    if unknown:
        listed = ", ".join(known)
        raise UsageError(f"--force: {unknown[0]} is not an output; the outputs are {listed}.")
    lines = [line for name, line in blockers(best) if name not in forced]
    if lines:
        raise UsageError("\n".join(lines))


def refuse_foreign_table(root: Path, name: str) -> None:
    """Refuse to replace somebody else's file by a table of predictions.

    Args:
        root: the folder that the path belongs to.
        name: path of the table.

    Raises:
        UsageError: the file is not Tunesmith's.
    """
    if (reason := _blocker(root, "predictions", name)) is not None:
        raise UsageError(
            f"predictions: {name} {reason.reason} Name another file, or move this one away."
        )


def blockers(best: BestFile) -> Iterator[tuple[str, str]]:
    """Yield the path of each output that must not be written, and the reason with its remedy.

    Args:
        best: the best-parameters file, with the outputs that it belongs to.
    """
    for key, name in best.outputs.paths.items():
        reason = best.blocker if key == "best" else _blocker(best.root, key, name)
        if reason is not None:
            remedy = reason.remedy or "Name another file."
            force = f"To replace it all the same: `--force {name}`."
            yield name, f"outputs.{key}: {name} {reason.reason} {remedy}\n  {force}"


def _blocker(root: Path, key: str, name: str) -> WriteBlocker | None:
    path = inside(root, name)
    if not path.is_file():
        return None
    try:
        # Only its head: a page or a table of trials may have many megabytes.
        with path.open(encoding="utf-8", newline="") as file:
            head = file.read(HEAD)
    except UnicodeDecodeError:
        # Of all outputs, only a table of predictions may be no text.
        return None if key == "predictions" and _is_predictions(path, "") else NOT_OURS
    # By the name in the configuration: a link may lead to a file of another kind.
    kind = f"{key}{Path(name).suffix}" if key == "trials" else key
    # An empty file has nothing to lose: `touch` and shells leave such files.
    if not head.strip() or MARKS[kind](path, head):
        return None
    return NOT_OURS


def _content(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    # Deep nesting exhausts the parser's recursion, and no output of Tunesmith is deep.
    except (ValueError, RecursionError):
        return None


def _is_report(_path: Path, head: str) -> bool:
    # An editor may have put a byte order mark before the heading.
    return re.match(r"\ufeff?# Tuning results: `", head) is not None


def _is_page(_path: Path, head: str) -> bool:
    return re.search(r"<title>[^<]*: tuning report</title>", head) is not None


def _is_table(_path: Path, head: str) -> bool:
    return head.removeprefix("\ufeff").startswith("trial,state,origin,")


def _is_lines(_path: Path, head: str) -> bool:
    return re.match(r'\{"trial": ?\d+, ?"state": ?"', head) is not None


def _is_document(path: Path, _head: str) -> bool:
    content = _content(path)
    return isinstance(content, dict) and content.get("kind") == "trials" and "study" in content


def _is_history(path: Path, _head: str) -> bool:
    # A merge may have left a conflict marker before the first line. Damaged ones, and those of a
    # newer version, count as well: whoever reads them says what is wrong, and replaces nothing.
    content = path.read_bytes()
    return (
        b'"tunesmith-history' in content
        or re.search(rb'^\{"trial": \d+, "', content, re.MULTILINE) is not None
    )


def _is_metrics(path: Path, _head: str) -> bool:
    content = _content(path)
    if not isinstance(content, dict) or not {"trials", "complete"} <= content.keys():
        return False
    if not isinstance(content.get("holdout", {}), dict):
        return False
    scores = [v for k, v in content.items() if k not in ("trials", "complete", "holdout")]
    # Without a complete trial there are no scores.
    is_full = bool(scores) or content["complete"] == 0
    return is_full and all(isinstance(v, dict) and v.keys() == {"mean", "std"} for v in scores)


def _is_predictions(path: Path, _head: str) -> bool:
    # Late, since most studies write none, and NumPy takes long to import.
    from tunesmith.models.prediction_files import is_prediction_file

    return is_prediction_file(path)


def _is_tuned(path: Path, _head: str) -> bool:
    try:
        is_whole = set(read_document(path).data) <= {"params", "meta"}
        return is_whole and is_origin(read_parameters(path)[1])
    except UsageError:
        return False


# `best` is missing here: its file keeps its shape and is checked by `BestFile.blocker`.
MARKS: dict[str, Callable[[Path, str], bool]] = {
    "tuned": _is_tuned,
    "report": _is_report,
    "html": _is_page,
    "trials.csv": _is_table,
    "trials.jsonl": _is_lines,
    "trials.json": _is_document,
    "history": _is_history,
    "metrics": _is_metrics,
    "predictions": _is_predictions,
}
"""Checks, by kind of output, that Tunesmith wrote a file, given its path and the start of its
text."""
