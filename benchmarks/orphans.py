"""Who outlives a run: a tree of processes under several ways to run and to stop a program.

    python -m benchmarks.orphans

The tree is what training programs become: a program, a child, a grandchild, a child that ignores
SIGTERM, and a daemon in a session of its own. Each way gets it twice: once its time runs out, once
the process that runs it is killed with ``kill -9``. Counted is who is alive two seconds later.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tunesmith.system.child_processes import marked, send

MARK = "TUNESMITH_BENCHMARK_TREE"
TREE = """
import os, subprocess, sys, time
def child(code, **more):
    subprocess.Popen([sys.executable, "-c", "import signal, time;" + code], **more)
child("time.sleep(60)")
child("import subprocess; subprocess.Popen(['sleep', '60']); time.sleep(60)")
child("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)")
child("time.sleep(60)", start_new_session=True)
time.sleep(0.3)
open("ready", "w").close()
time.sleep(60)
"""
LATE_S, GRACE_S, AFTER_S = 1.5, 0.5, 2.0
RUNNERS = {
    "`subprocess.run(timeout=…)`": (
        "import subprocess, sys\n"
        "try: subprocess.run([sys.executable, 'tree.py'], timeout={limit})\n"
        "except subprocess.TimeoutExpired: pass\n"
    ),
    "coreutils `timeout -k`": (
        "import subprocess, sys\n"
        "subprocess.run(['timeout', '-k', '{grace}', '{limit}', sys.executable, 'tree.py'])\n"
    ),
    "its own session, `killpg` TERM then KILL": (
        "import os, signal, subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, 'tree.py'], start_new_session=True)\n"
        "try: p.wait({limit})\n"
        "except subprocess.TimeoutExpired:\n"
        "    os.killpg(p.pid, signal.SIGTERM); time.sleep({grace})\n"
        "    os.killpg(p.pid, signal.SIGKILL)\n"
    ),
    "joblib (loky), one worker": (
        "import subprocess, sys\nfrom joblib import Parallel, delayed\n"
        "try: Parallel(n_jobs=2, timeout={limit})(\n"
        "    delayed(subprocess.call)([sys.executable, 'tree.py']) for _ in range(1))\n"
        "except Exception: pass\n"
    ),
    "**Tunesmith**": (
        "from tunesmith import tune\nfrom tunesmith.config.load import define\n"
        "tune(define({{'study': 't', 'objective': {{'command': ['{python}', 'tree.py'],\n"
        "  'grace': {grace}, 'metrics_file': 'm.json',\n"
        "  'metric': {{'name': 'x', 'direction': 'maximize'}}}},\n"
        "  'space': {{'a': [1]}}, 'search': {{'method': 'grid'}},\n"
        "  'execution': {{'workers': 1, 'fit_timeout': {limit}}}}}))\n"
    ),
}


def survivors(runner: str, *, is_killed: bool) -> int:
    """How many of the tree are alive after a while."""
    limit = 60 if is_killed else LATE_S
    code = runner.format(limit=limit, grace=GRACE_S, python=sys.executable)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tree.py").write_text(TREE.replace('"ready"', repr(str(folder / "ready"))))
        environ = {**os.environ, MARK: name}
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=folder,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 30
        while not (folder / "ready").exists() and time.monotonic() < end:
            time.sleep(0.02)
        if is_killed:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(AFTER_S)
        own = [p for p in marked(MARK, name) if _is_of_the_tree(p)]
        send(signal.SIGKILL, marked(MARK, name))
    return len(own)


def _is_of_the_tree(process: int) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    is_python = b"tree.py" in command[1:2] or any(b"time.sleep(60)" in item for item in command)
    return is_python or command[0] == b"sleep"


def main(arguments: list[str] | None = None) -> None:
    print("| way to run a program | alive after its time is up | after `kill -9` of who runs it |")
    print("|---|---|---|")
    for name, runner in RUNNERS.items():
        late, killed = (survivors(runner, is_killed=is_killed) for is_killed in (False, True))
        print(f"| {name} | {late} of 6 | {killed} of 6 |", flush=True)


if __name__ == "__main__":
    main()
