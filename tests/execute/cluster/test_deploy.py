from pathlib import Path
from typing import Any

import pytest

from tunesmith.errors import StorageError, UsageError
from tunesmith.execute.cluster.deploy import Deployment, is_safe


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("tcp://127.0.0.1:8786", True),
        ("tcp://127.3.2.1:8786", True),
        ("tcp://[::1]:8786", True),
        ("tcp://localhost:8786", True),
        ("inproc://10.0.0.1/7/1", True),
        ("tls://10.0.0.1:8786", True),
        ("wss://host/x", True),
        ("tcp://10.0.0.1:8786", False),
        ("tcp://0.0.0.0:8786", False),
        ("tcp://localhost.example.org:8786", False),
        ("ucx://10.0.0.1:8786", False),
        ("ws://host:1", False),
    ],
)
def test_addresses(address: str, safe: bool) -> None:
    assert is_safe(address) is safe


def test_an_open_scheduler_is_refused_before_anything_is_sent() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(UsageError, match="takes orders from anybody"):
        Deployment(scheduler="192.0.2.1:8786").connect()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scheduler": "a:1", "cluster": "b.C"}, "exclude each other"),
        ({"scheduler": "a:1", "scale": 2}, "are for a `cluster`"),
        ({"tls": {"ca": "x"}}, "unknown key `ca`"),
        ({"tls": {"cert": "none.pem"}}, r"tls\.cert: there is no file none\.pem"),
        ({"tls": "x.pem"}, "tls: expected a mapping"),
        ({"scheduler": 8786}, "scheduler: expected an address"),
        ({"scheduler": ""}, "scheduler: expected an address"),
        ({"scheduler_file": 1}, "scheduler_file: expected the path"),
        ({"cluster": 5}, "cluster: expected the import path"),
        ({"cluster": "b.C", "arguments": [1]}, "arguments: expected a mapping"),
        ({"cluster": "b.C", "adapt": 5}, "adapt: expected a mapping"),
        ({"cluster": "b.C", "scale": "two"}, "scale: expected a whole number"),
        ({"cluster": "b.C", "scale": True}, "scale: expected a whole number"),
        ({"cluster": "b.C", "scale": 0}, "scale: must be at least 1"),
        ({"insecure": "maybe"}, "insecure: expected true or false"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Deployment(**options)


def test_a_file_without_a_scheduler(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(StorageError, match="names no scheduler"):
        Deployment(scheduler_file=str(tmp_path / "none.json")).connect()


class Deployer:
    """What a deployer of another package looks like."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self.asked: list[Any] = []

    def scale(self, n: int) -> None:
        self.asked.append(("scale", n))

    def adapt(self, **limits: int) -> None:
        self.asked.append(("adapt", limits))


PATH = f"{__name__}.Deployer"


def test_a_deployer_is_named_by_its_import_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.registry.import_path", {PATH: Deployer}.__getitem__)
    for scaled in ({"scale": 3}, {"adapt": {"minimum": 1, "maximum": 4}}):
        deployment = Deployment(cluster=PATH, arguments={"queue": "short"}, **scaled)
        deployment.start(None)
        assert deployment._owned.queue == "short"
        assert deployment._owned.asked == list(scaled.items())
        deployment.close()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("no_such_package.Cluster", "cannot be imported"),
        ("json.NoSuchCluster", "cannot be imported"),
        ("json.JSONDecoder", r"arguments.queue: json.JSONDecoder has no such option"),
    ],
)
def test_deployers_that_cannot_be_used(path: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Deployment(cluster=path, arguments={"queue": "short"}).start(None)


class Broken(Deployer):
    """A deployer that lacks its queue's program."""

    def scale(self, n: int) -> None:
        raise RuntimeError("no sbatch here")

    def adapt(self, **limits: int) -> None:
        name = next(iter(limits))
        raise TypeError(f"adapt() got an unexpected keyword argument '{name}'")


@pytest.mark.parametrize(
    ("scaled", "error", "words"),
    [
        ({"scale": 2}, StorageError, "cannot start a cluster: RuntimeError: no sbatch"),
        ({"adapt": {"intervall": 1}}, UsageError, r"adapt\.intervall: .*Did you mean `interval`"),
    ],
)
def test_deployers_that_break_are_no_defect(
    scaled: dict[str, Any], error: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.registry.import_path", lambda _path: Broken)
    deployment = Deployment(cluster=PATH, arguments={"queue": "short"}, **scaled)
    with pytest.raises(error, match=words):
        deployment.start(None)
    # What it has started is known, and is ended.
    assert deployment._owned is not None


@pytest.mark.parametrize("content", ["[1]", '{"address": 5}', "[" * 100_000, "no"])
def test_files_that_name_no_scheduler(content: str, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(StorageError, match="names no scheduler"):
        Deployment(scheduler_file=str(tmp_path / "s.json")).connect()


def test_an_address_that_is_none() -> None:
    pytest.importorskip("distributed")
    with pytest.raises(UsageError, match="is none"):
        Deployment(scheduler="tcp://[::1").connect()


def test_limits_that_dask_would_ignore_are_refused() -> None:
    pytest.importorskip("distributed")
    own = {"n_workers": 0, "processes": False, "dashboard_address": "127.0.0.1:0"}
    deployment = Deployment(cluster="distributed.LocalCluster", arguments=own, adapt={"minimun": 1})
    try:
        with pytest.raises(UsageError, match=r"adapt\.minimun: .*Did you mean `minimum`"):
            deployment.start(None)
    finally:
        deployment.close()
