from collections.abc import Callable
from typing import Any

import pytest

from tunesmith.execute.executor import Executor
from tunesmith.execute.portable import LokyStarter
from tunesmith.execute.processes import ProcessExecutor
from tunesmith.testing.executor import ExecutorContract


@pytest.fixture
def _portable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNESMITH_PORTABLE", "1")


@pytest.mark.slow
@pytest.mark.usefixtures("_portable")
class TestPortableProcesses(ExecutorContract):
    def make(self, function: Callable[[Any], Any], **options: Any) -> Executor:
        executor = ProcessExecutor(function, **options)
        assert isinstance(executor._starter, LokyStarter)
        return executor
