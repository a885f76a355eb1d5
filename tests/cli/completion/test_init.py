"""Completion, asked as the shells ask it: real shells, if they are on this machine."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import environment
from tests.preloaded import programs

from tunesmith.cli import COMMANDS
from tunesmith.cli.completion import SHELLS

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# A line ends at the cursor. What the shell offers there is printed, one word a line.
ASK = {
    "bash": """
eval "$(tunesmith completion bash)"
COMP_WORDS=(LINE) COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
_tunesmith_completion tunesmith 2>&1
printf '%s\\n' "${COMPREPLY[@]}"
""",
    # zsh completes for its line editor only: what that would be told is printed instead.
    "zsh": """
compdef() { : }
compadd() { print -l -- $completions }
_describe() { print -l -- ${completions_with_descriptions%%:*} }
_path_files() { : }
eval "$(tunesmith completion zsh)"
words=(LINE) CURRENT=$#words
_tunesmith_completion
""",
    "fish": """
tunesmith completion fish | source
complete --do-complete 'LINE'
""",
}


@pytest.fixture(params=SHELLS)
def offered(request: pytest.FixtureRequest, finished: Path) -> Callable[..., list[str]]:
    """What a shell offers at the end of a line, in a project whose study has been run."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"no {request.param} on this machine")

    def ask(line: str, cwd: Path = finished) -> list[str]:
        # The last word may be empty, and fish takes the line as a whole.
        quoted = " ".join(f"'{word}'" for word in line.split(" "))
        words = line if request.param == "fish" else quoted
        environ = {**environment(), "PATH": programs.path(), "TERM": "dumb"}
        done = subprocess.run(
            [shell, "-c", ASK[request.param].replace("LINE", words)],
            cwd=cwd,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return ask


@pytest.mark.slow
def test_commands_are_completed(offered: Callable[..., list[str]]) -> None:
    named = offered("tunesmith ")
    assert set(COMMANDS) <= set(named)
    beginning = offered("tunesmith re")
    assert "report" in beginning
    assert "run" not in beginning


@pytest.mark.slow
def test_options_and_values_are_completed(offered: Callable[..., list[str]]) -> None:
    assert {"--workers", "--trials", "--time-budget"} <= set(offered("tunesmith run --"))
    assert "simplest" in offered("tunesmith adopt --selection s")
    assert {"pareto", "parallel"} <= set(offered("tunesmith plot pa"))
    assert {"pull-request"} <= set(offered("tunesmith ci pull"))


@pytest.mark.slow
def test_files_are_left_to_the_shell(offered: Callable[..., list[str]]) -> None:
    # Nothing of ours: the shell then completes the names of files.
    assert "run" not in offered("tunesmith run -c tun")


@pytest.mark.slow
def test_a_line_that_makes_no_sense_prints_nothing(offered: Callable[..., list[str]]) -> None:
    assert "Error" not in " ".join(offered("tunesmith nothing "))


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed(tunesmith: Run, shell: str) -> None:
    done = tunesmith("completion", shell)
    assert done.returncode == 0
    assert "_TUNESMITH_COMPLETE" in done.stdout
    assert "tunesmith" in done.stdout


def test_another_shell_is_refused(tunesmith: Run) -> None:
    done = tunesmith("completion", "tcsh")
    assert done.returncode == 2
    assert "'bash', 'zsh', 'fish'" in done.stderr


def asked(run: Run, line: str, shell: str = "bash") -> list[str]:
    done = run(
        _TUNESMITH_COMPLETE=f"{shell}_complete",
        COMP_WORDS=line,
        COMP_CWORD=str(len(line.split(" ")) - 1),
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.slow
def test_experiments_are_completed_from_the_branches(preloaded: Run, project: Path) -> None:
    line = "tunesmith experiment apply w"
    # No repository: nothing to offer, and no message in the middle of the line.
    assert [entry for entry in asked(preloaded, line) if entry] == []
    for command in (
        "init -q",
        "add -A",
        "-c user.name=A -c user.email=a@example.org commit -qm begin",
        "branch tuning/wider",
        "branch tuning/deeper",
    ):
        subprocess.run(["git", *command.split()], cwd=project, check=True)
    assert asked(preloaded, line) == ["plain,wider"]
    assert asked(preloaded, "tunesmith experiment status ") == ["plain,deeper", "plain,wider"]


@pytest.mark.slow
def test_a_command_comes_with_its_line(preloaded: Run) -> None:
    assert asked(preloaded, "tunesmith ver", "zsh") == ["plain", "verify", COMMANDS["verify"]]
