"""``tunesmith status``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.content import best_content
from tunesmith.cli.options import config_option, json_option, print_json
from tunesmith.cli.reading import open_record
from tunesmith.ledger.lock import holder

if TYPE_CHECKING:
    from tunesmith.config.model import Definition
    from tunesmith.ledger.records import StudyRecord


@click.command("status")
@config_option
@json_option
def command(config: Path | None, *, as_json: bool) -> None:
    """Show where the study stands; works while a run is on."""
    definition, record = open_record(config)
    content = _content(definition, record)
    if as_json:
        print_json("status", content)
    else:
        click.echo("\n".join(f"  {name:10} {text}" for name, text in _rows(content)))


def _content(definition: "Definition", record: "StudyRecord") -> dict[str, Any]:
    history, last = record.history, record.runs[-1]
    return {
        "study": record.head.name,
        "generation": record.head.generation,
        "is_running": holder(definition.ledger, record.head.name) is not None,
        "n_told": history.n_told,
        "n_running": len(history.running),
        "n_failed": history.n_failed,
        "n_trials": definition.file.stop.trials,
        "best": best_content(record),
        "last_run": {
            "started": last.started,
            "ended": last.ended,
            "stopped_by": last.stopped_by,
            "n_evaluated": last.n_evaluated,
            "n_reused": last.n_reused,
            "n_fits": last.n_fits,
        },
    }


def _rows(content: dict[str, Any]) -> list[tuple[str, str]]:
    last, best = content["last_run"], content["best"]
    rows = [
        ("study", f"{content['study']} (generation {content['generation']})"),
        ("state", _state(content)),
        ("trials", _trials(content)),
    ]
    if best is not None:
        scores = ", ".join(f"{name} {s['mean']:.5g}" for name, s in best["scores"].items())
        rows.append(("best", f"trial {best['trial']}: {scores}"))
    rows.append(("last run", f"{last['started']} to {last['ended'] or '?'}"))
    return rows


def _state(content: dict[str, Any]) -> str:
    if content["is_running"]:
        return f"running, {content['n_running']} trials under way"
    last = content["last_run"]
    if last["ended"] is None:
        return "the last run was killed; `tunesmith run` continues it"
    return f"ended: {last['stopped_by']}"


def _trials(content: dict[str, Any]) -> str:
    total = f" of {content['n_trials']}" if content["n_trials"] else ""
    failed = f", {content['n_failed']} failed" if content["n_failed"] else ""
    return f"{content['n_told']}{total}{failed}"
