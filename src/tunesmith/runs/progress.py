"""Progress on stderr: a live line on a terminal, sparse lines elsewhere."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO

from tunesmith.analysis.numbers import counted as counted
from tunesmith.analysis.numbers import rounded
from tunesmith.analysis.ranking import standard_error
from tunesmith.study.progress import Observer, Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, TaskID

SPARSE_S = 30.0
MIN_ETA_S = 1.0


def duration(seconds: float) -> str:
    """A duration in the two units that matter.

    >>> duration(4.2), duration(75), duration(7300)
    ('4.2s', '1m 15s', '2h 01m')
    """
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m" if hours else f"{minutes}m {rest:02d}s"


def best_so_far(progress: Progress) -> str:
    """Best score of each objective, and the trial that has it."""
    best = progress.best
    if best is None:
        return "no score yet"
    scores = [
        f"{m.name} {rounded(best.mean(m.name), standard_error(best.scores(m.name)))}"
        for m in progress.objectives
    ]
    return f"best {', '.join(scores)} (trial {best.number})"


def line(progress: Progress, width: int | None = None) -> str:
    """Write the progress as one line.

    Args:
        progress: of the study.
        width: characters that there is room for; what matters least is left out. By default there
            is room for all.
    """
    parts = _parts(progress)
    # The last to go is the first in the list.
    for name in ("reused", "fits", "elapsed", "pruned", "failed", "best", "trials"):
        text = SEPARATOR.join(part for part in parts.values() if part)
        if width is None or len(text) <= width:
            break
        parts[name] = ""
    return SEPARATOR.join(part for part in parts.values() if part)


SEPARATOR = " · "


def _parts(progress: Progress) -> dict[str, str]:
    """Parts of the line by name, in order; empty ones do not exist."""
    trials = counted(progress.n_completed, "trial")
    if progress.n_trials is not None:
        trials = f"{progress.n_completed:,}/{counted(progress.n_trials, 'trial')}"
    eta_s = progress.eta_s()
    to_go = f"{duration(eta_s)} to go" if eta_s and eta_s >= MIN_ETA_S else ""
    return {
        "trials": trials,
        "fits": counted(progress.n_fits, "fit"),
        "reused": f"{progress.n_reused} reused" if progress.n_reused else "",
        "pruned": f"{progress.n_pruned} pruned" if progress.n_pruned else "",
        "failed": f"{progress.n_failed} failed" if progress.n_failed else "",
        "best": best_so_far(progress),
        "elapsed": duration(progress.elapsed_s),
        "to go": to_go,
    }


@dataclass
class SparseProgress:
    """A line every ``every_s`` seconds, for logs; the first result is shown at once."""

    stream: TextIO
    every_s: float = SPARSE_S
    _next: float = field(default=0.0)
    _left: Progress | None = field(default=None)
    """Newest progress that was not printed."""

    def __call__(self, progress: Progress) -> None:
        """Print a line if it is time."""
        now = time.monotonic()
        if progress.newest is None:
            return
        if now < self._next:
            self._left = progress
            return
        self._next, self._left = now + self.every_s, None
        self._print(progress)

    def close(self) -> None:
        """Print the end, unless it was printed."""
        if self._left is not None:
            self._print(self._left)

    def _print(self, progress: Progress) -> None:
        # `tunesmith run 2>&1 | head`: a study does not end because its output is no longer read.
        with suppress(OSError):
            print(line(progress), file=self.stream, flush=True)


@dataclass
class LiveProgress:
    """A bar that grows with the trials."""

    bar: "Bar"
    task: "TaskID"

    def __call__(self, progress: Progress) -> None:
        """Redraw."""
        # The bar's own columns, and a blank between each two.
        room = self.bar.console.width - bar_width(self.bar.console.width) - 4
        self.bar.update(
            self.task,
            completed=progress.n_completed,
            total=progress.n_trials,
            description=line(progress, room),
        )


NOTEBOOK_S = 0.25
"""Least seconds between two pictures in a notebook, each of which goes to a browser."""


@dataclass
class NotebookProgress:
    """A card below the cell, drawn again in place; it needs no widgets."""

    handle: Any
    """Handle of IPython's display."""
    _next: float = field(default=0.0)
    _last: Progress | None = field(default=None)

    def __call__(self, progress: Progress) -> None:
        """Redraw it if it is time."""
        self._last, now = progress, time.monotonic()
        if now >= self._next:
            self._next = now + NOTEBOOK_S
            self._draw(progress)

    def close(self) -> None:
        """Draw the end, which may have come between two pictures."""
        if self._last is not None:
            self._draw(self._last)

    def _draw(self, progress: Progress) -> None:
        from tunesmith.reporting.notebook.live import live_card

        n, n_trials = progress.n_completed, progress.n_trials
        share = n / n_trials if n_trials else None
        html, text = live_card("tuning", line(progress), share), line(progress)
        # Both forms: a front end without HTML, such as a console, shows the text.
        self.handle.update({"text/html": html, "text/plain": text}, raw=True)


