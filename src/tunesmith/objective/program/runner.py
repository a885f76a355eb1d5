"""One evaluation of a program: a folder, its parameters, the run, its results."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tunesmith.errors import LostError, did_you_mean
from tunesmith.history import Failure, FoldResult, Metric
from tunesmith.objective.failure import failure_from
from tunesmith.objective.program.checkpoints import Checkpoints
from tunesmith.objective.program.environment import Surroundings
from tunesmith.objective.program.folds import ProgramFold
from tunesmith.objective.program.following import Limits
from tunesmith.objective.program.gpus import VARIABLE, Gpus
from tunesmith.objective.program.observing.file_owners import MADE
from tunesmith.objective.program.observing.isolation import STARTED, Start, Watched, Watching
from tunesmith.objective.program.observing.reading import ProjectView, Reading
from tunesmith.objective.program.observing.states import ABSENT
from tunesmith.objective.program.observing.workspace import WorkspaceLayout, is_beneath, matching
from tunesmith.objective.program.passing.ports import ALL_PARAMS
from tunesmith.objective.program.process import Ended, run
from tunesmith.objective.program.results.metrics import MetricsError
from tunesmith.objective.program.results.printed import Printed
from tunesmith.objective.program.results.progress import ProgressSource, StreamedValues
from tunesmith.system.files import make_state_folder, write_atomic
from tunesmith.system.portable.abilities import KILL
from tunesmith.system.redact import redact
from tunesmith.types import Params

SOURCE = "source"
"""The project's files as they were when the study was started, within ``runs``."""
N_AROUND = 6
"""Names of a run's folder: that of the project, and those of the folders around it."""
STDOUT, STDERR, WORK, ARTIFACTS = "stdout.log", "stderr.log", "work", "artifacts"
PREDICTIONS = "predictions"
LOST = "lost"
"""Kind of failure that only the executor tries again, alone."""
TAIL_BYTES = 1900
NOT_WATCHED = Watching(ProjectView(Path(), None), "nobody asked for it")
OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "out of memory")


class Ports(Protocol):
    """Passes parameters to the program and takes its results."""

    @property
    def files(self) -> tuple[str, ...]:
        """Files that are written in the working folder."""

    def put_in(self, params: Params, place: Path, run: Path, values: dict[str, str]) -> list[str]:
        """Write the parameters into files; return the items of the command."""

    def listen(self) -> Printed | None:
        """Listen to the output of a run, if results are read from it."""

    def take_out(self, place: Path, run: Path, printed: Printed | None) -> Mapping[str, float]:
        """Read the results; empty if they are streamed.

        Raises:
            MetricsError: there are no results, or they are not finite.
        """

    def unread(self, params: Params, place: Path, run: Path) -> str:
        """Reason why the values of a run that ended well cannot have arrived; else empty."""

    def warning(self, printed: Printed | None) -> str:
        """Warning about the place of the results; empty if there is none."""

    def predictions(self, place: Path, run: Path) -> Path | None:
        """Return the place of a run's predictions; ``None`` if none are collected."""

    def clear(self, place: Path, run: Path) -> None:
        """Remove results that existed before the run."""

    def follow(self, place: Path, run: Path) -> ProgressSource | None:
        """Follow the progress that is streamed; ``None`` if none is."""


@dataclass(frozen=True)
class Evaluation:
    """Params and fold that are evaluated."""

    key: str
    number: int
    """Number of the fold."""
    params: Params
    fold: ProgramFold
    thresholds: Mapping[int, float]


@dataclass(frozen=True)
class Heard:
    """Output and progress of a run while it is active."""

    course: StreamedValues | None
    printed: Printed | None

    @property
    def listeners(self) -> tuple[Callable[[bytes], None], ...]:
        """Listeners of standard output and standard error."""
        printed = self.printed
        return () if printed is None else (printed.stdout.feed, printed.stderr.feed)

    def closed(self) -> Printed | None:
        """Return the complete output."""
        if self.printed is not None:
            self.printed.close()
        return self.printed


