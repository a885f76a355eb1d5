"""Everything that can happen to a run, by chance, for as long as you like.

    python -m tests.durability.torture [--minutes 30] [--seed S]

Each round takes a project, does something terrible to it once or several times (kills of the run,
its group or a worker, a file torn or flipped, a full disk, a clock that jumps, a second run at the
same time), and then runs it to its end. Trials, scores and outputs have to be those of a project to
which nothing happened; a damaged ledger has to be told, and repaired. Seeds are printed: the same
one does the same again, up to the moments of kills.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from tests.durability import sweep
from tests.durability.forks import in_fork
from tests.durability.kills import workers

from tunesmith.errors import StorageError, TunesmithError
from tunesmith.ledger import rows
from tunesmith.ledger.ledger import Ledger, empty
from tunesmith.ledger.rescue.salvage import salvage

LEDGER = Path(".tunesmith/ledger.db")
HISTORY = Path("outputs/history.jsonl")
CODES = (0, 2, 74, 75, 130, 143, -signal.SIGKILL)


class FoundError(Exception):
    """Something is wrong."""


def begin(folder: Path, prepare: Callable[[], None] = lambda: None) -> int:
    """Start a run; returns its process."""
    process = os.fork()
    if process == 0:
        # One more fork, so that what ``in_fork`` returns can be waited for.
        prepare()
        os._exit(in_fork(folder, sweep.run) % 256)
    return process


def ended(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def said(folder: Path) -> str:
    """End of what the runs in a folder have printed."""
    log = folder / "run.log"
    return log.read_text()[-1500:] if log.exists() else ""


# -- terrible things ---------------------------------------------------------------------------


def kill(folder: Path, chance: random.Random) -> str:
    """Kill the run, its group, or a worker, at a random moment; or interrupt it."""
    number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
    whom = chance.choice(["run", "group", "worker"])
    process = start(folder)
    time.sleep(chance.uniform(0, 1.2))
    with suppress(ProcessLookupError):
        if whom == "worker" and (folder / "truth.log").exists():
            for worker in workers(folder)[:1]:
                worker.send_signal(number)
        (os.killpg if whom == "group" else os.kill)(process, number)
    if (code := ended(process)) not in (*CODES, -number):
        raise FoundError(f"{number.name} to the {whom}: it ended with {code}: {said(folder)}")
    return f"{number.name} to the {whom}"


def start(folder: Path) -> int:
    """A run in a process of its own, a leader of its group."""
    process = os.fork()
    if process == 0:
        try:
            os.setsid()
            os.chdir(folder)
            log = os.open(folder / "run.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            for stream in (1, 2):
                os.dup2(log, stream)
            from tunesmith.runs.tune import tune

            code = int(tune(folder / "tuning.yaml").exit_code)
        except KeyboardInterrupt:
            code = 128 + signal.SIGINT  # before the study has handlers of its own
        except TunesmithError as error:
            code = int(error.exit_code)
        except BaseException:  # noqa: BLE001 - whatever it is, the process must end here
            # Without the command's handlers, Pydantic turns a Ctrl-C into an error of its own.
            text = traceback.format_exc()
            print(text, file=sys.stderr, flush=True)
            code = 128 + signal.SIGINT if "KeyboardInterrupt" in text else 99
        os._exit(code)
    return process


def flip(folder: Path, chance: random.Random) -> str:
    """Flip a bit of the ledger; it has to be noticed, and can be repaired."""
    file = folder / LEDGER
    if not file.exists():
        return "nothing to flip"
    content = bytearray(file.read_bytes())
    bit = chance.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)
    repair(file)
    return f"bit {bit} flipped"


def cut(folder: Path, chance: random.Random) -> str:
    """Truncate the ledger, or zero a part of it."""
    file = folder / LEDGER
    if not file.exists():
        return "nothing to cut"
    content = bytearray(file.read_bytes())
    at = chance.randrange(len(content))
    content[at:] = b"" if chance.random() < 0.5 else bytes(len(content) - at)
    file.write_bytes(content)
    repair(file)
    return f"cut at {at}"


def repair(file: Path) -> None:
    try:
        with Ledger.open(file, create=False) as ledger:
            ledger.studies()
    except StorageError as error:
        # Damage that only SQLite notices is told as well, with the way to repair it.
        if "--repair" not in str(error):
            raise
        with suppress(Exception):
            salvage(file, empty())
            return
        for path in file.parent.glob(f"{file.name}*"):
            # A killed run leaves its workers' journals in a folder.
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def tear(folder: Path, chance: random.Random) -> str:
    """Spoil a line of the history: torn, doubled, a marker, ``null``."""
    file = folder / HISTORY
    lines = file.read_text().splitlines() if file.exists() else []
    if len(lines) < 3:
        return "nothing to tear"
    place = chance.randrange(2, len(lines))
    line = lines[place]
    spoilt = chance.choice(
        [line[: chance.randrange(1, len(line))], "null", "=======", f"{line}\n{line}"]
    )
    file.write_text("\n".join([*lines[:place], spoilt, *lines[place + 1 :]]) + "\n")
    if chance.random() < 0.5:
        shutil.rmtree(folder / ".tunesmith", ignore_errors=True)  # as in a clone
    if len(lines) == 3 and not spoilt.startswith(line):
        # It was the only trial. A run must not write over what it cannot read.
        if (code := ended(begin(folder))) != 2:
            raise FoundError(f"a history without a line that can be read: it ended with {code}")
        file.unlink()
    return f"line {place + 1} of the history spoilt"


def fill(folder: Path, chance: random.Random) -> str:
    """Run with so little space that some write fails."""
    n_bytes = chance.randrange(1_000, 120_000)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
        # Python 3.11 itself leaves half of a module's bytecode, and no later run can import it.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    code = ended(begin(folder, limit))
    if code not in (0, 74):
        raise FoundError(f"files of at most {n_bytes} bytes: it ended with {code}: {said(folder)}")
    return f"files of at most {n_bytes} bytes"


def jump(folder: Path, chance: random.Random) -> str:
    """Run while the clock of the machine is wrong, and jumps with every look at it."""

    def jumping() -> str:
        days = chance.choice([-400, -1, 0, 1, 400])
        return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")

    def confuse() -> None:
        mock.patch.object(rows, "now", jumping).start()
        mock.patch("tunesmith.ledger.ledger.now", jumping).start()
        real = time.time
        jumped = mock.patch("time.time").start()
        jumped.side_effect = lambda: real() + chance.choice([-1e7, 0.0, 1e7])

    if (code := ended(begin(folder, confuse))) != 0:
        raise FoundError(f"a jumping clock: it ended with {code}: {said(folder)}")
    return "a jumping clock"


def twice(folder: Path, chance: random.Random) -> str:
    """Two runs at the same time: one of them is refused, or finds all done."""
    first = begin(folder)
    time.sleep(chance.uniform(0, 0.5))
    codes = sorted([ended(begin(folder)), ended(first)])
    if codes not in ([0, 0], [0, 75]):
        raise FoundError(f"two runs ended with {codes}: {said(folder)}")
    return "two runs"


def leave(folder: Path, chance: random.Random) -> str:
    """Remove a file that a run has left."""
    names = [*sweep.OUTPUTS, str(LEDGER)]
    path = folder / chance.choice(names)
    path.unlink(missing_ok=True)
    if path.name == LEDGER.name:
        for other in path.parent.glob(f"{path.name}-*"):
            other.unlink()
    return f"{path.name} removed"


TERRIBLE = (kill, kill, kill, flip, cut, tear, fill, jump, twice, leave)


# -- rounds --------------------------------------------------------------------------------------


def round_of(seed: int, folder: Path, wanted: dict[str, Any]) -> list[str]:
    """One project, and what happened to it.

    Raises:
        FoundError: it did not come out as it should.
    """
    chance = random.Random(seed)
    sweep.project(folder, chance.choice(["serial", "serial", "processes"]))
    (folder / "truth.log").touch()
    happened = []
    try:
        happened += [chance.choice(TERRIBLE)(folder, chance) for _ in range(chance.randint(1, 4))]
        code = in_fork(folder, sweep.run)
        if code != 0:
            raise FoundError(f"the last run ended with {code}: {said(folder)}")
        found = sweep.state(folder)
    except Exception as error:
        raise FoundError(f"{happened}: {type(error).__name__}: {error}") from error
    differing = [part for part in ("told", *sweep.OUTPUTS[1:]) if found[part] != wanted[part]]
    if differing:
        raise FoundError(f"{happened}: {', '.join(differing)} differ")
    return happened


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args(arguments)
    sweep.preload()
    end = time.monotonic() + 60 * options.minutes
    seed = random.randrange(10**6) if options.seed is None else options.seed
    print(f"first seed {seed}", flush=True)
    counts, n_rounds, n_wrong = Counter[str](), 0, 0
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        sweep.project(folder / "quiet")
        in_fork(folder / "quiet", sweep.run)
        wanted = sweep.state(folder / "quiet")
        while time.monotonic() < end:
            place = folder / f"round-{seed}"
            try:
                happened = round_of(seed, place, wanted)
                counts.update(" ".join(text.split()[:3]) for text in happened)
            except FoundError as error:
                n_wrong += 1
                print(f"seed {seed}: {error}", flush=True)
            shutil.rmtree(place, ignore_errors=True)
            seed, n_rounds = seed + 1, n_rounds + 1
    print(f"{n_rounds} rounds, {n_wrong} findings; last seed {seed - 1}; {json.dumps(counts)}")
    sys.exit(bool(n_wrong))


if __name__ == "__main__":
    main()