def in_notebook() -> bool:
    """True if this process is the kernel of a notebook."""
    # Not imported for it: without IPython there is no notebook.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


@contextmanager
def notebook_progress() -> Iterator[Observer]:
    """A card below the cell, which stays when the study ends."""
    # Typed in some versions of it.
    display: Any = import_module("IPython.display").display
    handle = display({"text/plain": "starting"}, raw=True, display_id=True)
    observer = NotebookProgress(handle)
    try:
        yield observer
    finally:
        observer.close()


def bar_width(width: int) -> int:
    """Characters of the bar on a terminal of some width.

    >>> bar_width(80), bar_width(200)
    (14, 24)
    """
    return min(max(width // 6 + 1, 6), 24)


def columns(console: "Console") -> "tuple[ProgressColumn, ...]":
    """Return what stands in the line on a terminal: a spinner, the bar, and the text."""
    from rich.progress import BarColumn, SpinnerColumn, TextColumn

    return (
        SpinnerColumn(),
        BarColumn(bar_width=bar_width(console.width)),
        # Rich would read square brackets in a metric's name as markup.
        TextColumn("{task.description}", markup=False),
    )


def is_interactive() -> bool:
    """True if the output is a terminal, outside of CI."""
    # Some CI runners offer a terminal, and their logs would keep every redraw.
    return sys.stderr.isatty() and not os.environ.get("CI")


@contextmanager
def watching(*, live: bool, quiet: bool = False) -> Iterator[Observer]:
    """Choose the observer that fits the output."""
    if quiet:
        yield lambda _progress: None
    elif in_notebook():
        with notebook_progress() as observer:
            yield observer
    elif not live:
        yield SparseProgress(sys.stderr)
    else:
        with live_progress() as observer:
            yield observer


@contextmanager
def live_progress() -> Iterator[Observer]:
    """A bar on the terminal behind stderr, gone when the study ends."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    # Standard output belongs to results and `--json`.
    console = Console(stderr=True)
    with Bar(*columns(console), console=console, transient=True) as bar:
        yield LiveProgress(bar, bar.add_task("starting", total=None))


@contextmanager
def watched(observer: Observer | None, *, progress: bool) -> Iterator[Observer]:
    """Choose the observer of a run that a program has begun.

    Args:
        observer: the program's own.
        progress: show the progress if there is none.
    """
    if observer is not None:
        yield observer
        return
    with watching(live=is_interactive(), quiet=not progress) as shown:
        yield shown
        # A program has no other last line, as commands have.
        if isinstance(shown, SparseProgress):
            shown.close()


def tell(text: str) -> None:
    """Print a sentence that a user should read, beside the progress."""
    # Red in notebooks, like errors, if it came on stderr.
    stream = sys.stdout if in_notebook() else sys.stderr
    with suppress(OSError):
        print(text, file=stream, flush=True)
