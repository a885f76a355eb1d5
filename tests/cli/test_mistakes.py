"""Mistakes in configurations, data and code are told as such: never exit 5, never a traceback."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.cli.conftest import Run

from tunesmith.config.load import define
from tunesmith.errors import TunesmithError

TREE = "sklearn.tree.DecisionTreeClassifier"
DATA = "data: {path: data.csv, target: kind}"
DEPTH = "max_depth: {int: [1, 6]}"


def with_cell(value: object) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        frame = pd.read_csv(folder / "data.csv").astype(object)
        frame.iloc[7, 1] = value
        frame.to_csv(folder / "data.csv", index=False)

    return write


def with_bytes(name: str, content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


def with_code(module: str, body: str) -> Callable[[Path], None]:
    text = (
        f"from sklearn.tree import DecisionTreeClassifier as Tree\nclass Model(Tree):\n  {body}\n"
    )
    return with_bytes(f"{module}.py", text.encode())


def with_words(folder: Path) -> None:
    frame = pd.read_csv(folder / "data.csv")
    frame["kind"] = frame["kind"].map({0: "a", 1: "b", 2: "c"})
    frame.to_csv(folder / "data.csv", index=False)


METRIC = "metric: accuracy"
NOTHING = with_bytes("unused", b"x")
TWICE = "features: [sepal length (cm), sepal length (cm)]"
MISTAKES: dict[str, tuple[str, str, Callable[[Path], None], str]] = {
    "a feature twice": (DATA, DATA[:-1] + f", {TWICE}}}", NOTHING, "is listed 2 times"),
    "an odd key": (DEPTH, '"a[0]": {int: [1, 6]}', NOTHING, "has no parameter `a[0]`"),
    "a spreadsheet": ("data.csv", "data.xls", with_bytes("data.xls", b"\xd0\xcf"), "a spreadsheet"),
    "no zip": ("data.csv", "d.zip", with_bytes("d.zip", b"not a zip"), "cannot be read"),
    "no gzip": ("data.csv", "d.csv.gz", with_bytes("d.csv.gz", b"\x1f\x8b"), "cannot be read"),
    "a device": ("data.csv", "/dev/zero", NOTHING, "is a device"),
    "a word": (
        "x",
        "x",
        with_cell("unknown"),
        "149 numbers and 1 other value ('unknown' in row 8)",
    ),
    "folds without end": ("cv: 3", "cv: {folds: 3, repeats: 1000000000000}", NOTHING, "at most"),
    "no number": ("metric:", "params: {ccp_alpha: .nan}\n  metric:", NOTHING, "JSON can hold"),
    "huge numbers": (DEPTH, "max_depth: {int: [1, 1e30]}", NOTHING, "within ±9223372036854775807"),
    "numbers of words": (METRIC, "metric: r2", with_words, "cannot score classes that are words"),
    "a ledger in a file": (
        "study: small",
        "study: small\nledger: data.csv/ledger.db",
        NOTHING,
        "data.csv is a file, not a folder",
    ),
    "a URL into a file": (
        "study: small",
        "study: small\nledger: 'sqlite:///data.csv/deep/ledger.db'",
        NOTHING,
        "data.csv is a file, not a folder",
    ),
    "no row held out of each class": (
        "target: kind",
        "target: kind, holdout: {fraction: 0.001, stratify: true}",
        NOTHING,
        "objective.data.holdout",
    ),
    "no address": ("study: small", "study: small\nledger: 'postgresql://[::1'", NOTHING, "ledger"),
    "a null byte in a path": ("data.csv", '"da\\0ta.csv"', NOTHING, "holds a null byte"),
    "no codec": ("data.csv", "d.csv.zst", with_bytes("d.csv.zst", b"\x28"), "cannot be read"),
    "a pickle": ("data.csv", "d.pkl", with_bytes("d.pkl", b"cos\n."), "a kind that is not read"),
    "a distribution of nothing": (
        DEPTH,
        "ccp_alpha: {scipy: expon, kwds: {scale: -1}}",
        NOTHING,
        "gives no numbers with these arguments",
    ),
    "another end of a name": (
        "study: small",
        "study: small\noutputs: {html: page.txt}",
        NOTHING,
        "expected a name that ends in .html",
    ),
    "a broken separator": (
        "target: kind",
        "target: kind, separator: '((('",
        NOTHING,
        "cannot be read: missing )",
    ),
    "a builtin": (TREE, "builtins.dict", NOTHING, "is no estimator"),
    "code that raises": (
        TREE,
        "raising_model.Model",
        with_code("raising_model", "def set_params(self, **_): raise RuntimeError('boom')"),
        "the project's code raised RuntimeError: boom",
    ),
    "code that ends": (
        TREE,
        "ending_model.Model",
        with_code("ending_model", "raise SystemExit(3)"),
        "SystemExit: 3",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told(project: Path, tunesmith: Run, case: str) -> None:
    old, new, prepare, words = MISTAKES[case]
    file = project / "tuning.yaml"
    text = file.read_text()
    assert old in text or old == new
    file.write_text(text.replace(old, new, 1))
    prepare(project)
    done = tunesmith("run", "-q", "--workers", "1")
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Warning" not in done.stderr


def test_numbers_with_a_word_among_them_are_told_and_used(project: Path, tunesmith: Run) -> None:
    with_cell("unknown")(project)
    file = project / "tuning.yaml"
    file.write_text(file.read_text().replace("cv: 3", "cv: 3\n  preprocess: auto"))
    done = tunesmith("run", "--workers", "1", "--trials", "1")
    assert done.returncode == 0
    assert (
        "`sepal width (cm)` holds 149 numbers and 1 other value ('unknown' in row 8)" in done.stderr
    )
    assert "it is taken for text" in done.stderr
    assert "Leave these cells empty to learn from the numbers." in done.stderr


def test_check_tells_every_mistake_at_once(project: Path, tunesmith: Run) -> None:
    file = project / "tuning.yaml"
    text = file.read_text()
    for right, wrong in (
        ("metric: accuracy", "metric: accurcy"),
        ("method: grid", "method: grd"),
        ("target: kind", "target: knd"),
        ("max_depth:", "max_dept:"),
    ):
        text = text.replace(right, wrong)
    file.write_text(text)
    done = tunesmith("check")
    assert done.returncode == 2
    for word in ("Did you mean `accuracy`?", "`grid`?", "`kind`?", "`max_depth`?"):
        assert word in done.stderr
    assert "4 problems found." in done.stderr


ODD_BUT_FINE = {
    "more trials than atoms": ("trials: 12", f"trials: {10**200}"),
    "one row held out": ("target: kind", "target: kind, holdout: {fraction: 0.0067}"),
    "a URL into a folder to come": (
        "study: small",
        "study: small\nledger: 'sqlite:///to/come/ledger.db'",
    ),
    "a number metric for classes of numbers": (METRIC, "metric: r2"),
}


@pytest.mark.parametrize("case", ODD_BUT_FINE)
def test_what_is_odd_but_no_mistake_works(project: Path, tunesmith: Run, case: str) -> None:
    file = project / "tuning.yaml"
    old, new = ODD_BUT_FINE[case]
    file.write_text(file.read_text().replace(old, new))
    for command in (("check",), ("run", "-q", "--workers", "1", "--trials", "2"), ("check",)):
        done = tunesmith(*command)
        assert done.returncode == 0, done.stderr


def test_a_folder_is_no_ledger(project: Path, tunesmith: Run) -> None:
    file = project / "tuning.yaml"
    file.write_text(file.read_text().replace("study: small", "study: small\nledger: ."))
    for command in ("check", "run"):
        done = tunesmith(command)
        assert done.returncode == 74
        assert "is a folder.\n  Name a file in it" in done.stderr


@pytest.mark.parametrize(
    ("where", "changes"),
    [
        ("space.max_depth: <function", {"space": {"max_depth": [2, lambda: 3]}}),
        ("space.max_depth: .* scipy distribution, found <", {"space": {"max_depth": lambda: 3}}),
        ("objective.params", {"objective": {"params": {"random_state": lambda: 3}}}),
    ],
)
def test_what_cannot_be_written_down_is_refused(
    project: Path, where: str, changes: dict[str, Any]
) -> None:
    data = {"path": "data.csv", "target": "kind"}
    sections: dict[str, Any] = {
        "study": "small",
        "objective": {"estimator": TREE, "data": data, "metric": "accuracy"},
        "space": {"max_depth": [2, 3]},
        "search": {"method": "grid"},
    }
    changed = {**sections, **changes}
    changed["objective"] = {**sections["objective"], **changes.get("objective", {})}
    with pytest.raises(TunesmithError, match=where) as caught:
        define(changed, root=project)
    assert caught.value.exit_code == 2
