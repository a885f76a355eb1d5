"""Transfers of evaluations, as the commands that move them show them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tunesmith.cli.common.options import find_config, print_json
from tunesmith.cli.common.streams import show
from tunesmith.errors import StorageError, UsageError

if TYPE_CHECKING:
    from tunesmith.ledger.exchange.transfer import Moved

VARIABLE = "TUNESMITH_REMOTE"
F = TypeVar("F", bound=Callable[..., Any])


def remote_argument(function: F) -> F:
    """``REMOTE``: where evaluations are shared, on the command line or in a variable."""
    return click.argument("remote", envvar=VARIABLE)(function)


def ledger_here(config: Path | None, *, exists: bool) -> str | Path:
    """Return the place of the project's ledger.

    Args:
        config: as given on the command line.
        exists: true if it must be there.

    Raises:
        UsageError: it is not.
    """
    from tunesmith.config.load import load_definition

    location = load_definition(find_config(config)).ledger
    if exists and isinstance(location, Path) and not location.is_file():
        raise UsageError(f"{location}: there is no ledger. Begin with `tunesmith run`.")
    return location


def move(sources: Sequence[str | Path], target: str | Path, kind: str, *, as_json: bool) -> None:
    """Transfer what the target lacks, and show what was new.

    Args:
        sources: places to take from.
        target: it is made if it is missing.
        kind: of the JSON document.
        as_json: print JSON.

    Raises:
        StorageError: a place cannot be opened, or packs of a folder are damaged.
    """
    from tunesmith.ledger.exchange.transfer import check_differs, opened, transfer

    # All before the first transfer: a mistake in the last name changes nothing.
    for source in sources:
        check_differs(source, target)
    moves = []
    for source in sources:
        with opened(source, create=False) as one, opened(target, create=True) as other:
            moves.append(transfer(one, other))
    if as_json:
        content = [
            {"source": m.source, "target": m.target, "n_new": m.n_new, "n_known": m.n_known}
            | {"damaged": dict(m.damaged)}
            for m in moves
        ]
        print_json(f"ledger {kind}", {"moves": content})
    else:
        show("\n".join(map(_told, moves)))
    # What was taken is shown first.
    _refuse_damage(moves)


def _told(moved: "Moved") -> str:
    from tunesmith.analysis.numbers import counted

    if not moved.n_new:
        return f"Nothing new: {moved.target} has {_all(moved)} of {moved.source}."
    n = counted(moved.n_new, "evaluation")
    return f"{n} of {moved.source} added to {moved.target}, which had {moved.n_known:,} of them."


def _all(moved: "Moved") -> str:
    from tunesmith.analysis.numbers import counted

    return f"all {counted(moved.n_known, 'evaluation')}"


def _refuse_damage(moves: "Sequence[Moved]") -> None:
    """Name packs that are not as they were written, after all others were taken.

    Raises:
        StorageError: there are some.
    """
    damaged = [(m.source, name, why) for m in moves for name, why in m.damaged.items()]
    if damaged:
        lines = [f"  {Path(source) / name}: {why}" for source, name, why in damaged]
        raise StorageError(
            "packs are damaged, and were left out:\n" + "\n".join(lines) + "\n  Remove them, and"
            " push again from where these evaluations were made. All others were taken."
        )
