"""Pages of the documentation as their readers use them: what they type, and what they see."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.preloaded import programs

from tunesmith.config.load import load_definition

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
N_TRIALS = 3

BLOCK = re.compile(
    r"(?:^<!-- (?P<key>test|from): (?P<value>.*?) -->\n)?^```(?P<language>\w+)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of code of a page, with the remark for its test that stands before it."""

    language: str
    body: str
    key: str = ""
    value: str = ""

    @property
    def is_run(self) -> bool:
        # `examples/NAME`: run by tests/test_examples.py, in that example.
        is_elsewhere = self.value.startswith(("not run", "examples/"))
        return self.language == "console" and not is_elsewhere

    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Each command with the lines that are shown below it."""
        for part in re.split(r"^\$ ", self.body, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            yield command, [line for line in shown if line.strip()]


def blocks(page: Path) -> list[Block]:
    return [
        Block(m["language"], m["body"], m["key"] or "", m["value"] or "")
        for m in BLOCK.finditer(page.read_text())
    ]


@dataclass
class Session:
    """A terminal: commands are run one after the other, each in the folder that the last one left.

    It begins in a folder with the examples in it, as in a clone.
    """

    folder: Path
    n_trials: int = N_TRIALS

    def __post_init__(self) -> None:
        self.home = self.folder.parent / "home"
        self.home.mkdir(exist_ok=True)

    def read(self, page: Path, *, instead: tuple[str, str] = ("", "")) -> None:
        """Type every command of a page, and compare what it prints with what the page shows.

        Args:
            page: to be read.
            instead: a text of the commands, and what is typed in its place.
        """
        for block in blocks(page):
            if not block.is_run:
                continue
            for command, shown in block.commands():
                printed = self.type(command.replace(*instead) if instead[0] else command)
                missing = first_missing(shown, printed)
                assert missing is None, (
                    f"{page.name}: `{command}` does not print: {missing}\n{printed}"
                )

    def type(self, command: str) -> str:
        """Run a line in bash; everything that it prints."""
        left = self.home / "folder"
        script = f"{{ {command}\n}}\nstatus=$?\npwd > '{left}'\nexit $status"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        self.folder = Path(left.read_text().strip())
        return done.stdout

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "CI"))}
        return {
            **kept,
            "PATH": programs.path(),
            "HOME": str(self.home),
            "NO_COLOR": "1",
            # What is written, with fewer trials.
            "TUNESMITH_TRIALS": str(self.n_trials),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Ann",
            "GIT_AUTHOR_EMAIL": "ann@example.org",
            "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@example.org",
        }


def masked(line: str) -> str:
    """A line without what differs between machines and versions: numbers, and runs of blanks."""
    return " ".join(re.sub(r"\d+(?:[.,]\d+)*(?:e-?\d+)?", "#", line).split())


def first_missing(shown: list[str], printed: str) -> str | None:
    """The first of the lines that does not follow, in this order, in what was printed."""
    lines = iter([masked(line) for line in printed.splitlines()])
    return next((line for line in shown if not any(masked(line) in other for other in lines)), None)


def finished(session: Session) -> None:
    """Check that the study of a project has run, and that another run has nothing to do."""
    folder = session.folder
    outputs = load_definition(folder / "tuning.yaml").file.outputs
    report = (folder / outputs.report).read_text()
    assert report.startswith("# Tuning results")
    assert "failed" not in report
    before = (folder / outputs.best.path).read_text()
    again = json.loads(session.type("tunesmith run --json -q 2>/dev/null"))
    assert again["n_evaluated"] == 0
    assert (folder / outputs.best.path).read_text() == before
