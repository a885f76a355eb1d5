"""Damages the files that a project has, at random, and reads them with every command.

``make fuzz MINUTES=30`` runs it for long. Whatever is in a file, a command ends with an exit code
that is meant, without a traceback, and without holding on to memory. Each round has a seed of its
own, which is printed with what it finds, so that ``--seed N --rounds 1`` repeats it.
"""

import argparse
import contextlib
import io
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tunesmith.cli import main

MEANT = {0, 1, 2, 3, 4, 74, 75}
CONFIG, HISTORY, LEDGER = "tuning.yaml", "outputs/history.jsonl", ".tunesmith/ledger.db"
FILES = [CONFIG, CONFIG, CONFIG, HISTORY, LEDGER, "dvc.yaml", "dvc.lock", "params.yaml", "data.csv"]
FILES += ["config/best_parameters.yaml"]
COMMANDS = ["check", "status --json", "verify", "best", "trials --json", "report", "compare HEAD"]
COMMANDS += ["run -q --workers 1 --trials 2", "adopt --dry-run", "export out.csv", "dvc check"]
RUN = "run"
TEXT = """
null true ~ [] {} "" "\\0" .nan .inf -.inf 1e999 1e308 -1 0 1 2 1e30 100000000000000000000 0x10 0o7
2024-01-01 12:30:00 !!python/object:os.system *a &a <<: ? | > - : , # %YAML @ ` \\t é 𝔘
../../etc/passwd /dev/null a[0] a.b a\\nb __class__ {params} ${HOME} {{7*7}} <script> =1+1 ::error::
study objective space stop search estimator data path target cv metric int float log when values
grid random bayesian trials time max_depth criterion gini kind data.csv outputs best report history
"""
WORDS = TEXT.split()
DVC = """\
stages:
  tuning:
    cmd: tunesmith run
    deps: [data.csv, tuning.yaml]
    params: [train.depth]
    outs:
      - config/best_parameters.yaml: {cache: false, persist: true}
"""


def prepared(folder: Path) -> Path:
    """A finished study with every kind of file."""
    from tunesmith import tune
    from tunesmith.testing.projects import TUNING, make_project

    outputs = f"execution: {{workers: 1}}\noutputs: {{history: {HISTORY}}}\n"
    tune(make_project(folder, trials=4, text=TUNING + outputs))
    (folder / "dvc.yaml").write_text(DVC)
    (folder / "dvc.lock").write_text("schema: '2.0'\nstages:\n  tuning:\n    cmd: tunesmith run\n")
    (folder / "params.yaml").write_text("train: {depth: 3, rate: 1e-3}\n")
    return folder


def damaged(content: bytes, rng: random.Random) -> bytes:
    """A file's content, changed in one to four places."""
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        content = rng.choice(DAMAGES)(content, rng)
    return content


def _flip(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content or b"\0")
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(content: bytes, rng: random.Random) -> bytes:
    begin = rng.randrange(len(content) + 1)
    end = min(len(content), begin + rng.choice([1, 5, 40, len(content)]))
    return content[:begin] + content[end:]


def _word(content: bytes, rng: random.Random) -> bytes:
    """A word in place of another, or beside it."""
    parts = content.split(b" ")
    place = rng.randrange(len(parts))
    word = rng.choice(WORDS).encode()
    parts[place] = word if rng.random() < 0.7 else parts[place] + b" " + word
    return b" ".join(parts)


def _value(content: bytes, rng: random.Random) -> bytes:
    """Another value behind a colon."""
    places = [n for n, byte in enumerate(content) if byte == ord(":")]
    if not places:
        return _word(content, rng)
    place = rng.choice(places) + 1
    ends = [at for sign in (b",", b"}", b"\n") if (at := content.find(sign, place)) >= 0]
    end = min(ends, default=len(content))
    return content[:place] + b" " + rng.choice(WORDS).encode() + content[end:]


def _line(content: bytes, rng: random.Random) -> bytes:
    """A line lost, doubled, moved, or pushed to the right."""
    lines = content.split(b"\n")
    place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(other, lines[place])
    elif kind == 2:
        lines[place], lines[other] = lines[other], lines[place]
    else:
        lines[place] = b"  " + lines[place]
    return b"\n".join(lines)


def _marker(content: bytes, rng: random.Random) -> bytes:
    return _line(content, rng) + b"\n<<<<<<< ours\n=======\n>>>>>>> theirs\n"


DAMAGES: list[Callable[[bytes, random.Random], bytes]] = [
    _flip,
    _cut,
    _word,
    _value,
    _line,
    _marker,
]
DAMAGES += [_value, _word]


@dataclass(frozen=True)
class Finding:
    """A command that did not end as meant."""

    seed: int
    file: str
    command: str
    code: object
    said: str


def round_of(seed: int, whole: Path, place: Path) -> tuple[list[Finding], list[int]]:
    """Damage one file of a fresh copy, and run some commands."""
    rng = random.Random(seed)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(whole, place)
    name = rng.choice(FILES)
    (place / name).write_bytes(damaged((place / name).read_bytes(), rng))
    found, codes = [], []
    for command in rng.sample(COMMANDS, 4):
        code, said = _ended(command, place)
        codes.append(code if isinstance(code, int) else -1)
        if code not in MEANT or "Traceback" in said:
            found.append(Finding(seed, name, command, code, said[-2000:]))
    return found, codes


def _ended(command: str, place: Path) -> tuple[object, str]:
    said, before, arguments = io.StringIO(), Path.cwd(), sys.argv
    os.chdir(place)
    sys.argv = ["tunesmith", *command.split()]
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main()
    except SystemExit as exit_:
        return exit_.code or 0, said.getvalue()
    except BaseException as error:  # noqa: BLE001 - that is what is looked for
        return repr(error), said.getvalue()
    finally:
        sys.argv = arguments
        os.chdir(before)
    return 0, said.getvalue()


def fuzz(
    seconds: float, seed: int, rounds: int | None = None
) -> tuple[list[Finding], Counter[int]]:
    """Rounds until the time is up; prints each finding as it comes."""
    found: list[Finding] = []
    codes: Counter[int] = Counter()
    end, number = time.monotonic() + seconds, seed
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        whole = prepared(folder / "whole")
        while time.monotonic() < end and (rounds is None or number < seed + rounds):
            new, ended = round_of(number, whole, folder / "project")
            codes.update(ended)
            found += new
            for one in new:
                print(
                    f"seed {one.seed}: {one.command} with {one.file}: {one.code}\n{one.said}",
                    flush=True,
                )
            number += 1
            if number % 100 == 0:
                print(
                    f"{number - seed} rounds, {len(found)} findings, {_memory_mb()} MB", flush=True
                )
    return found, codes


def _memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rounds", type=int)
    given = parser.parse_args()
    os.environ["TUNESMITH_TRACEBACK"] = "1"
    findings, counts = fuzz(60 * given.minutes, given.seed, given.rounds)
    ends = ", ".join(f"{code}: {n}" for code, n in sorted(counts.items()))
    print(f"seed {given.seed}: {counts.total()} commands ({ends}), {_memory_mb()} MB at most")
    print(f"{len(findings)} findings")
    sys.exit(bool(findings))