class RunError(Exception):
    """A run gave no result."""

    def __init__(self, kind: str, message: str, reading: Reading | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.reading = reading
        """Files that it had read until then."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs a program; picklable, since it works in worker processes."""

    root: Path
    layout: WorkspaceLayout | None
    """Layout of the runs' folders; ``None`` if all runs share the project's folder."""
    ports: Ports
    metric: Metric
    """The first metric that decides."""
    metrics: Sequence[str]
    """Names of all metrics."""
    surroundings: Surroundings
    limits: Limits
    retry: Mapping[str, int]
    runs: Path
    """Folder with a folder for each evaluation, named after its key, for logs and artifacts."""
    artifacts: Sequence[str] = ()
    gpus: Gpus | None = None
    checkpoints: Checkpoints | None = None
    watching: Watching = NOT_WATCHED

    def evaluate(self, job: Evaluation) -> FoldResult:
        """Run until there is a result, or no more tries are left."""
        tries: dict[str, int] = {}
        while True:
            try:
                return self._attempt(job)
            except RunError as error:
                cause = _cause(error.kind)
                tries[cause] = tries.get(cause, 0) + 1
                if tries[cause] > self.retry.get(cause, 0):
                    if error.kind == LOST:
                        # No result: the executor tries it once more, when nothing else runs.
                        raise LostError(str(error)) from None
                    failure = self._failure(job, error, tries[cause])
                    return FoldResult(job.number, {}, failure=failure, reading=error.reading)

    def drop_artifacts(self, key: str) -> None:
        """Remove the artifacts of a run, but not its logs."""
        shutil.rmtree(self.runs / key / ARTIFACTS, ignore_errors=True)

    def predictions_of(self, key: str) -> Path | None:
        """Return the file of predictions that a run left; ``None`` if there is none."""
        with suppress(OSError):
            return next(iter((self.runs / key / PREDICTIONS).iterdir()), None)
        return None

    def drop_predictions(self, key: str) -> None:
        """Remove the predictions of a run, but not its logs."""
        shutil.rmtree(self.runs / key / PREDICTIONS, ignore_errors=True)

    def take_snapshot(self) -> None:
        """Keep the project's files as they are now, so that later edits disturb no run."""
        # The time first: a file that changes while it is copied must count as changed.
        self.watching.begin(self.runs)
        if self.layout is not None:
            self.layout.copy_to(self.runs / SOURCE, self.root)

    def remove_leftovers(self) -> None:
        """Remove the snapshot and remains of interrupted runs; call it when no run is active."""
        shutil.rmtree(self.runs / SOURCE, ignore_errors=True)
        (self.runs / STARTED).unlink(missing_ok=True)
        for place in self.runs.glob(f"*/{WORK}"):
            shutil.rmtree(place, ignore_errors=True)
        if self.checkpoints is not None:
            self.checkpoints.remove_leftovers()

    def _attempt(self, job: Evaluation) -> FoldResult:
        folder = self.runs / job.key
        # A killed run may have left files of the same evaluation.
        shutil.rmtree(folder, ignore_errors=True)
        make_state_folder(folder)
        with ExitStack() as stack:
            place = stack.enter_context(self._place(folder))
            own = self._own_values(stack, job, folder, place)
            argv = self.ports.put_in(job.params, place, folder, own)
            # Results in the project's copy must not be taken for those of this run.
            self.ports.clear(place, folder)
            source = self.ports.follow(place, folder)
            course = StreamedValues(self.metric, job.thresholds, source) if source else None
            heard = Heard(course, self.ports.listen())
            with self.watching.run(place, folder) as watched:
                ended = self._run(argv, place, folder, own=own, heard=heard, start=watched.start)
            reading = self._reading(watched, place, folder)
            try:
                # Before the results: those of a run that was kept from writing mean nothing.
                _refuse_changes(watched.refused, self.root)
                _refuse_mixtures(watched.mixed, self.root)
                result = self._result(job, ended, place, folder, heard)
            except RunError as error:
                missed = self._missed(reading) or self._missed_folder(watched, place)
                if error.kind == "no-metrics":
                    missed = self._elsewhere(watched, place) or missed
                raise RunError(error.kind, f"{error}{missed}", reading) from None
            result = replace(result, reading=reading)
            if watched.problem and not result.warning:
                said = f"watching: {watched.problem}; the result depends on all files"
                result = replace(result, warning=said)
            if watched.hidden and not result.warning:
                said = f"links: {watched.hidden[0]} was listed as a link, since it is too large"
                result = replace(result, warning=f"{said} to be copied for each run")
            result = self._with_artifacts(result, place, folder)
            return self._with_predictions(result, place, folder)

    def _reading(self, watched: Watched, place: Path, folder: Path) -> Reading:
        source = self.runs / SOURCE
        reading = self.watching.reading(watched, place, folder, source if source.is_dir() else None)
        self.watching.check(self.runs, reading, watched)
        return reading

    def _missed(self, reading: Reading) -> str:
        """Describe a file that the run looked for and did not get, since Git ignores it."""
        left = () if self.layout is None else self.layout.left
        absent = (name for name, state in reading.items() if state == ABSENT)
        missed = next((name for name in absent if is_beneath(name, left)), None)
        if missed is None or not (self.root / missed).exists():
            return ""
        return (
            f"; it looked for {missed}, which is left out of runs since Git ignores it: name it as"
            " `objective.workspace.link` if programs read it"
        )

    def _elsewhere(self, watched: Watched, place: Path) -> str:
        """Describe a file of results that the run has written, but into another folder."""
        names = {Path(name).name for name in self.ports.files}
        made = (Path(path) for path, does in (watched.seen or {}).items() if does & MADE)
        # What lies in a folder that the run has made is not recorded one by one.
        inner = (p for path in made for p in (path, *(path.rglob("*") if path.is_dir() else ())))
        file = next((path for path in inner if path.name in names and path.is_file()), None)
        if file is None:
            return ""
        shown = file.relative_to(place) if file.is_relative_to(place) else file
        return (
            f"; it wrote {shown}: name that file, or let the program write to the path in"
            " TUNESMITH_METRICS, which `{metrics}` in `command` stands for, too"
        )

    def _missed_folder(self, watched: Watched, place: Path) -> str:
        """Describe a folder that the run wrote into and did not get, since Git ignores it."""
        for path, does in (watched.seen or {}).items():
            folder = Path(path).parent
            if not does & MADE or folder.exists() or not folder.is_relative_to(place):
                continue
            name = folder.relative_to(place).as_posix()
            if (self.root / name).is_dir():
                return (
                    f"; it wrote into {name}/, which runs do not get since Git ignores it: let the"
                    f" program make it (`mkdir -p {name}`), or have Git track a file in it"
                )
        return ""

    def _with_artifacts(self, result: FoldResult, place: Path, folder: Path) -> FoldResult:
        n_kept = 0
        for artifact in matching(place, self.artifacts):
            kept = folder / ARTIFACTS / artifact.relative_to(place)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(artifact, kept)
            n_kept += 1
        if n_kept or not self.artifacts or result.warning:
            return result
        patterns = ", ".join(self.artifacts)
        return replace(result, warning=f"artifacts: no file matches {patterns}; nothing was kept")

    def _with_predictions(self, result: FoldResult, place: Path, folder: Path) -> FoldResult:
        """Keep the run's predictions, or warn that there are none."""
        made = self.ports.predictions(place, folder)
        if made is None:
            return result
        kept = folder / PREDICTIONS / made.name
        if made.is_file():
            kept.parent.mkdir(exist_ok=True)
            # Runs that share the project's folder have written it here.
            if made != kept:
                shutil.copyfile(made, kept)
        elif not result.warning and result.stopped_at is None:
            return replace(result, warning=f"predictions: the run wrote no {made.name}")
        return result

    @contextmanager
    def _place(self, folder: Path) -> Iterator[Path]:
        if self.layout is None:
            yield self.root
            return
        # Below folders of its own with the names of those around the project: `../..` leads there.
        place = folder.joinpath(WORK, *self.root.parts[1:][-N_AROUND:])
        try:
            source = self.runs / SOURCE
            self.layout.lay_out(place, source if source.is_dir() else None)
            yield place
        finally:
            shutil.rmtree(folder / WORK, ignore_errors=True)

    def _own_values(
        self, stack: ExitStack, job: Evaluation, folder: Path, place: Path
    ) -> dict[str, str]:
        """Values for the words in the command's braces that are no parameters."""
        own = {"run": str(folder), "workspace": str(place), **job.fold.values}
        if self.checkpoints is not None:
            own["checkpoint"] = str(stack.enter_context(self.checkpoints.of(job.params, job.fold)))
        if self.gpus is not None:
            # Locked last, so that no GPU is held while a state is copied.
            own["gpu"] = stack.enter_context(self.gpus.one())
        write_atomic(folder / ALL_PARAMS, json.dumps(dict(job.params), indent=1) + "\n")
        return own

    def _run(
        self,
        argv: Sequence[str],
        place: Path,
        folder: Path,
        *,
        own: Mapping[str, str],
        heard: "Heard",
        start: Start,
    ) -> Ended:
        variables = {f"TUNESMITH_{name.upper()}": value for name, value in own.items()}
        variables["TUNESMITH_PARAMS"] = str(folder / ALL_PARAMS)
        if "gpu" in own:
            variables[VARIABLE] = own["gpu"]
        logs = folder / STDOUT, folder / STDERR
        is_enough = None if heard.course is None else heard.course.is_enough
        environ = self.surroundings.environ(variables)
        try:
            return run(
                argv,
                place,
                environ=environ,
                logs=logs,
                limits=self.limits,
                is_enough=is_enough,
                listeners=heard.listeners,
                start=start,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise RunError("cannot-start", f"{argv[0]} cannot be started: {reason}") from None

    def _result(
        self, job: Evaluation, ended: Ended, place: Path, folder: Path, heard: "Heard"
    ) -> FoldResult:
        course = heard.course
        # Before the exit status: a run that was pruned was ended by us.
        if course is not None and course.has_fallen_short():
            return FoldResult(
                job.number,
                course.scores(),
                fit_time_s=ended.seconds,
                progress=course.curve(),
                stopped_at=course.stopped_at,
            )
        self._check(ended, folder)
        if unread := self.ports.unread(job.params, place, folder):
            raise RunError("unread", unread)
        scores = course.scores() if course is not None else {}
        try:
            # What a program reports at its end counts more than what it has streamed.
            scores |= self.ports.take_out(place, folder, heard.closed())
        except MetricsError as error:
            raise RunError(error.kind, str(error)) from None
        if missing := [name for name in self.metrics if name not in scores]:
            names = sorted(course.source.names) if course is not None else ()
            hint = did_you_mean(missing[0], names) if names else "Nothing was streamed at all."
            raise RunError("no-metrics", f"nothing was streamed as {', '.join(missing)}. {hint}")
        progress = () if course is None else course.curve()
        warning = self.ports.warning(heard.printed)
        return FoldResult(
            job.number, scores, fit_time_s=ended.seconds, progress=progress, warning=warning
        ).checked()

    def _check(self, ended: Ended, folder: Path) -> None:
        if ended.was_late:
            raise RunError("timeout", f"stopped after {self.limits.time_s:g} seconds")
        if ended.code == 0:
            return
        said = tail(folder / STDERR) or tail(folder / STDOUT)
        # The limit makes an allocation fail: the program then ends by itself, and only its words
        # tell.
        if self.limits.memory is not None and any(sign in said for sign in OUT_OF_MEMORY):
            limit = f"{self.limits.memory / 1e6:,.0f} MB"
            raise RunError("memory", f"needed more than the limit of {limit}")
        if ended.code > 0:
            raise RunError("exit", f"exited with status {ended.code}")
        if ended.code == -KILL:
            # The system may have killed it for memory that other runs used: alone it may succeed.
            raise RunError(LOST, f"the program was {ended.killed}")
        raise RunError("signal", f"killed by {signal_name(-ended.code)}")

    def _failure(self, job: Evaluation, error: RunError, n_tries: int) -> Failure:
        folder = self.runs / job.key
        # Values that the configuration sets may be secrets as well.
        said = redact(last_said(folder), {**os.environ, **self.surroundings.section.set})
        message = str(error) if n_tries == 1 else f"{error} ({n_tries} times)"
        return failure_from(error.kind, message, said)


def _refuse_changes(refused: Sequence[str], root: Path) -> None:
    """Fail a run that would have changed shared files."""
    if not refused:
        return
    names = [os.path.relpath(p, root) if Path(p).is_relative_to(root) else p for p in refused]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    raise RunError(
        "shared-file",
        f"would have changed {names[0]}{more}, which all runs share, and was kept from it:"
        " write to a relative path, within the run's own folder",
    )


def _refuse_mixtures(mixed: Sequence[str], root: Path) -> None:
    """Fail a run that may have read what another run wrote."""
    if mixed:
        is_within = Path(mixed[0]).is_relative_to(root)
        name = f"{os.path.relpath(mixed[0], root)} in the project" if is_within else mixed[0]
        raise RunError(
            "shared-file",
            f"wrote and read {name}, which another run"
            " wrote, too, so that their results may be mixed: write to a relative path, within the"
            " run's own folder",
        )


def _cause(kind: str) -> str:
    """Name under which a kind of failure is retried."""
    if kind == LOST:
        return "signal"
    return kind if kind in ("signal", "exit", "timeout") else "metrics"


def signal_name(number: int) -> str:
    """Write a signal in the usual form; real-time signals have only numbers.

    >>> signal_name(11), signal_name(35)
    ('SIGSEGV', 'signal 35')
    """
    known = signal.valid_signals()
    name = next((s.name for s in known if s == number and isinstance(s, signal.Signals)), None)
    return name or f"signal {number}"


def last_said(folder: Path) -> str:
    """Return the last lines of a run's output, of both streams if both have some."""
    texts = {name: tail(folder / name) for name in (STDOUT, STDERR)}
    kept = [f"[{name.removesuffix('.log')}]\n{text}" for name, text in texts.items() if text]
    return "\n".join(kept) if len(kept) > 1 else texts[STDERR] or texts[STDOUT]


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return text.strip() if size <= TAIL_BYTES else f"…{text.partition(chr(10))[2].strip()}"
