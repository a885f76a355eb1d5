"""What happens to searches when something goes wrong, here and beside: eight accidents.

    python -m benchmarks.peers_faults [--dask FOLDER]

Every accident really happens, to the installed versions, in processes of their own. ``--dask``
names a folder into which ``pip install --target FOLDER distributed`` has put Dask. Cells say what
was seen, and "–" where a tool does not offer what would be tested.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

LIMIT_S = 120
TOOLS = ("Tunesmith", "GridSearchCV", "Optuna, SQLite", "Optuna, journal", "Dask")
FIT = """
import os, time, warnings
warnings.simplefilter("ignore")
from sklearn.tree import DecisionTreeClassifier
class Model(DecisionTreeClassifier):
    def fit(self, X, y):
        if len(X) < 40:  # a look at the data before the search
            return super().fit(X, y)
        with open("begun.log", "a") as log: log.write(f"{self.max_depth} {X.sum()!r}\\n")
        trouble = os.environ.get("TROUBLE", "")
        if trouble == "exit" and self.max_depth == 5: os._exit(1)
        if trouble == "hang" and self.max_depth == 5: time.sleep(6)
        time.sleep(float(os.environ.get("FIT_S", "0")))
        return super().fit(X, y)
"""
GRID = """
from model import Model
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
X, y = load_iris(return_X_y=True)
if __name__ == "__main__":
    search = {search}
    search.fit(X, y)
    print("finished", len(search.cv_results_["params"]))
"""
SCIKIT = "GridSearchCV(Model(), {'max_depth': list(range(1, 13))}, cv=3, n_jobs=2, refit=False)"
OURS = (
    "__import__('tunesmith.sklearn').sklearn.GridSearchCV(Model(),"
    " {'max_depth': list(range(1, 13))}, cv=3, n_jobs=2, refit=False, ledger='l.db'LIMIT)"
)
STORES = {
    "Optuna, SQLite": "'sqlite:///o.db'",
    "Optuna, journal": "optuna.storages.JournalStorage("
    "optuna.storages.journal.JournalFileBackend('o.log'))",
}
OPTUNA = """
import optuna, sys
from model import Model
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
optuna.logging.set_verbosity(optuna.logging.ERROR)
X, y = load_iris(return_X_y=True)
def objective(trial):
    depth = trial.suggest_int("depth", 1, 12)
    x = trial.suggest_float("x", 0, 1)
    score = cross_val_score(Model(max_depth=depth), X, y, cv=3).mean() + x / 1e3
    with open("ended.log", "a") as log: log.write(f"{{trial.number}}\\n")
    return score
