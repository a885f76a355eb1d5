"""``tunesmith status``."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.common.content import best_content
from tunesmith.cli.common.options import config_option, json_option, print_json
from tunesmith.cli.common.reading import open_record
from tunesmith.cli.common.streams import show
from tunesmith.ledger.lock import holder

if TYPE_CHECKING:
    from tunesmith.config.model import Definition
    from tunesmith.config.objective import ObjectiveSection
    from tunesmith.ledger.records import StudyRecord
    from tunesmith.parameters.edits import Edit


@click.command("status")
@config_option
@json_option
def command(config: Path | None, *, as_json: bool) -> None:
    """Show the progress and the state of the study, also while a run is on."""
    definition, record = open_record(config)
    study = _Described(definition, record)
    content = study.content
    # While a run is on, the record is that of this very moment, and digests of data take time.
    if not content["is_running"]:
        content["standing"] = study.staleness
    if as_json:
        print_json("status", content)
    else:
        show("\n".join(f"  {name:10} {text}" for name, text in _rows(content)))


@dataclass(frozen=True)
class _Described:
    """A study as it is described, as JSON content."""

    definition: "Definition"
    record: "StudyRecord"

    @property
    def content(self) -> dict[str, Any]:
        """The progress of the study, from its record alone."""
        record, history = self.record, self.record.history
        constrained = {"violating": _violating(record)} if history.subject_to else {}
        return {
            "study": record.head.name,
            "generation": record.head.generation,
            "is_running": holder(self.definition.ledger, record.head.name) is not None,
            "n_told": history.n_completed,
            "n_running": len(history.pending),
            "n_failed": history.n_failed,
            "n_pruned": history.n_pruned,
            "n_trials": self.definition.file.stop.trials,
            "best": best_content(record),
            **constrained,
            "unchanged": _unchanged(record),
            "last_run": _last_run(record),
            "reading": dict(record.head.reading),
            "unwatched": _unwatched(self.definition.file.objective, self.definition.root),
            "is_history": bool(record.runs) and not record.runs[-1].started,
        }

    @property
    def staleness(self) -> dict[str, Any]:
        """Staleness against the present data, code, versions and configuration."""
        from tunesmith.pipeline.staleness import staleness

        found = staleness(self.definition, self.record)
        edit = found.edit
        return {
            "is_current": found.is_current,
            "reasons": list(found.reasons),
            "left": found.left,
            "words": found.words,
            "edit": None if edit is None else {"trial": edit.trial, "changes": list(edit.changes)},
            "parameters": self._parameters(edit),
        }

    def _parameters(self, edit: "Edit | None") -> str:
        """Describe the content of the best-parameters file."""
        from tunesmith.parameters.best_file import BestFile

        best = BestFile.of(self.definition)
        name = best.outputs.best.path
        if edit is not None:
            return f"{name}: {edit.words}"
        if not best.path.is_file():
            if self.record.history.best() is None:
                return f"{name}: not there yet, because no trial is complete"
            return f"{name}: not there; `tunesmith report` writes it"
        meta = best.read()[1]
        if meta is None or "trial" not in meta:
            return f"{name}: as the study chose"
        is_own = meta.get("study") == self.record.head.name
        other = "" if is_own else f" of study {_shown(meta, 'study')}"
        return f"{name}: trial {_shown(meta, 'trial')}{other}"


def _violating(record: "StudyRecord") -> dict[str, Any]:
    """Trials that violate a constraint on outcomes, and so cannot win."""
    from tunesmith.analysis.outcomes import outcomes
    from tunesmith.reporting.wording.constraints import unmet

    found = outcomes(record.history, record.metrics, None)
    numbers = [trial.number for trial in found.trials]
    n_complete = sum(1 for _ in record.history.successful)
    words = f"{len(numbers)} of {n_complete} complete trials violate {', '.join(found.constraints)}"
    if record.history.best() is None and numbers:
        words = unmet(found, str, str)
    return {"subject_to": list(found.constraints), "trials": numbers, "words": words}


def _unchanged(record: "StudyRecord") -> dict[str, Any]:
    """Return the parameters that changed no score, as JSON content."""
    from tunesmith.analysis.unchanged import unchanged_in

    same = unchanged_in(record.history, record.metrics)
    return {"n_same": same.n_same, "alone": dict(same.alone)}


def _shown(meta: dict[str, Any], key: str) -> str:
    # Anybody may have written the file.
    from tunesmith.reporting.escape import terminal

    return terminal(str(meta.get(key)))


def _last_run(record: "StudyRecord") -> dict[str, Any] | None:
    if not record.runs:
        # Killed between the first two writes of its first run.
        return None
    last = record.runs[-1]
    if not last.started:
        return None  # a history tells of no clocks
    return {
        "started": last.started,
        "ended": last.ended,
        "stopped_by": last.stopped_by and last.stopped_by.text,
        "n_evaluated": last.n_evaluated,
        "n_reused": last.n_reused,
        "n_fits": last.n_fits,
    }


def _unwatched(section: "ObjectiveSection", root: Path) -> list[str]:
    from tunesmith.objective.identity.unwatched import unwatched

    return [] if section.is_program else unwatched(section.all_import_paths, root)


def _rows(content: dict[str, Any]) -> list[tuple[str, str]]:
    from tunesmith.reporting.reading import read_words

    best = content["best"]
    rows = [
        ("study", content["study"]),
        ("state", _state(content)),
        ("trials", _trials(content)),
    ]
    if content["generation"] > 1:
        rows[0] = ("study", f"{content['study']} (generation {content['generation']})")
    if best is not None:
        scores = ", ".join(f"{name} {s['mean']:.5g}" for name, s in best["scores"].items())
        rows.append(("best", f"trial {best['trial']}: {scores}"))
    if "violating" in content:
        rows.append(("violating", content["violating"]["words"]))
    rows += [("warning", text) for text in _warnings(content)]
    if "standing" in content:
        rows.append(("results", content["standing"]["words"]))
        rows.append(("parameters", content["standing"]["parameters"]))
    if content["reading"]:
        rows.append(("depends on", read_words(content["reading"])))
    rows += [("note", text) for text in content["unwatched"]]
    if content["last_run"] is not None:
        rows.append(("last run", _when(content["last_run"])))
    return rows


def _warnings(content: dict[str, Any]) -> list[str]:
    from tunesmith.reporting.escape import terminal

    n_same, alone = content["unchanged"]["n_same"], content["unchanged"]["alone"]
    if n_same:
        same = f"all {n_same} complete trials scored the same to the last digit"
        return [f"{same}: none of these parameters changed the result"]
    listed = ", ".join(f"{name} ({n} trials differ in it alone)" for name, n in alone.items())
    return [terminal(f"no score changed with {listed}")] if alone else []


def _when(last: dict[str, Any]) -> str:
    """Start of a run in this machine's time, and its duration."""
    from tunesmith.runs.progress import duration

    began = datetime.fromisoformat(last["started"])
    text = f"began {began.astimezone():%Y-%m-%d %H:%M:%S}"
    if last["ended"] is None:
        return text
    took_s = (datetime.fromisoformat(last["ended"]) - began).total_seconds()
    return f"{text}, took {duration(took_s) if took_s >= 1 else 'less than 1s'}"


def _state(content: dict[str, Any]) -> str:
    from tunesmith.analysis.numbers import counted

    if content["is_running"]:
        return f"running, {counted(content['n_running'], 'trial')} under way"
    if content["is_history"]:
        return "not run here; read from the history that Git keeps"
    last = content["last_run"]
    if last is None or last["ended"] is None:
        return "the last run was cut off; `tunesmith run` continues it"
    reason = last["stopped_by"]
    return f"ended: {reason}" if reason else "ended; the reason is not recorded"


def _trials(content: dict[str, Any]) -> str:
    total = f" of {content['n_trials']}" if content["n_trials"] else ""
    ends = [f", {n} {end}" for end in ("pruned", "failed") if (n := content[f"n_{end}"])]
    return f"{content['n_told']}{total}{''.join(ends)}"
