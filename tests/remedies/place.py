"""A project in which somebody types commands, and the tables of what is wrong in it."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.pipeline.dvc.project import TRAIN, TUNING, environment
from tests.remedies.offers import FILLED, OFFER

from tunesmith.testing.projects import make_project

BEST, TUNED = "config/best_parameters.yaml", "outputs/tuned_parameters.yaml"
HISTORY, REPORT = "outputs/history.jsonl", "outputs/tuning_results.md"
LEDGER = ".tunesmith/ledger.db"
OUTPUTS = f"outputs: {{tuned: {TUNED}, history: {HISTORY}}}\n"


@dataclass
class Place:
    """A working tree with a remote beside it, and what its surroundings say."""

    root: Path
    environ: dict[str, str] = field(default_factory=environment)

    @classmethod
    def empty(cls, folder: Path) -> "Place":
        """A folder with nothing in it."""
        (folder / "project").mkdir(parents=True)
        return cls(folder / "project")

    @classmethod
    def project(cls, folder: Path) -> "Place":
        """A project on ``main``, pushed to ``remote.git``; its study has not run."""
        place = cls(folder / "project")
        make_project(place.root, text=TUNING + OUTPUTS)
        place.write("train.py", TRAIN)
        place.write(".gitignore", "trained.log\n.tunesmith/\n")
        place.do(f"git init -q --bare -b main {shlex.quote(str(folder / 'remote.git'))}")
        place.do("git init -q -b main && git remote add origin ../remote.git")
        place.commit("first")
        place.do("git push -q -u origin main")
        return place

    def copy(self, folder: Path) -> "Place":
        """The same in another folder; the remote is copied as well."""
        shutil.copytree(self.root.parent, folder, symlinks=True, dirs_exist_ok=True)
        return Place(folder / self.root.name)

    # -- what somebody does there ------------------------------------------------------------

    def type(self, command: str) -> tuple[int, str]:
        """Exit code and output, on both streams, of a command at a terminal."""
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.root,
            env=self.environ,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
        )
        return done.returncode, done.stdout

    def do(self, command: str) -> str:
        """Output of a command that has to succeed."""
        code, said = self.type(command)
        assert code == 0, f"{command}\n{said}"
        return said

    def commit(self, message: str) -> None:
        self.do(f"git add -A && git commit -q -m '{message}'")

    def path(self, name: str) -> Path:
        return self.root / name

    def write(self, name: str, text: str) -> None:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.path(name).read_text()
        assert old in text
        self.path(name).write_text(text.replace(old, new))


@dataclass(frozen=True)
class Case:
    """Something that is wrong, the words that tell of it, and the command that they offer."""

    arrange: Callable[[Place], object]
    ask: str
    """Command whose output tells of it."""
    sign: str
    """Words that tell of it."""
    offer: str
    """Command that is offered, as the source has it, with ``…`` for what is filled in."""
    fills: Mapping[str, str] = field(default_factory=dict)
    """Values for the words in capitals that a person has to fill in."""
    start: str = "project"
    """Project to begin with: ``empty``, ``project``, ``finished`` or ``killed``."""
    code: int | None = 0
    """Exit code when asked again; ``None`` for any."""
    is_mended: bool = True
    """False if the command only shows something."""
    typed: str = "{}"
    """Command line around the command, for what the message says in words."""

    def try_out(self, place: Place) -> None:
        """Make it wrong, take the offered command out of the message, and type it."""
        self.arrange(place)
        _, said = place.type(self.ask)
        assert self.sign in said, said
        pattern = re.escape(self.offer).replace(FILLED, ".*")
        offered = {text for text in OFFER.findall(said) if re.fullmatch(pattern, text)}
        assert len(offered) == 1, said
        command = offered.pop()
        for word, value in self.fills.items():
            assert word in command
            command = command.replace(word, value)
        code, done = place.type(self.typed.format(command))
        assert code == 0, f"{command}\n{done}"
        if self.is_mended:
            code, again = place.type(self.ask)
            assert self.sign not in again, f"{command}\n{done}\n{again}"
            assert self.code in (code, None), again


def nothing(_place: Place) -> None:
    """Leave all as it is."""


def commands(text: str) -> Callable[[Place], object]:
    """Type commands, all of which have to succeed."""
    return lambda place: place.do(text)


def without(*names: str) -> Callable[[Place], object]:
    """Remove files."""

    def arrange(place: Place) -> None:
        for name in names:
            place.path(name).unlink()

    return arrange


def edited(name: str, old: str, new: str) -> Callable[[Place], object]:
    """Replace a text in a file."""
    return lambda place: place.edit(name, old, new)


def in_turn(*steps: Callable[[Place], object]) -> Callable[[Place], object]:
    """Do one after the other."""
    return lambda place: [step(place) for step in steps]
