from typing import Any

from tunesmith.execute.cluster.dask_link import DaskLink, Left


def link() -> DaskLink:
    return DaskLink(None, "name", {}, None, n_threads=1, uses_gpus=False)  # type: ignore[arg-type]


def test_workers_that_leave_are_told_of_and_may_come_again() -> None:
    made = link()
    asked: list[str] = []
    made.admit = asked.append  # type: ignore[method-assign, assignment]
    made._hear((0.0, {"action": "add-worker", "worker": "a"}))
    made._hear((0.0, {"action": "remove-worker", "worker": "a", "expected": True}))
    made._hear((0.0, {"action": "add-worker", "worker": "a"}))
    assert asked == ["a", "a"]
    assert made.events.get_nowait() == Left("a", True)


def test_other_events_are_ignored() -> None:
    made = link()
    messages: list[Any] = [{"action": "add-client", "client": "c"}, "text", {"worker": None}]
    for message in messages:
        made._hear((0.0, message))
    assert made.events.empty()


def test_a_link_that_was_never_connected_closes() -> None:
    made = link()
    assert not made.is_up
    assert made.address == ""
    made.close()
