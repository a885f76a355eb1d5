"""``tunesmith ledger gc``."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.common.options import config_option, find_config, json_option, print_json
from tunesmith.cli.common.streams import say, show
from tunesmith.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from tunesmith.ledger.housekeeping.garbage import GarbageChoice
    from tunesmith.runs.garbage.collect import Collected


@click.command("gc")
@click.argument("location", required=False)
@config_option
@click.option("--study", help="Only of this study. Its trials go, too.")
@click.option("--older-than", "age", help="Only of runs that began so long ago: `90d`, `12h`.")
@click.option("--unused", is_flag=True, help="Only evaluations that no trial uses.")
@click.option("--yes", is_flag=True, help="Remove it. Without this, it is only shown.")
@json_option
def command(
    location: str | None,
    config: Path | None,
    study: str | None,
    age: str | None,
    *,
    unused: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove evaluations with their logs, artifacts, checkpoints and kept models.

    Say what may go; several options narrow each other. What `status` and `report` show of a study
    stays unless you name the study, and what a remaining trial uses always stays. LOCATION is a
    ledger or a folder of evaluations, by default this project's ledger. No run may be on.
    """
    from tunesmith.ledger.housekeeping.garbage import GarbageChoice

    if not (study or age or unused):
        raise UsageError("say what may go: --study NAME, --older-than 90d or --unused.")
    choice = GarbageChoice(study=study, before=_before(age), only_unused=unused)
    content, text = _collected(location, config, choice, removes=yes)
    if as_json:
        print_json("ledger gc", {"is_removed": yes, **content})
    else:
        show(text)
    if not yes and any(content.values()):
        say("Nothing was removed: remove it with --yes.")


def _before(age: str | None) -> str | None:
    """Moment before which a run is too old."""
    from tunesmith.config.section import seconds

    if age is None:
        return None
    try:
        past = timedelta(seconds=float(seconds(age)))
        return (datetime.now(UTC) - past).isoformat(timespec="seconds")
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--older-than: {error}") from None


def _collected(
    location: str | None, config: Path | None, choice: "GarbageChoice", *, removes: bool
) -> tuple[dict[str, Any], str]:
    """Remove what is chosen, or find it; return it as JSON and as a text."""
    from tunesmith.config.load import load_definition
    from tunesmith.ledger.exchange.transfer import folder_of
    from tunesmith.runs.garbage.collect import collect

    # Logs and checkpoints belong to the project; another ledger's are elsewhere.
    folder = None if location is None else folder_of(location)
    if folder is not None:
        return _packs(folder, choice, removes=removes)
    if location is not None:
        found = collect(location, choice, None, removes=removes)
    else:
        definition = load_definition(find_config(config))
        found = collect(definition.ledger, choice, definition, removes=removes)
    if found.is_empty and choice.study and not any(map(choice.has_name, found.studies)):
        # Not an error: the second run of a script finds the study gone, as it wants it.
        hint = f"no study `{choice.study}`. {did_you_mean(choice.study, found.studies)}"
        return _content(found), f"Nothing is to be removed: {hint.strip()}"
    return _content(found), _told(found, removes=removes)


def _content(found: "Collected") -> dict[str, Any]:
    kinds = ("logs", "checkpoints", "models")
    return {
        "n_series": len(found.rows.series),
        "n_trials": found.rows.n_trials,
        "n_evaluations": len(found.rows.evaluations),
        **{f"n_{kind}": found.n_files(kind) for kind in kinds},
        "n_bytes": found.n_bytes,
    }


def _told(found: "Collected", *, removes: bool) -> str:
    from tunesmith.analysis.numbers import counted

    if found.is_empty:
        return "Nothing is to be removed."
    n_trials = counted(found.rows.n_trials, "trial")
    lines = [
        f"{'Removed' if removes else 'To be removed'}:",
        f"  {n_trials} of {len(found.rows.series):,} series",
        f"  {counted(len(found.rows.evaluations), 'evaluation')}",
    ]
    if found.files:
        kinds = {"logs": "folder", "checkpoints": "state", "models": "file"}
        parts = [f"{counted(found.n_files(k), what)} of {k}" for k, what in kinds.items()]
        lines.append(f"  {', '.join(parts)}: {found.n_bytes / 1e6:,.1f} MB")
    return "\n".join(lines)


def _packs(folder: Path, choice: "GarbageChoice", *, removes: bool) -> tuple[dict[str, Any], str]:
    """Do the same with a folder, which knows of no trials."""
    from tunesmith.analysis.numbers import counted
    from tunesmith.ledger.exchange.packs import FolderPlace

    if choice.only_unused:
        raise UsageError(f"{folder}: a folder knows of no trials; leave out --unused.")
    packs = FolderPlace(folder).chosen(choice.has_name, choice.is_old)
    content = {"n_packs": len(packs), "n_bytes": sum(pack.stat().st_size for pack in packs)}
    for pack in packs if removes else ():
        pack.unlink(missing_ok=True)
    begin = "Removed" if removes else "To be removed"
    return content, f"{begin}: {counted(len(packs), 'pack')}, {content['n_bytes'] / 1e6:,.1f} MB"
