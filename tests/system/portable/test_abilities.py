import os
import signal
import sys

import pytest

from tunesmith.system.portable import abilities

LACKING = (
    *("fork", "setsid", "killpg", "pidfd_open", "posix_spawn", "sched_getaffinity", "waitpid"),
    *("pread", "pwrite", "fchmod", "fdatasync", "O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK"),
    *("O_DIRECTORY", "waitstatus_to_exitcode", "getuid", "sysconf", "set_blocking", "mkfifo"),
)
"""Names of ``os`` that Windows or macOS lacks."""
SIGNALS = ("SIGKILL", "SIGHUP", "SIGALRM", "SIGVTALRM", "setitimer", "ITIMER_REAL", "pthread_kill")
MODULES = ("fcntl", "resource", "termios", "pwd", "grp", "pty")
AS_ON_WINDOWS = f"""
import importlib, os, pkgutil, signal, sys
# What does not belong to the package is there already, as it is made for this system.
import ctypes, socket, sqlite3, subprocess, multiprocessing.connection, selectors
import click, cloudpickle, joblib, numpy, optuna, pandas, pydantic, rich, ruamel.yaml
import scipy.stats, sklearn.model_selection, sqlalchemy, threadpoolctl, tomlkit
import distributed, skops.io
import rich.progress, rich.console, joblib.externals.loky.backend, sklearn.utils.estimator_checks
for name in {LACKING!r}:
    vars(os).pop(name, None)
for name in {SIGNALS!r}:
    vars(signal).pop(name, None)
for name in {MODULES!r}:
    sys.modules[name] = None
import tunesmith
left_out = ("tunesmith.testing", "tunesmith.templates", "tunesmith.__main__")
names = [m.name for m in pkgutil.walk_packages(tunesmith.__path__, "tunesmith.")]
for name in names:
    if not name.startswith(left_out):
        importlib.import_module(name)
print(len(names))
"""


def test_the_switch_is_a_variable() -> None:
    assert not abilities.is_forced({})
    assert not abilities.is_forced({"TUNESMITH_PORTABLE": "0"})
    assert abilities.is_forced({"TUNESMITH_PORTABLE": "1"})


def test_what_is_weaker_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_PORTABLE", "0")
    assert list(abilities.weaknesses()) == []
    monkeypatch.setenv("TUNESMITH_PORTABLE", "1")
    sentences = list(abilities.weaknesses())
    assert any("`execution.memory`" in sentence for sentence in sentences)
    assert abilities.n_usable_cores() == os.cpu_count()


def test_signals_are_those_that_the_system_has() -> None:
    assert signal.SIGINT in abilities.INTERRUPTING
    assert signal.SIGTERM in abilities.INTERRUPTING


@pytest.mark.slow
def test_no_module_needs_what_windows_lacks_to_be_imported() -> None:
    import subprocess

    ended = subprocess.run([sys.executable, "-c", AS_ON_WINDOWS], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 400
