"""What runs read counts, and nothing that they share changes: real programs, real Git, real DVC."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith import tune
from tunesmith.errors import ChangedInputError
from tunesmith.objective.program.observing import data_folders, seccomp
from tunesmith.objective.program.observing.workspace import LARGE_BYTES
from tunesmith.runs.result import Result

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(seccomp.blocker()), reason=seccomp.blocker() or "-"),
]
PYTHON = sys.executable
Make = Callable[..., Path]


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


@pytest.fixture
def project(tmp_path: Path) -> Make:
    """Writes a project below the test's folder, in Git; returns its folder."""

    def make(
        script: str,
        space: dict[str, Any] | None = None,
        files: dict[str, str] | None = None,
        command: list[str] | None = None,
        **objective: Any,
    ) -> Path:
        root = tmp_path / "repo" / "project"
        root.mkdir(parents=True)
        for name, content in {"train.sh": script, **(files or {})}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        sections = {
            "study": "s",
            "objective": {
                "command": command or ["sh", "train.sh", "{a}"],
                "metrics_pattern": r"score: (\S+)",
                "metric": {"name": "score", "direction": "maximize"},
                **objective,
            },
            "space": space or {"a": [1, 2]},
            "search": {"method": "grid"},
            "execution": {"workers": 1},
        }
        (root / "tuning.yaml").write_text(yaml.safe_dump(sections))
        git(root.parent, "init", "-q")
        git(root.parent, "add", "-A")
        return root

    return make


def run(root: Path) -> Result:
    return tune(root / "tuning.yaml")


def scores(result: Result) -> list[float]:
    return [trial.mean("score") for trial in result.record.history]


def failures(result: Result) -> set[str]:
    folds = [trial.folds[0] for trial in result.record.history]
    return {fold.failure.message for fold in folds if fold.failure is not None}


# -- everything that a run reads counts -------------------------------------------------------


READS = {
    "a shell's input": "n=$(wc -l < data.csv)",
    "another program": "n=$(sort data.csv | wc -l)",
    "through a script": "n=$(sh count.sh)",
    "make": "n=$(make -s count)",
    "python -m": f"n=$({PYTHON} -m count)",
    "without open events": f"n=$({PYTHON} -c 'import os; print(len(os.listdir(\"many\")))')",
    "mapped": f"n=$({PYTHON} map.py)",
}
FILES = {
    "data.csv": "1\n2\n",
    "count.sh": "wc -l < data.csv\n",
    "Makefile": "count: data.csv\n\t@wc -l < data.csv\n",
    "count.py": "print(len(open('data.csv').readlines()))\n",
    "map.py": (
        "import mmap, os\nf = os.open('data.csv', os.O_RDONLY)\n"
        "print(mmap.mmap(f, 0, prot=mmap.PROT_READ)[:].count(b'\\n'))\n"
    ),
    "mark.py": (
        "import os, sys\nf = os.open(sys.argv[1], os.O_RDONLY)\nos.setxattr(f, 'user.note', b'1')\n"
    ),
    "marked": "",
    "many/one": "",
    "many/two": "",
}


def cases(ways: dict[str, str], after: str) -> tuple[str, dict[str, Any]]:
    """A script that goes all ways, and the space of them: one study is cheaper than many."""
    lines = [f"{number}) {way} || exit 1 ;;" for number, way in enumerate(ways.values())]
    script = "\n".join(['case "$1" in', *lines, "esac", after, ""])
    return script, {"a": list(range(len(ways)))}


def test_what_is_read_counts_in_whatever_way(project: Make) -> None:
    script, space = cases(READS, "echo score: $n")
    root = project(script, space, FILES)
    assert scores(run(root)) == [2] * len(READS)
    (root / "unread.txt").write_text("nothing")
    (root / "many" / "three").write_text("")
    (root / "data.csv").write_text("1\n2\n3\n")
    again = run(root)
    assert dict(zip(READS, scores(again), strict=True)) == dict.fromkeys(READS, 3)
    assert (again.n_reused, again.record.head.generation) == (0, 2)


def test_what_is_not_read_does_not_count(project: Make) -> None:
    root = project("cat data.csv > /dev/null; echo score: $1\n", files=FILES)
    assert run(root).n_evaluated == 2
    (root / "count.py").write_text("changed\n")
    (root / "notes.md").write_text("new\n")
    again = run(root)
    assert (again.n_evaluated, again.record.head.generation) == (0, 1)


