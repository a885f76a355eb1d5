import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import TunesmithError
from tunesmith.execute import shared_data
from tunesmith.execute.cluster.host import ANSWER, DIED, STOPPED, TIMEOUT, Host
from tunesmith.execute.cluster.sent import describe

pytestmark = pytest.mark.slow


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Callable[..., Host]]:
    made: list[Host] = []

    def make(function: Any, **options: Any) -> Host:
        path = tmp_path / "function"
        made.append(Host(describe(path, shared_data.dump(function, path)), **options))
        made[-1].receive(0, path.read_bytes())
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_calls_end_in_every_way(host: Callable[..., Host]) -> None:
    def work(item: Any) -> Any:
        if item == "die":
            os._exit(3)
        time.sleep(item)
        return item

    here = host(work)
    kind, content, _ = here.run("a", pickle.dumps(0))
    assert (kind, pickle.loads(content)) == (ANSWER, ("result", 0))
    assert here.run("b", pickle.dumps(60), timeout_s=0.1)[:2] == (
        TIMEOUT,
        "stopped after 0.1 seconds",
    )
    assert here.run("c", pickle.dumps("die"))[:2] == (DIED, "its process exited with status 3")
    stopper = threading.Timer(0.3, here.stop, ["d"])
    stopper.start()
    assert here.run("d", pickle.dumps(60))[0] == STOPPED
    assert here.run("e", pickle.dumps(0))[0] == ANSWER


def test_a_call_that_is_alone_waits_for_the_others(host: Callable[..., Host]) -> None:
    here, order = host(time.sleep), []

    def call(name: str, seconds: float, alone: bool) -> None:
        here.run(name, pickle.dumps(seconds), alone=alone)
        order.append(name)

    threads = [
        threading.Thread(target=call, args=("slow", 0.5, False)),
        threading.Thread(target=call, args=("alone", 0.0, True)),
    ]
    for thread in threads:
        thread.start()
        while here.idle_since() is not None:
            time.sleep(0.01)
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert order == ["slow", "alone"]


def test_bytes_that_changed_on_their_way_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "function"
    described = describe(path, shared_data.dump(time.sleep, path))
    here = Host(described)
    try:
        with pytest.raises(TunesmithError, match="another digest"):
            here.receive(0, path.read_bytes()[:-1] + b"\0\0"[:1])
        assert not here.is_whole
        half = path.stat().st_size // 2
        here.receive(0, path.read_bytes()[:half])
        assert not here.is_whole
        here.receive(half, path.read_bytes()[half:])
        assert here.is_whole
    finally:
        here.close()