study = optuna.create_study(storage={store}, study_name="s", load_if_exists=True,
    direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
study.optimize(objective, n_trials={n}, n_jobs={jobs}, timeout={timeout}, catch=(Exception,))
print("finished", sum(t.state.name == "COMPLETE" for t in study.trials))
print([t.params["x"] for t in study.trials if "x" in t.params])
"""
DASK = """
import os, sys, time
from dask.distributed import Client, LocalCluster
def work(n):
    with open("begun.log", "a") as log: log.write(f"{n}\\n")
    if n == 5 and os.environ.get("TROUBLE") == "exit": os._exit(1)
    if n == 5 and os.environ.get("TROUBLE") == "hang": time.sleep(6)
    time.sleep(float(os.environ.get("FIT_S", "0")))
    return n
if __name__ == "__main__":
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client:
        futures = client.map(work, range(20), pure=False)
        done = []
        for future in futures:
            try: done.append(future.result(timeout=40))
            except Exception as error: print(type(error).__name__)
        print("finished", len(done))
"""


class Bench:
    """A folder in which a script runs."""

    def __init__(self, folder: Path, dask: str | None) -> None:
        self.folder, self.dask = folder, dask
        (folder / "model.py").write_text(FIT)

    def start(self, code: str, **environ: str) -> "subprocess.Popen[str]":
        (self.folder / "main.py").write_text(code)
        path = os.pathsep.join(filter(None, [self.dask if "dask" in code else None]))
        return subprocess.Popen(
            [sys.executable, "main.py"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, code: str, **environ: str) -> tuple[int, str, float]:
        """(exit code, output, seconds)."""
        began, process = time.monotonic(), self.start(code, **environ)
        try:
            out, _ = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out = "no end"
        return process.wait(), out, time.monotonic() - began

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def script(self, tool: str, limit: str = "", **options: object) -> str:
        """The search of a tool."""
        if tool == "Dask":
            return DASK
        if tool in STORES:
            values = {"store": STORES[tool], "n": 12, "jobs": 1, "timeout": None, **options}
            return OPTUNA.format(**values)
        search = SCIKIT if tool == "GridSearchCV" else OURS.replace("LIMIT", limit)
        return GRID.replace("{search}", search)


def finished(out: str) -> str:
    found = re.search(r"finished (\d+)", out)
    return found[1] if found else "0"


# -- accidents -----------------------------------------------------------------------------------


def killed(bench: Bench, tool: str) -> str:
    """``kill -9`` in the middle, then the same again."""
    process = bench.start(bench.script(tool), FIT_S="0.1")
    name = "ended.log" if tool in STORES else "begun.log"
    end = time.monotonic() + LIMIT_S
    while len(bench.lines(name)) < 6 and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    time.sleep(1)
    if tool in STORES:
        n_ended = len(bench.lines(name))
        _, out, _ = bench.run(bench.script(tool, n=0))
        return f"{n_ended - int(finished(out))} of {n_ended} finished trials lost"
    before = bench.lines(name)
    bench.run(bench.script(tool), FIT_S="0")
    again = sum(line in before for line in bench.lines(name)[len(before) :])
    return f"{again} of {len(before)} begun fits made again"


def leaving(bench: Bench, tool: str) -> str:
    """One fit of many ends its process (``os._exit``)."""
    code, out, _ = bench.run(bench.script(tool, n=12), TROUBLE="exit")
    if tool in STORES:
        n_ended = len(bench.lines("ended.log"))
        return "the study ends" if code else f"goes on, {n_ended} of 12 trials"
    n = {"Dask": 20}.get(tool, 12)
    return f"{finished(out)} of {n} results" + (", the search ends" if code else "")


def hanging(bench: Bench, tool: str) -> str:
    """One fit takes 6 s, with a limit of 1 s."""
    if tool in ("GridSearchCV", "Dask"):
        return "no limit to set"
    _, _, usual = bench.run(bench.script(tool, n=0 if tool in STORES else 12), TROUBLE="")
    for path in bench.folder.glob("l.db*"):
        path.unlink()
    code = bench.script(tool, ", fit_timeout_s=1", n=1, timeout=1)
    if tool in STORES:
        code = code.replace('"depth", 1, 12', '"depth", 5, 5')
    n_fits = 3
    _, _, seconds = bench.run(code, TROUBLE="hang")
    over = max(0.0, seconds - usual) / n_fits
    return f"stopped after {over:.1f} s" if over < 3 else f"not stopped ({over:.1f} s a fit)"


def torn(bench: Bench, tool: str) -> str:
    """The last line of what is stored is torn off, as by a full disk; then two more runs."""
    if tool not in ("Tunesmith", "Optuna, journal"):
        return "–"
    if tool == "Tunesmith":
        from tests.durability import sweep
        from tests.durability.forks import in_fork

        sweep.project(bench.folder)
        in_fork(bench.folder, sweep.run)
        history = bench.folder / "outputs/history.jsonl"
        whole = history.read_bytes()
        history.write_bytes(whole[:-30])
        for path in bench.folder.glob(".tunesmith/*"):
            path.unlink()
        code = in_fork(bench.folder, sweep.run)
        is_whole = history.read_bytes().splitlines()[1:] == whole.splitlines()[1:]
        return f"goes on{'; the history is whole' * is_whole}" if code == 0 else "fails"
    bench.run(bench.script(tool, n=2))
    log = bench.folder / "o.log"
    log.write_bytes(log.read_bytes()[:-20])
    codes = [bench.run(bench.script(tool, n=2))[0] for _ in range(2)]
    return "goes on" if codes == [0, 0] else f"cannot be opened any more (exit {codes[-1]})"


def together(bench: Bench, tool: str) -> str:
    """Eight processes begin the same new study at once."""
    if tool in ("GridSearchCV", "Dask"):
        return "–"
    if tool == "Tunesmith":
        code = "from tunesmith.ledger.ledger import Ledger; Ledger.open('l.db').close()"
    else:
        code = bench.script(tool, n=0)
    processes = [bench.start(code) for _ in range(8)]
    outs = [process.communicate(timeout=LIMIT_S)[0] for process in processes]
    n_failed = sum(process.returncode != 0 for process in processes)
    assert len(outs) == 8
    return f"{n_failed} of 8 fail"


def flipped(bench: Bench, tool: str) -> str:
    """One bit of the stored file changes: 40 times, each in a fresh copy."""
    from random import Random

    if tool not in ("Tunesmith", "Optuna, SQLite"):
        return "–"
    bench.run(bench.script(tool, n=12))
    file = bench.folder / ("l.db" if tool == "Tunesmith" else "o.db")
    data, chance, silent = file.read_bytes(), Random(1), 0  # noqa: S311
    wanted = bench.run(READ[tool])[1]
    (bench.folder / "flips").mkdir()
    for number in range(40):
        content, bit = bytearray(data), chance.randrange(8 * len(data))
        content[bit // 8] ^= 1 << bit % 8
        (bench.folder / "flips" / f"{number}.db").write_bytes(content)
    out = bench.run(MANY[tool])[1]
    silent = sum(line != wanted.strip() and line != "told" for line in out.splitlines())
    return f"{silent} of 40 change results silently"


READ = {
    "Tunesmith": "from peek import ours; print(ours('l.db'))",
    "Optuna, SQLite": "from peek import optunas; print(optunas('o.db'))",
}
PEEK = """
from pathlib import Path
def ours(place):
    from tunesmith.ledger.ledger import Ledger
    from tunesmith.errors import StorageError
    try:
        with Ledger.open(Path(place), create=False) as ledger:
            told = ledger.load().history.completed
            return str([(t.key, [dict(f.scores) for f in t.folds]) for t in told])
    except StorageError: return "told"
def optunas(place):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.load_study(study_name="s", storage=f"sqlite:///{place}")
        return str([(t.number, t.params, t.values, t.state.name) for t in study.trials])
    except Exception: return "told"
"""
MANY = {
    tool: f"from peek import {name}\nfor n in range(40): print({name}(f'flips/{{n}}.db'))"
    for tool, name in (("Tunesmith", "ours"), ("Optuna, SQLite", "optunas"))
}


def workers(bench: Bench, tool: str) -> str:
    """The same seed with one worker and with two."""
    if tool in ("GridSearchCV", "Dask"):
        return "–"
    if tool == "Tunesmith":
        from tests.durability import sweep
        from tests.durability.forks import in_fork

        found = []
        for executor in ("serial", "processes"):
            folder = bench.folder / executor
            sweep.project(folder, executor)
            text = (folder / "tuning.yaml").read_text()
            text = text.replace("{method: grid}", "{method: bayesian, seed: 1}\nstop: {trials: 8}")
            text = text.replace("[1, 2, 3]", "{float: [1.0, 9.0]}").replace(
                "max_depth", "ccp_alpha"
            )
            (folder / "tuning.yaml").write_text(text)
            in_fork(folder, sweep.run)
            found.append(sweep.state(folder)["told"])
        n = sum(one == other for one, other in zip(*found, strict=False))
        return f"{n} of {len(found[0])} trials the same"
    outs = []
    for jobs in (1, 2):
        for path in bench.folder.glob("o.*"):
            path.unlink()
        out = bench.run(bench.script(tool, jobs=jobs, n=16), FIT_S="0.02")[1]
        outs.append(re.findall(r"0\.\d+", out.splitlines()[-1]))
    n = len(set(outs[0]) & set(outs[1]))
    return f"{n} of {len(outs[0])} trials the same"


def locked(bench: Bench, tool: str) -> str:
    """The process that holds the lock is killed; how long until the next one can write."""
    if tool not in ("Tunesmith", "Optuna, journal"):
        return "–"
    if tool == "Optuna, journal":
        bench.run(bench.script(tool, n=1))
        hold = (
            "import os, optuna\nfrom optuna.storages.journal import JournalFileSymlinkLock as L\n"
            "L('o.log').acquire(); os._exit(0)"
        )
        again = bench.script(tool, n=1)
    else:
        hold = (
            "import os\nfrom tunesmith.ledger.lock import run_lock\n"
            "from tunesmith.ledger.ledger import Ledger\nledger = Ledger.open('l.db')\n"
            "run_lock('l.db', 's').__enter__(); os._exit(0)"
        )
        again = hold
    _, _, usual = bench.run(again.replace("'o.log'", "'other.log'").replace("'l.db'", "'o.db'"))
    bench.run(hold)
    _, _, seconds = bench.run(again)
    return f"{max(0.0, seconds - usual):.1f} s"


ACCIDENTS: dict[str, Callable[[Bench, str], str]] = {
    "`kill -9` of the search": killed,
    "a fit ends its process": leaving,
    "a fit hangs, limit 1 s": hanging,
    "a torn line in what is stored": torn,
    "8 processes begin at once": together,
    "a flipped bit in what is stored": flipped,
    "1 worker and 2": workers,
    "a lock of a killed process": locked,
}


def cell(accident: str, tool: str, dask: str | None) -> str:
    if tool == "Dask" and dask is None:
        return "not installed"
    if tool == "Dask" and accident not in ("a fit ends its process", "`kill -9` of the search"):
        return "–"
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name).resolve(), dask)
        (bench.folder / "peek.py").write_text(PEEK)
        return ACCIDENTS[accident](bench, tool)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dask")
    parser.add_argument("--only")
    options = parser.parse_args(arguments)
    versions = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "optuna"))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {versions}\n")
    print(f"| accident | {' | '.join(TOOLS)} |\n|---|{'---|' * len(TOOLS)}")
    for accident in ACCIDENTS:
        if options.only is None or options.only in accident:
            cells = [cell(accident, tool, options.dask) for tool in TOOLS]
            print(f"| {accident} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
