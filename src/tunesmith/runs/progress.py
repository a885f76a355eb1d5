"""Progress on stderr: a live line on a terminal, sparse lines elsewhere."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from tunesmith.study.progress import Observer, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

SPARSE_S = 30.0
MIN_ETA_S = 1.0


def counted(number: int, word: str) -> str:
    """A number with its noun.

    >>> counted(1, "trial"), counted(12_000, "study")
    ('1 trial', '12,000 studies')
    """
    if number != 1:
        word = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number:,} {word}"


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
    if progress.best is None:
        return "no score yet"
    scores = [f"{m.name} {progress.best.mean(m.name):.5g}" for m in progress.objectives]
    return f"best {', '.join(scores)} (trial {progress.best.number})"


def line(progress: Progress) -> str:
    """Write the whole progress as one line."""
    if progress.n_trials is None:
        trials = counted(progress.n_told, "trial")
    else:
        trials = f"{progress.n_told:,}/{counted(progress.n_trials, 'trial')}"
    parts = [trials, counted(progress.n_fits, "fit")]
    if progress.n_reused:
        parts.append(f"{progress.n_reused} reused")
    if progress.n_pruned:
        parts.append(f"{progress.n_pruned} pruned")
    if progress.n_failed:
        parts.append(f"{progress.n_failed} failed")
    parts += [best_so_far(progress), duration(progress.elapsed_s)]
    eta_s = progress.eta_s()
    if eta_s and eta_s >= MIN_ETA_S:
        parts.append(f"{duration(eta_s)} to go")
    return " · ".join(parts)


@dataclass
class SparseProgress:
    """A line every ``every_s`` seconds, for logs; the first result is shown at once."""

    stream: TextIO
    every_s: float = SPARSE_S
    _next: float = field(default=0.0)

    def __call__(self, progress: Progress) -> None:
        """Print a line if it is time."""
        now = time.monotonic()
        if progress.newest is None or now < self._next:
            return
        self._next = now + self.every_s
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
        self.bar.update(
            self.task,
            completed=progress.n_told,
            total=progress.n_trials,
            description=line(progress),
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
    elif not live:
        yield SparseProgress(sys.stderr)
    else:
        with live_progress() as observer:
            yield observer


@contextmanager
def live_progress() -> Iterator[Observer]:
    """A bar on the terminal behind stderr, gone when the study ends."""
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=24),
        # Rich would read square brackets in a metric's name as markup.
        TextColumn("{task.description}", markup=False),
    )
    # Standard output belongs to results and `--json`.
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield LiveProgress(bar, bar.add_task("starting", total=None))