def test_a_module_that_python_imports_counts_and_new_notes_do_not(project: Make) -> None:
    files = {"train.py": "import sys, lib\nprint('score:', lib.f(sys.argv[1]))\n", "lib.py": ""}
    files["lib.py"] = "def f(x): return int(x)\n"
    root = project("", files=files, command=[PYTHON, "train.py", "{a}"])
    assert scores(run(root)) == [1, 2]
    (root / "notes.md").write_text("new\n")
    # Training leaves its results in new folders, and DVC and Git their own files with them.
    for name in ("outputs/training_metrics.json", "models/a/model.pkl", "models/.gitignore"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("new\n")
    assert run(root).n_evaluated == 0
    (root / "lib.py").write_text("def f(x): return -int(x)\n")
    assert scores(run(root)) == [-1, -2]
    # A module of that name is found before the library's.
    (root / "sys2.py").write_text("")
    assert run(root).record.head.generation == 3
    (root / "models/a/sys3.py").write_text("")
    assert run(root).record.head.generation == 4


def test_a_wider_search_takes_the_scores_of_the_present_data(project: Make) -> None:
    root = project("echo score: $(cat data.csv)$1\n", files={"data.csv": "9"})
    assert scores(run(root)) == [91, 92]
    (root / "data.csv").write_text("1")
    assert scores(run(root)) == [11, 12]
    (root / "data.csv").write_text("9")
    config = root / "tuning.yaml"
    config.write_text(config.read_text().replace("- 2\n", "- 2\n  - 3\n"))
    wider = run(root)
    assert (scores(wider), wider.n_evaluated) == ([91, 92, 93], 1)


def test_what_was_looked_for_and_not_there_counts(project: Make) -> None:
    root = project("[ -e local.cfg ] && s=9; echo score: $s$1\n")
    assert scores(run(root)) == [1, 2]
    (root / "local.cfg").write_text("")
    assert scores(run(root)) == [91, 92]
    (root / "local.cfg").unlink()
    back = run(root)
    assert (scores(back), back.n_evaluated, back.record.head.generation) == ([1, 2], 0, 1)


def test_files_beside_the_project_and_behind_links_count(project: Make, tmp_path: Path) -> None:
    root = project("")
    shared, outside = root.parent / "shared", tmp_path / "outside"
    for folder in (shared, outside / "deep"):
        folder.mkdir(parents=True)
        (folder / "n").write_text("1\n")
    (root / "link").symlink_to("../../outside/deep")
    (root / "train.sh").write_text(
        f"echo score: $(cat ../shared/n)$(cat link/n)$(cat {outside}/deep/n)$1\n"
    )
    git(root, "add", "-A")
    assert scores(run(root)) == [1111, 1112]
    (shared / "n").write_text("2\n")
    assert scores(run(root)) == [2111, 2112]
    (outside / "deep" / "n").write_text("3\n")
    assert scores(run(root)) == [2331, 2332]


# Program, a change made in the folder around the project, and the digit before and after it.
AROUND: dict[str, tuple[str, str, int, int]] = {
    "a name that was not there": ("[ -e ../a.cfg ] && n=1", "touch a.cfg", 0, 1),
    "one in a folder": ("[ -e ../shared/b.cfg ] && n=1", "touch shared/b.cfg", 0, 1),
    "one three folders up": ("n=$(cat ../../../$U/n)", "echo 5 > ../../$U/n", 4, 5),
    "the names around": ("n=$(ls .. | grep -c part)", "touch part2", 1, 3),
    "files found around": (f"n=$({PYTHON} around.py)", "touch part3", 1, 3),
    "a module around": (f"n=$({PYTHON} imports.py)", "echo v=3 > common.py", 2, 3),
    "a folder elsewhere": ("n=$(ls $E/many | wc -l)", "touch $E/many/b", 1, 2),
    "a name elsewhere": ("[ -e $E/c.cfg ] && n=1", "touch $E/c.cfg", 0, 1),
    "a file's permission": ("[ -x hook ] && n=$(./hook)", "chmod +x project/hook", 0, 7),
    "the name behind a link": ("n=$(readlink now)", "ln -sfn 2 project/now", 1, 2),
    "ignored data": ("n=$(find data -name '*.csv' | wc -l)", "touch project/data/b.csv", 1, 2),
}
WALKS = "import os\nprint(sum('part' in n for _, _, f in os.walk('..') for n in f))\n"
IMPORTS = "import sys\nsys.path.append('..')\nimport common\nprint(common.v)\n"


def filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def test_what_lies_around_counts_as_in_the_project(project: Make, tmp_path: Path) -> None:
    script, space = cases({name: f"{{ n=0; {c[0]}; true; }}" for name, c in AROUND.items()}, "")
    files = {"around.py": WALKS, "imports.py": IMPORTS, "hook": "#!/bin/sh\necho 7\n"}
    root = project("", space, files | {"1/x": "", "2/x": "", ".gitignore": "data/\n"})
    elsewhere, up = tmp_path / "elsewhere", tmp_path.parent / f"{tmp_path.name}-up"
    for folder in (root.parent / "shared", up, elsewhere / "many", root / "data"):
        folder.mkdir(parents=True)
    (root / "now").symlink_to("1")
    (up / "n").write_text("4")
    (root.parent / "common.py").write_text("v=2")
    for path in (root.parent / "part1", elsewhere / "many" / "a", root / "data" / "a.csv"):
        path.write_text("")
    names = {"$E": str(elsewhere), "$U": up.name}
    (root / "train.sh").write_text(filled(script, names) + "echo score: $n\n")
    git(root, "add", "-A")
    before = {name: was for name, (*_, was, _) in AROUND.items()}
    assert dict(zip(AROUND, scores(run(root)), strict=True)) == before
    for _, change, *_ in AROUND.values():
        subprocess.run(["sh", "-c", filled(change, names)], cwd=root.parent, check=True)
    again = run(root)
    after = {name: now for name, (*_, now) in AROUND.items()}
    assert dict(zip(AROUND, scores(again), strict=True)) == after
    assert again.record.head.generation == 2


def test_what_a_run_makes_itself_does_not_count(project: Make) -> None:
    script = "mkdir out; echo $1 > out/m; mv out/m out/n; echo score: $(cat out/n)\n"
    root = project(script)
    found = run(root)
    assert set(found.record.head.reading) == {"train.sh"}
    assert scores(found) == [1, 2]


def test_a_result_is_reused_where_only_files_of_other_values_changed(project: Make) -> None:
    files = {"n1": "1\n", "n2": "2\n"}
    root = project("echo score: $(cat n$1)\n", files=files)
    run(root)
    (root / "n2").write_text("5\n")
    again = run(root)
    assert (scores(again), again.n_evaluated, again.record.head.generation) == ([1, 5], 1, 2)


# -- a run changes nothing that is shared -----------------------------------------------------

WALKS_DATA = {
    "os.walk": f"n=$({PYTHON} walk.py data)",
    "find in the project": "n=$(find . -type f -path '*/many*/*' | wc -l)",
    "find in the folder": "n=$(find data/many -type f | wc -l)",
    "tar": "n=$(tar cf - data | tar tf - | grep -c many/.)",
    "its size": "n=$(find . -name big.bin -size +4M | wc -l)0",
    "a link of the project": "n=$(find . -path './linked*' | wc -l)0",
}


def test_programs_that_follow_no_links_find_linked_data(
    project: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The folder is linked as a whole.
    monkeypatch.setattr(data_folders, "MANY_ENTRIES", 5)
    script, space = cases(WALKS_DATA, "echo score: $n")
    walk = "import os, sys\nprint(sum(len(f) for p, _, f in os.walk(sys.argv[1]) if 'many' in p))\n"
    root = project(script, space, {"walk.py": walk, ".gitignore": "data/\n"})
    for name in [f"many/{n}" for n in range(8)] + ["many/in/1", "many/in/2"]:
        (root / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "data" / name).write_text("")
    with (root / "big.bin").open("wb") as file:
        file.truncate(LARGE_BYTES + 1)
    (root / "linked").symlink_to("data")
    git(root, "add", "-A")
    before = state(root)
    assert scores(run(root)) == [10, 10, 10, 11, 10, 10]
    assert state(root) == before
    assert run(root).n_evaluated == 0


WRITES = {
    "overwrites": "echo $1 > big.bin",
    "appends": "echo $1 >> big.bin",
    "renames over": "echo $1 > new && mv new big.bin",
    "removes": "rm big.bin; echo $1 > big.bin",
    "changes the mode": "chmod 600 big.bin",
    "truncates": "truncate -s 3 big.bin",
    "maps": f"{PYTHON} map.py",
    "through a link": "ln -s $P/data/y here && echo $1 > here",
    "links": "ln big.bin other && echo $1 > other",
    "touches": "touch big.bin",
    "in a folder": "echo $1 > data/deep/x; rm data/y; mkdir data/new; cd data && echo $1 > z",
}


def test_what_is_linked_is_copied_when_it_is_written(project: Make) -> None:
    script, space = cases(WRITES, "echo score: $1")
    mapping = "import mmap\nf = open('big.bin', 'r+b')\nmmap.mmap(f.fileno(), 1)[0] = 65\n"
    root = project("", space, {"map.py": mapping})
    (root / "train.sh").write_text(script.replace("$P", str(root)))
    with (root / "big.bin").open("wb") as file:
        file.truncate(LARGE_BYTES + 1)
    (root / "data" / "deep").mkdir(parents=True)
    for name in ("deep/x", "y", "z"):
        (root / "data" / name).write_text(name)
    (root / ".gitignore").write_text("data/\n")
    git(root, "add", "-A")
    before = state(root)
    found = run(root)
    assert failures(found) == set()
    assert scores(found) == space["a"]
    assert state(root) == before


def differences(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def state(root: Path) -> dict[str, Any]:
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if not {".tunesmith", "outputs", "config", ".git"} & {*path.parts}:
                status = path.stat()
                content = path.read_bytes()
                found[str(path)] = (content, status.st_mode, status.st_mtime_ns)
    return found


REFUSED = {
    "train.sh": "chmod 777 $P/train.sh",
    "data.csv": "echo $1 > $P/data.csv",
    "count.sh": "cd $P && echo $1 > count.sh",
    "count.py": "rm $P/count.py",
    "many": "mv $P/many $P/other",
    "many/two": "echo $1 > $P/../hard",
    ".dvc/cache/files/x": "echo $1 > $P/.dvc/cache/files/x",
    "Makefile": "echo $1 > $(realpath --relative-to=. $P/Makefile)",
    "marked": f"{PYTHON} mark.py $P/marked",
}


def test_a_run_that_would_change_the_project_fails(project: Make) -> None:
    # Every other one is fine: a study of failures alone would end early.
    ways = {k: v for name, w in REFUSED.items() for k, v in ((name, f"{{ {w}; true; }}"), (w, ":"))}
    script, space = cases(ways, "echo score: $1")
    root = project("", space, FILES)
    (root / "train.sh").write_text(script.replace("$P", str(root)))
    (root / ".dvc" / "cache" / "files").mkdir(parents=True)
    os.link(root / "many" / "two", root.parent / "hard")
    before = state(root)
    folds = [trial.folds[0] for trial in run(root).record.history]
    messages = [fold.failure.message for fold in folds if fold.failure]
    words = "would have changed {}, which all runs share, and was kept from it"
    assert [text.split(":")[0] for text in messages] == [words.format(name) for name in REFUSED]
    assert state(root) == before


LEFT = {
    "at the same time": (2, "echo $1 > $P/m; sleep 1; echo score: $(cat $P/m)"),
    "one after the other": (1, "n=$(cat $P/m 2>&-); echo 1$n > $P/m; echo score: $(cat $P/m)"),
}


@pytest.mark.parametrize("case", LEFT)
def test_runs_that_write_and_read_one_file_of_the_project_fail(project: Make, case: str) -> None:
    n_workers, script = LEFT[case]
    root = project("", {"a": [1, 2]}, {".gitignore": "m\n"})
    (root / "train.sh").write_text(script.replace("$P", str(root)))
    text = (root / "tuning.yaml").read_text()
    (root / "tuning.yaml").write_text(text.replace("workers: 1", f"workers: {n_workers}"))
    (message,) = failures(run(root))
    assert message.startswith("wrote and read m in the project, which another run wrote, too")
    # One after the other, each reads what it wrote itself.
    alone = "echo $1 > $P/m; echo score: $(cat $P/m)".replace("$P", str(root))
    (root / "train.sh").write_text(alone)
    (root / "tuning.yaml").write_text(text)
    assert scores(run(root)) == [1, 2]


def test_runs_that_read_each_others_files_elsewhere_fail(project: Make, tmp_path: Path) -> None:
    # The second run replaces the first one's file before that is read.
    begin = "until [ $1 = 1 ] || [ -e $E/on1 ]; do sleep 0.02; done; echo $1 > $E/new$1; "
    write = "mv $E/new$1 $E/m; touch $E/on$1; "
    wait = "until [ -e $E/on2 ]; do sleep 0.02; done; echo score: $(cat $E/m)\n"
    root = project("", {"a": [1, 2]})
    (root / "train.sh").write_text((begin + write + wait).replace("$E", str(tmp_path)))
    text = (root / "tuning.yaml").read_text()
    (root / "tuning.yaml").write_text(text.replace("workers: 1", "workers: 2"))
    found = run(root)
    first, second = (trial.folds[0] for trial in found.record.history)
    assert first.failure is not None
    assert first.failure.message.startswith(f"wrote and read {tmp_path}/m, which another run wrote")
    assert second.scores == {"score": 2}


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder outside of those for temporary files, whose changes are nobody's business."""
    places = (Path(__file__).parent, Path.home())
    place = next((p for p in places if p.parts[1] not in ("tmp", "var", "dev")), None)
    if place is None:
        pytest.skip("there are folders for temporary files only")
    # Not a hidden folder: those of a home directory are nobody's business, either.
    with tempfile.TemporaryDirectory(prefix="elsewhere-", dir=place) as folder:
        yield Path(folder)


IN_PLACE = {"an installed package": "$P/lib.txt", "data elsewhere": "$E/data.csv"}


@pytest.mark.parametrize("case", IN_PLACE)
def test_what_changes_while_runs_read_it_in_place_ends_the_study(
    project: Make, case: str, elsewhere: Path
) -> None:
    root = project("", files={"lib.txt": "1"})
    names = {"$P": str(root), "$E": str(elsewhere)}
    place = Path(filled(IN_PLACE[case], names))
    place.write_text("1")
    script = "echo score: $(cat $F); touch $E/on; while [ ! -e $E/done ]; do sleep 0.02; done\n"
    (root / "train.sh").write_text(filled(script, {"$F": str(place), **names}))

    def edit() -> None:
        while not (elsewhere / "on").exists():
            time.sleep(0.02)
        place.write_text("2")
        (elsewhere / "done").touch()

    editor = threading.Thread(target=edit)
    editor.start()
    with pytest.raises(ChangedInputError, match=r"(lib.txt|data.csv) was changed while the study"):
        run(root)
    editor.join()
    assert scores(run(root)) == [2, 2]


def test_a_shared_database_may_be_asked_but_not_changed(project: Make) -> None:
    ask = "import sqlite3, sys\nc = sqlite3.connect('../shared/d.db')\n"
    ask += "print('score:', *c.execute('select a from t').fetchone())\nif sys.argv[1] == '2':\n"
    ask += "    try:\n        c.execute('insert into t values (3)')\n    except Exception: pass\n"
    root = project(f"{PYTHON} ask.py $1\n", {"a": [1, 2]}, {"ask.py": ask})
    (root.parent / "shared").mkdir()
    with closing(sqlite3.connect(root.parent / "shared" / "d.db")) as connection:
        connection.execute("create table t (a)")
        connection.execute("insert into t values (7)")
        connection.commit()
    # It was read only, whatever the program tries then.
    assert scores(run(root)) == [7, 7]
    opened = "open('../shared/d.db', 'r+b')"
    (root / "ask.py").write_text(f"try:\n    {opened}\nexcept OSError: pass\n{ask}")
    absolute = (root / "ask.py").read_text().replace("../shared", str(root.parent / "shared"))
    (root / "ask.py").write_text(absolute)
    assert all("would have changed" in text for text in failures(run(root)))


def test_what_is_nobodys_business_may_be_written(project: Make, tmp_path: Path) -> None:
    script = f"mkdir -p $P/mlruns {tmp_path}/cache; echo $1 | tee $P/mlruns/x {tmp_path}/cache/y\n"
    root = project(script + "echo score: $1\n")
    (root / "train.sh").write_text((root / "train.sh").read_text().replace("$P", str(root)))
    (root / ".gitignore").write_text("mlruns/\n")
    assert scores(run(root)) == [1, 2]
    assert run(root).n_evaluated == 0


GITS = {
    "commit": "[ $(git rev-parse HEAD) = $HEAD ]",
    "top": '[ "$(cd $(git rev-parse --show-toplevel) && pwd -P)" = "$(cd $UP && pwd -P)" ]',
    "clean": "[ -z \"$(git status --porcelain -- $(git ls-files) | grep -v '^ D')\" ]",
    "writes": "echo 1 > new && git add new && git -c user.name=a -c user.email=b commit -qm new &&"
    " git log --format=%s -1 | grep -q new && [ $(git rev-parse HEAD~1) = $HEAD ]",
    "by its path": "git -C $P status -s > out && git -C $P log -1 > out",
}


@pytest.mark.parametrize("kind", ["top", "within", "worktree"])
def test_a_run_asks_git_and_commits_in_a_repository_of_its_own(project: Make, kind: str) -> None:
    script, space = cases({k: f"{{ {way}; }}" for k, way in GITS.items()}, "echo score: $1")
    ignored = {".gitignore": "outputs/\nconfig/\n.tunesmith/\n.env\n"}
    root = project(f". ./.env\n{script}", space, ignored)
    top = root if kind == "top" else root.parent
    if kind == "top":
        git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    if kind == "worktree":
        git(root, "worktree", "add", "-q", str(top.parent / "tree"))
        top, root = top.parent / "tree", top.parent / "tree" / root.name
        # Git would otherwise write the place of the working tree anew.
        back = top.parent / "repo" / ".git" / "worktrees" / "tree" / "gitdir"
        os.utime(back, (0, 0))
    before, head = git_state(root)
    up = "." if kind == "top" else ".."
    (root / ".env").write_text(f"HEAD={head} UP={up} P={root}\n")
    found = run(root)
    assert (failures(found), scores(found)) == (set(), space["a"])
    assert git_state(root) == (before, head)


def git_state(root: Path) -> tuple[dict[str, bytes], str]:
    """The files of a project's repository, and its commit."""
    ask = ["git", "-C", str(root), "rev-parse", "--path-format=absolute", "--git-common-dir"]
    folder, head = subprocess.check_output([*ask, "HEAD"], text=True).split()
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files}, head


def test_leftovers_do_not_leak_unless_they_are_asked_for(project: Make) -> None:
    root = project("[ -e runs/last/w ] && s=9; echo score: $s$1\n")
    (root / "runs" / "last").mkdir(parents=True)
    (root / "runs" / "last" / "w").write_text("")
    (root / ".gitignore").write_text("runs/\n")
    said: list[str] = []
    assert scores(tune(root / "tuning.yaml", say=said.append)) == [1, 2]
    assert any("left out of runs, since Git ignores it: runs;" in text for text in said)
    text = (root / "tuning.yaml").read_text()
    asked = text.replace("objective:\n", "objective:\n  workspace: {link: [runs/last]}\n")
    (root / "tuning.yaml").write_text(asked)
    said.clear()
    assert scores(tune(root / "tuning.yaml", say=said.append)) == [91, 92]
    assert "linked as `link` asks, whoever wrote it: runs/last" in said


def test_who_misses_what_was_left_out_is_told(project: Make) -> None:
    root = project("cat stuff/x && echo score: $1\n")
    (root / "stuff").mkdir()
    (root / "stuff" / "x").write_text("")
    (root / ".gitignore").write_text("stuff/\n")
    (message,) = failures(run(root))
    assert message.startswith("exited with status 1; it looked for stuff/x, which is left out")


def test_results_in_another_folder_are_told(project: Make) -> None:
    # As Hydra does with `hydra.job.chdir`.
    script = "mkdir -p out/$1 && cd out/$1 && echo '{\"score\": 1}' > metrics.json\n"
    root = project(script, {"a": [1]}, metrics_file="metrics.json", metrics_pattern=None)
    (message,) = failures(run(root))
    assert message.startswith(
        "there is no file metrics.json; it wrote out/1/metrics.json: name that file, or let"
    )


def test_folders_to_write_into_are_there_or_told(project: Make) -> None:
    root = project("echo $1 > out/m && echo $1 > new/deep/m && echo score: $1\n")
    for name in ("out", "new/deep"):
        (root / name).mkdir(parents=True)
    assert scores(run(root)) == [1, 2]
    assert run(root).n_evaluated == 0
    (root / ".gitignore").write_text("out/\n")
    (root / "train.sh").write_text("echo $1 > out/m && echo score: $1\n")
    (root / "out" / "old").write_text("")
    (message,) = failures(run(root))
    assert "; it wrote into out/, which runs do not get since Git ignores it" in message


def test_artifacts_that_keep_nothing_are_told(project: Make) -> None:
    root = project("echo score: $1\n", artifacts={"keep": ["model.*"]})
    (fold, *_) = run(root).record.history[0].folds
    assert fold.warning == "artifacts: no file matches model.*; nothing was kept"


# -- where runs cannot be watched -------------------------------------------------------------


def test_without_watching_results_depend_on_everything(project: Make) -> None:
    root = project("echo score: $1\n", files=FILES, workspace={"watch": "off"})
    said: list[str] = []
    found = tune(root / "tuning.yaml", say=said.append)
    assert said[0] == "runs are not watched: `objective.workspace.watch` is off"
    assert said[1].startswith("results depend on all files that a run finds")
    assert {"data.csv", "many/two", "."} <= {*found.record.head.reading}
    assert run(root).n_evaluated == 0
    (root / "many" / "two").write_text("changed")
    assert run(root).record.head.generation == 2
    (root / "new.txt").write_text("")
    assert run(root).record.head.generation == 3


@pytest.mark.parametrize("write", ["echo x > big.bin", "echo x > $P/data.csv", "rm $P/data.csv"])
def test_without_watching_the_first_change_ends_the_study(project: Make, write: str) -> None:
    root = project("", files=FILES, workspace={"watch": "off"})
    (root / "train.sh").write_text(f"{write}\necho score: $1\n".replace("$P", str(root)))
    with (root / "big.bin").open("wb") as file:
        file.truncate(LARGE_BYTES + 1)
    name = "big.bin" if "big" in write else "data.csv"
    with pytest.raises(ChangedInputError, match=f"^{name} was changed while the study was running"):
        run(root)
    assert not (root / "outputs").exists()


# -- DVC --------------------------------------------------------------------------------------

STAGE = """\
stages:
  train:
    cmd: sh train.sh 3
    deps: [train.sh, data/train.csv]
    outs: [models]
"""
TRAIN = """\
mkdir -p models
echo $1 > models/model.txt
sleep 0.2
echo score: $(cat models/model.txt)$(wc -l < data/train.csv)
"""


SET_UP = "from dvc.repo import Repo; r = Repo('.'); r.add('data/train.csv'); r.reproduce()"


def dvc_project(project: Make, link: str, cache: Path) -> Path:
    """A project in which a stage was run, its out and its data linked into a cache elsewhere."""
    root = project(TRAIN, {"a": [1, 2, 3, 4]}, {"data/train.csv": "1\n2\n"})
    text = (root / "tuning.yaml").read_text()
    (root / "tuning.yaml").write_text(text.replace("workers: 1", "workers: 2"))
    git(root, "rm", "-q", "--cached", "data/train.csv")
    (root / ".dvc" / "tmp").mkdir(parents=True)
    (root / ".dvc" / ".gitignore").write_text("tmp\n")
    config = f"[core]\n analytics = false\n[cache]\n type = {link}\n dir = {cache}\n"
    (root / ".dvc" / "config").write_text(config)
    (root / "dvc.yaml").write_text(STAGE)
    subprocess.run([PYTHON, "-c", SET_UP], cwd=root, check=True)
    git(root, "add", "-A")
    return root


@pytest.mark.parametrize(
    ("link", "watches"), [("symlink", ("auto", "off")), ("hardlink", ("auto",))]
)
def test_models_of_dvc_are_written_by_each_run_for_itself(
    project: Make, link: str, watches: tuple[str, ...], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    root = dvc_project(project, link, cache)
    model, data = root / "models" / "model.txt", root / "data" / "train.csv"
    assert model.is_symlink() == data.is_symlink() == (link == "symlink")
    before, was_cached = state(root), state(cache)
    text = (root / "tuning.yaml").read_text()
    for watch in watches:
        section = f"objective:\n  workspace: {{watch: '{watch}'}}\n"
        (root / "tuning.yaml").write_text(text.replace("objective:\n", section))
        assert scores(run(root)) == [12, 22, 32, 42]
    (root / "tuning.yaml").write_text(text)
    changed = differences(before, state(root))
    assert (changed, state(cache)) == ({str(root / "tuning.yaml")}, was_cached)
    data.unlink()
    data.write_text("1\n2\n3\n")
    again = run(root)
    assert scores(again) == [13, 23, 33, 43]
    assert (again.n_reused, again.record.history.n_completed) == (0, 4)
