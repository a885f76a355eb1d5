"""``tunesmith ledger stats``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.common.moving import ledger_here
from tunesmith.cli.common.options import config_option, json_option, print_json
from tunesmith.cli.common.streams import show
from tunesmith.system.redact import printable

if TYPE_CHECKING:
    from tunesmith.ledger.exchange.packs import FolderPlace
    from tunesmith.ledger.housekeeping.savings import RunOrigin, Savings


@click.command("stats")
@click.argument("location", required=False)
@click.option("--runs", is_flag=True, help="Also list the runs, and where each was made.")
@config_option
@json_option
def command(location: str | None, config: Path | None, *, runs: bool, as_json: bool) -> None:
    """Show what a ledger holds, and what it has saved: evaluations that were there already.

    LOCATION is a ledger or a folder, by default this project's ledger. Hours are those that the
    evaluations took when they were made.
    """
    from tunesmith.ledger.exchange.packs import FolderPlace
    from tunesmith.ledger.exchange.transfer import opened
    from tunesmith.ledger.housekeeping.savings import run_origins, savings

    with opened(location or ledger_here(config, exists=True), create=False) as place:
        if isinstance(place, FolderPlace):
            _show_folder(place, as_json=as_json)
            return
        found = savings(place.ledger)
        origins = run_origins(place.ledger) if runs else []
        name = place.name
    if as_json:
        print_json("ledger stats", {"ledger": name, **asdict(found), **_listed(origins)})
    else:
        show("\n".join([_told(name, found), *map(_line, origins)]))


def _listed(origins: "list[RunOrigin]") -> dict[str, Any]:
    return {"runs": [asdict(one) for one in origins]} if origins else {}


def _line(one: "RunOrigin") -> str:
    """Return a run as a line; what another ledger says is not trusted to be plain text."""
    place = "elsewhere" if one.is_elsewhere else "here"
    n = f"{one.n_evaluations:,}"
    text = f"  {one.started}  {one.study}  {n}  {place}  {one.commit or '-'}  {one.machine}"
    return printable(text)


def _told(name: str, found: "Savings") -> str:
    from tunesmith.analysis.numbers import counted

    size = "" if found.n_bytes is None else f", {found.n_bytes / 1e6:,.1f} MB"
    n, runs = counted(found.n_evaluations, "evaluation"), counted(found.n_runs, "run")
    runs_elsewhere = counted(found.n_runs_elsewhere, "run")
    trials, studies = counted(found.n_trials, "trial"), counted(found.n_studies, "study")
    saved, hours = counted(found.n_saved, "evaluation"), found.saved_s / 3600
    elsewhere = f"{found.n_evaluations_elsewhere:,} of them by {runs_elsewhere} elsewhere"
    lines = [
        f"ledger {name}{size}",
        f"  holds  {n} of {runs}, {elsewhere}",
        f"  used   {found.n_used:,} times, by {trials} of {studies}",
        f"  saved  {saved}, {found.n_saved_elsewhere:,} of them made elsewhere",
        f"         {found.saved_fits:,.0f} fits, {hours:,.2f} CPU hours",
    ]
    return "\n".join(lines)


def _show_folder(place: "FolderPlace", *, as_json: bool) -> None:
    from tunesmith.analysis.numbers import counted

    packs = place.packs()
    n_bytes = sum(pack.stat().st_size for pack in packs)
    n_runs = len(place.runs())
    n = len({one.address for batch in place.batches() for one in batch})
    if as_json:
        counts = {"n_evaluations": n, "n_runs": n_runs, "n_packs": len(packs)}
        sizes = {"n_bytes": n_bytes, "damaged": dict(place.damaged)}
        print_json("ledger stats", {"folder": place.name, **counts, **sizes})
        return
    show(
        f"folder {place.name}, {n_bytes / 1e6:,.1f} MB\n"
        f"  holds  {counted(n, 'evaluation')} of {counted(n_runs, 'run')} in"
        f" {counted(len(packs), 'pack')}, {len(place.damaged):,} of them damaged"
    )
