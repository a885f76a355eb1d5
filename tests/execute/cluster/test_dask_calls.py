import time

import pytest

from tunesmith.execute.cluster import dask_calls


class FakeHost:
    """A host whose last use is given."""

    def __init__(self, since: float | None) -> None:
        self._since, self.is_closed = since, False
        self.stopped: list[str] = []

    def idle_since(self) -> float | None:
        return self._since

    def stop(self, call: str) -> None:
        self.stopped.append(call)

    def close(self) -> None:
        self.is_closed = True


class FakeWorker:
    address = "inproc://here"


@pytest.fixture
def stopper(monkeypatch: pytest.MonkeyPatch) -> dask_calls.Stopper:
    monkeypatch.setattr(dask_calls, "_hosts", {})
    made = dask_calls.Stopper()
    made._worker = FakeWorker()
    return made


def test_hosts_that_nobody_uses_end(stopper: dask_calls.Stopper) -> None:
    now = time.monotonic()
    busy, old, new = FakeHost(None), FakeHost(now - 1000), FakeHost(now)
    elsewhere = FakeHost(now - 1000)
    names = {"busy": busy, "old": old, "new": new}
    dask_calls._hosts.update({(FakeWorker.address, n): h for n, h in names.items()})  # type: ignore[misc]
    dask_calls._hosts["inproc://other", "old"] = elsewhere  # type: ignore[assignment]
    stopper._end_idle()
    assert [busy.is_closed, old.is_closed, new.is_closed] == [False, True, False]
    assert not elsewhere.is_closed
    assert (FakeWorker.address, "old") not in dask_calls._hosts


@pytest.mark.parametrize(
    ("start", "finish", "stops"),
    [
        ("executing", "cancelled", True),
        ("executing", "released", True),
        ("executing", "memory", False),
        ("ready", "released", False),
    ],
)
def test_only_running_calls_that_are_released_stop(
    stopper: dask_calls.Stopper, start: str, finish: str, stops: bool
) -> None:
    host = FakeHost(None)
    dask_calls._hosts[FakeWorker.address, "x"] = host  # type: ignore[assignment]
    stopper.transition("key", start, finish, stimulus_id="1")
    assert host.stopped == (["key"] if stops else [])
