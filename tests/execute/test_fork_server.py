import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tunesmith.execute.fork_server import ForkServer
from tunesmith.execute.processes import ProcessExecutor
from tunesmith.execute.starter import kept
from tunesmith.testing.executor import drain

pytestmark = pytest.mark.slow


def answers(fork_server: ForkServer, function: Any, n_workers: int = 1) -> list[Any]:
    """What a function returns, once in each worker."""
    with ProcessExecutor(function, n_workers=n_workers, fork_server=fork_server) as executor:
        futures = [executor.submit(n) for n in range(n_workers)]
        drain(executor, futures)
        return [future.result() for future in futures]


def is_loaded(name: str) -> Any:
    return lambda _item: name in sys.modules


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_workers_find_the_modules_loaded() -> None:
    with ForkServer() as bare, ForkServer(["wave"]) as fork_server:
        assert answers(bare, is_loaded("wave")) == [False]
        assert answers(fork_server, is_loaded("wave")) == [True]


def test_modules_that_cannot_be_imported_are_left_to_the_workers(project: Path) -> None:
    (project / "broken_one.py").write_text("raise RuntimeError\n")
    (project / "ending_one.py").write_text("raise SystemExit(3)\n")
    with ForkServer(["broken_one", "no_such_module", "ending_one", "wave"]) as fork_server:
        assert answers(fork_server, is_loaded("wave")) == [True]


def test_garbage_is_collected_in_workers_though_not_while_importing(project: Path) -> None:
    (project / "telling.py").write_text("import gc\nIS_COLLECTED = gc.isenabled()\n")

    def ask(_item: Any) -> tuple[bool, bool]:
        import gc

        return sys.modules["telling"].IS_COLLECTED, gc.isenabled()

    with ForkServer(["telling"]) as fork_server:
        assert answers(fork_server, ask) == [(False, True)]


def test_no_two_workers_draw_the_same_numbers() -> None:
    def draw(_item: Any) -> float:
        time.sleep(0.5)  # long enough for the other one to have a call of its own
        return float(np.random.random())

    with ForkServer(["numpy.random"]) as fork_server:
        assert len(set(answers(fork_server, draw, n_workers=2))) == 2


def test_workers_of_a_nest_with_threads_are_programs_of_their_own(project: Path) -> None:
    (project / "threaded.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    with ForkServer(["threaded"]) as fork_server:
        assert answers(fork_server, is_loaded("threaded"), n_workers=2) == [False, False]


def test_threads_of_libraries_do_not_keep_it_from_forking() -> None:
    with ForkServer(["sklearn.linear_model", "pandas", "pyarrow", "wave"]) as fork_server:
        assert answers(fork_server, is_loaded("wave")) == [True]


def test_workers_of_catboost_are_forked_although_polars_starts_threads() -> None:
    pytest.importorskip("polars")
    pytest.importorskip("catboost")

    def is_like_one_of_its_own(_item: Any) -> tuple[bool, bool, bool]:
        early = "tunesmith.objective.live" in sys.modules, "catboost" in sys.modules
        # Without polars, CatBoost would have a class of its own in its place.
        polars = importlib.import_module("polars")
        return *early, importlib.import_module("catboost.core").pl is polars

    with ForkServer(["catboost.core", "tunesmith.objective.live"]) as fork_server:
        assert answers(fork_server, is_like_one_of_its_own) == [(True, False, True)]


def test_a_nest_with_something_imported_by_half_has_no_forks(project: Path) -> None:
    (project / "stubborn_one.py").write_text("try:\n    import polars\nexcept:\n    pass\n")
    with ForkServer(["stubborn_one", "wave"]) as fork_server:
        assert answers(fork_server, is_loaded("wave")) == [False]


def test_what_an_import_has_started_ends_with_the_nest(project: Path) -> None:
    log = project / "pid"
    (project / "starting.py").write_text(
        "import subprocess\n"
        "child = subprocess.Popen(['setsid', 'sleep', '60'])\n"
        f"open({str(log)!r}, 'w').write(str(child.pid))\n"
    )
    with ForkServer(["starting"]) as fork_server:
        answers(fork_server, is_loaded("starting"))
        child = psutil.Process(int(log.read_text()))
        assert child.is_running()
    assert not child.is_running()


def test_a_nest_ends_with_its_run() -> None:
    code = (
        "from tunesmith.execute.fork_server import ForkServer\n"
        "server = ForkServer()\n"
        "print(server._process.pid, server.folder, flush=True)\n"
        "input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        number, folder = run.stdout.readline().split()
        supervisor = psutil.Process(int(number))
        assert Path(folder).is_dir()
        run.kill()
    end = time.monotonic() + 20
    while supervisor.is_running() and supervisor.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert not Path(folder).exists()


def test_workers_are_leaders_of_a_session_of_their_own() -> None:
    with ForkServer() as fork_server:
        (session,) = answers(fork_server, lambda _item: (os.getsid(0), os.getppid()))
    assert session[0] == session[1]


def test_workers_are_where_the_run_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def surroundings(_item: Any) -> list[Any]:
        return [str(Path.cwd()), os.environ.get("MARK"), os.environ["OMP_NUM_THREADS"], sys.path]

    with ForkServer() as fork_server:
        assert answers(fork_server, surroundings)[0][:2] == [str(Path.cwd()), None]
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("MARK", "here")
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        assert answers(fork_server, surroundings) == [[str(tmp_path), "here", "1", sys.path]]


def test_what_a_project_holds_may_change_between_two_runs(project: Path) -> None:
    def value(_item: Any) -> Any:
        return importlib.import_module("changing").VALUE

    with ForkServer() as fork_server:
        for number in (1, 22):
            (project / "changing.py").write_text(f"VALUE = {number}\n")
            assert answers(fork_server, value) == [number]


def test_what_a_function_needs_is_imported_in_the_nest_if_it_is_installed() -> None:
    import wave

    with ForkServer() as fork_server:
        assert answers(fork_server, lambda _item: (wave.__name__, os.getppid()))[0][0] == "wave"
        assert answers(fork_server, is_loaded("wave")) == [True]


def test_a_nest_is_kept_for_the_next_run_unless_it_has_ended() -> None:
    fork_server = kept(["wave"])
    assert isinstance(fork_server, ForkServer)
    assert kept() is fork_server
    assert answers(fork_server, is_loaded("wave")) == [True]
    os.kill(fork_server._process.pid, signal.SIGKILL)
    fork_server._process.wait()
    another = kept(["wave"])
    assert isinstance(another, ForkServer)
    assert another is not fork_server
    assert answers(another, is_loaded("wave")) == [True]


def test_a_kept_nest_ends_with_its_process() -> None:
    code = "from tunesmith.execute.starter import kept; print(kept()._process.pid)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not psutil.pid_exists(int(done.stdout)), done.stderr
