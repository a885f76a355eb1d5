"""How the command line ends when something is wrong; the way out is always `main`."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.cli.conftest import Run

from tunesmith.cli import MAX_SHOWN, cli
from tunesmith.errors import LockedError, NoResultError, StorageError, UsageError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2), (NoResultError("x"), 1), (StorageError("x"), 74),
        (LockedError("x", {}), 75), (PermissionError(13, "Permission denied", "a.csv"), 74),
        (KeyboardInterrupt(), 130), (KeyError("x"), 5), (RecursionError("x"), 5),
    ],
)  # fmt: skip
def test_every_kind_has_its_exit_code_and_no_traceback(
    tunesmith: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(cli, "invoke", fail)
    done = tunesmith("status")
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr


def test_a_defect_says_so_and_shows_the_details_on_request(
    tunesmith: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise KeyError("missing")

    monkeypatch.setattr(cli, "invoke", fail)
    plain = tunesmith("status").stderr
    assert "defect in Tunesmith" in plain
    assert "KeyError: 'missing'" in plain
    assert "Traceback" in tunesmith("status", TUNESMITH_TRACEBACK="1").stderr


def test_terminal_escapes_in_a_file_are_not_passed_on(tunesmith: Run, project: Path) -> None:
    (project / "tuning.yaml").write_text('study: "a\\e[31mb\\e]0;title\\a"\n')
    done = tunesmith("check")
    assert done.returncode == 2
    assert "found 'ab'" in done.stderr
    assert "\x1b" not in done.stderr


def test_a_database_that_cannot_hold_a_ledger_is_a_matter_of_usage(
    tunesmith: Run, project: Path
) -> None:
    file = project / "tuning.yaml"
    file.write_text(file.read_text() + "ledger: mysql://ann:canary@localhost/x\n")
    done = tunesmith("run")
    assert done.returncode == 2
    assert "a ledger cannot live in mysql" in done.stderr
    assert "canary" not in done.stderr


def test_of_very_many_problems_the_first_are_shown(tunesmith: Run, project: Path) -> None:
    (project / "tuning.yaml").write_text("".join(f"k{i}: 1\n" for i in range(2000)))
    done = tunesmith("check")
    assert done.stderr.count("unknown key") <= MAX_SHOWN
    assert f"2,003 problems found. The first {MAX_SHOWN} are shown." in done.stderr


HOSTILE = {
    "bomb": "a: &a0 [x, x]\n" + "".join(f"b{i}: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(60)),
    "deep": "[" * 100_000,
    "object": "study: !!python/object/apply:os.system [touch owned]\n",
    "tab": "study: s\n\tx: 1\n",
    "twice": "study: a\nstudy: b\n",
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("command", ["check", "run", "status", "doctor"])
def test_hostile_files_are_refused(tunesmith: Run, project: Path, case: str, command: str) -> None:
    (project / "tuning.yaml").write_text(HOSTILE[case])
    done = tunesmith(command)
    assert done.returncode == 2
    assert "tuning.yaml:" in done.stderr + done.stdout
    assert not (project / "owned").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.yaml", b"\x89PNG\r\n\x1a\n\x00\xff", "not UTF-8 text"),
        ("t.yaml", b" " * (50 << 20), "52,428,800 bytes; a configuration has at most"),
        ("t.txt", b"study: s", "must end in .yaml, .yml, .json, .toml"),
        ("t.yaml", None, "there is no such configuration file"),
    ],
)
def test_files_that_are_no_configuration(
    tunesmith: Run, project: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (project / name).write_bytes(content)
    done = tunesmith("run", "-c", name)
    assert done.returncode == 2
    assert words in done.stderr


BROKEN = {
    "column": ("target: kind", "target: kin"),
    "data": ("data.csv", "dat.csv"),
    "parameter": ("criterion: [", "criterium: ["),
    "folds": ("cv: 3", "cv: 300"),
    "estimator": ("DecisionTreeClassifier", "DecisionTreeClasifier"),
    "metric": ("metric: accuracy", "metric: roc_auc"),
    "seed": ("seed: 3}", "seed: 99999999999}"),
    "constraints": (
        "space:\n  max_depth: {int: [1, 6]}\n  criterion: [gini, entropy]",
        "space: {parameters: {max_depth: [1, 2]}, constraints: [max_depth > 5]}",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_only_the_data_show_points_into_the_file(
    tunesmith: Run, project: Path, case: str, snapshot: SnapshotAssertion
) -> None:
    text = (project / "tuning.yaml").read_text()
    assert BROKEN[case][0] in text
    (project / "tuning.yaml").write_text(text.replace(*BROKEN[case]))
    done = tunesmith("check")
    assert done.returncode == 2
    assert done.stderr == snapshot


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rnu",), "there is no command `rnu`. Did you mean `run`?"),
        (("run", "--time", "soon"), "--time: `soon` is no duration"),
        (("run", "--seed", "99999999999"), "--seed: must be at least 0 and at most 4,294,967,295"),
        (("run", "--workers", "0"), "'--workers'"),
        (("best", "--json", "--yaml"), "choose one"),
        (("trials", "--csv", "--json"), "choose one"),
        (("run", "my.yaml"), "argument (my.yaml). The option -c names a file: -c my.yaml"),
        (("run", "-c", "."), "Did you mean `-c tuning.yaml`?"),
    ],
)
def test_wrong_usage(tunesmith: Run, arguments: tuple[str, ...], words: str) -> None:
    done = tunesmith(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "tuning.yaml:" not in done.stderr
