"""Clusters of Dask: one of this process, one at an address, or one that a deployer starts.

A deployer is any class in the style of ``dask.distributed.SpecCluster``, such as those of
``dask-jobqueue`` and ``dask-kubernetes``. The configuration names it by its import path and gives
its arguments, so none of them is known here.
"""

import ipaddress
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tunesmith import registry
from tunesmith.errors import StorageError, UsageError, did_you_mean
from tunesmith.execute.choose import n_cores
from tunesmith.execute.options import options_of, unknown_option

TLS_KEYS = ("ca_file", "cert", "key")
LOCALHOST = "localhost"
CONNECT_S = 10.0
ADAPTIVE = ("interval", "wait_count", "target_duration")
"""Options of Dask's adaptive deployments that deployers pass on."""
TYPES: dict[str, tuple[type, str]] = {
    "scheduler": (str, "an address, such as tls://host:8786"),
    "scheduler_file": (str, "the path of a file"),
    "cluster": (str, "the import path of a class"),
    "arguments": (Mapping, "a mapping"),
    "scale": (int, "a whole number"),
    "adapt": (Mapping, "a mapping, such as {minimum: 1, maximum: 20}"),
    "tls": (Mapping, "a mapping with ca_file, cert and key"),
    "insecure": (bool, "true or false"),
}
"""Option -> its type, and the words for it."""


@dataclass(kw_only=True)
class Deployment:
    """A cluster as the configuration describes it; ``start`` makes or finds it.

    Args:
        scheduler: address of a running scheduler, such as ``tls://host:8786``.
        scheduler_file: JSON file that a scheduler has written (``dask scheduler
            --scheduler-file``).
        cluster: import path of a deployer's class, such as ``dask_jobqueue.SLURMCluster``.
        arguments: of the deployer.
        scale: number of Dask workers that the deployer starts.
        adapt: least and most of them instead, as arguments of the deployer's ``adapt``.
        tls: ``ca_file``, ``cert`` and ``key`` of this client.
        insecure: allow a scheduler on the network without TLS.
    """

    scheduler: str | None = None
    scheduler_file: str | None = None
    cluster: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    scale: int | None = None
    adapt: Mapping[str, Any] | None = None
    tls: Mapping[str, str] | None = None
    insecure: bool = False

    def __post_init__(self) -> None:
        self._check_types()
        given = [self.scheduler, self.scheduler_file, self.cluster]
        if sum(value is not None for value in given) > 1:
            raise UsageError(
                "execution.options: `scheduler`, `scheduler_file` and `cluster` exclude each other."
                "\n  Keep one of them; without any, a cluster on this machine is used."
            )
        if unknown := set(self.tls or ()) - set(TLS_KEYS):
            name = min(unknown)
            hint = did_you_mean(name, TLS_KEYS)
            raise UsageError(f"execution.options.tls: unknown key `{name}`. {hint}")
        if self.cluster is None and (self.arguments or self.scale or self.adapt):
            raise UsageError(
                "execution.options: `arguments`, `scale` and `adapt` are for a `cluster`."
                "\n  Name the class of a deployer, such as `dask_jobqueue.SLURMCluster`."
            )
        self._owned: Any = None

    def _check_types(self) -> None:
        # A configuration may have anything here, and Dask's own words tell no key.
        for name, (kind, words) in TYPES.items():
            value = getattr(self, name)
            is_bool = isinstance(value, bool) and kind is not bool
            if value is not None and (not isinstance(value, kind) or is_bool or value == ""):
                raise UsageError(f"execution.options.{name}: expected {words}, found {value!r}.")
        for name, value in (self.tls or {}).items():
            if name in TLS_KEYS and not Path(str(value)).is_file():
                raise UsageError(f"execution.options.tls.{name}: there is no file {value}.")
        if self.scale is not None and self.scale < 1:
            raise UsageError(f"execution.options.scale: must be at least 1 (found {self.scale}).")

    @property
    def is_local(self) -> bool:
        """True if the cluster is one of this process."""
        return not (self.scheduler or self.scheduler_file or self.cluster)

    def start(self, n_workers: int | None) -> None:
        """Start the cluster, if it is not running already.

        Args:
            n_workers: calls at a time, for a cluster of this process.

        Raises:
            UsageError: the deployer cannot be imported, or does not accept its arguments.
        """
        if self.is_local:
            self._owned = _local(n_workers or n_cores())
        elif self.cluster is not None:
            self._owned = self._deployed(self.cluster)

    def connect(self) -> Any:
        """Return a new client of the cluster.

        Raises:
            UsageError: the scheduler is on the network, and its connections are not encrypted.
            StorageError: nobody answers there.
        """
        from distributed import Client

        where = self._owned or self._address()
        if isinstance(where, str):
            self._refuse_open(where)
        try:
            client = Client(
                where, security=self._security(), timeout=CONNECT_S, set_as_default=False
            )
        except (OSError, TimeoutError, ValueError) as error:
            place = where if isinstance(where, str) else self.cluster
            raise StorageError(
                f"the scheduler at {place} does not answer: {error}."
                "\n  Start it, or name its address in `execution.options.scheduler`."
            ) from error
        if self.cluster is not None:
            self._refuse_open(client.scheduler.address, client)
        return client

    def close(self) -> None:
        """End the cluster, if it was started here."""
        owned, self._owned = self._owned, None
        if owned is not None:
            # Workers that are ending already make deployers complain.
            with suppress(Exception):
                owned.close()

    def _deployed(self, path: str) -> Any:
        try:
            kind = registry.import_path(path)
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"execution.options.cluster: {path} cannot be imported: {error}."
                "\n  Install the package that has it, e.g. `pip install dask-jobqueue`."
            ) from error
        key, known = "execution.options.arguments", options_of(kind)
        try:
            # Kept at once: what has started is ended, too, if it cannot be scaled.
            self._owned = made = kind(**self.arguments)
            if self.adapt is not None:
                key, known = "execution.options.adapt", [*ADAPTIVE, *options_of(made.adapt)]
                _check_adapt(made, self.adapt, known)
                made.adapt(**self.adapt)
            else:
                made.scale(self.scale or 1)
        except (TypeError, ValueError, AttributeError) as error:
            raise UsageError(unknown_option(key, path, error, known)) from error
        except Exception as error:
            raise StorageError(
                f"{path} cannot start a cluster: {type(error).__name__}: {error}."
                "\n  Make one with the same `arguments` in Python first: what it says there is the"
                " deployer's own."
            ) from error
        return made

    def _address(self) -> str:
        if self.scheduler is not None:
            return self.scheduler if "://" in self.scheduler else f"tcp://{self.scheduler}"
        import json

        try:
            address = json.loads(Path(str(self.scheduler_file)).read_text())["address"]
            if not isinstance(address, str):
                raise TypeError(f"its address is {address!r}")
            return address
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise StorageError(
                f"{self.scheduler_file} names no scheduler: {error}."
                "\n  `dask scheduler --scheduler-file FILE` writes it when it starts."
            ) from error

    def _security(self) -> Any:
        if self.tls is None:
            # A deployer knows its own.
            return None
        from distributed import Security

        names = {"ca_file": "tls_ca_file", "cert": "tls_client_cert", "key": "tls_client_key"}
        options = {names[key]: value for key, value in self.tls.items()}
        return Security(require_encryption=True, **options)

    def _refuse_open(self, address: str, client: Any = None) -> None:
        """Refuse a scheduler that anybody on the network can have run code."""
        if self.insecure or is_safe(address):
            return
        if client is not None:
            client.close()
        raise UsageError(
            f"the scheduler at {address} takes orders from anybody on its network, without TLS."
            "\n  Use TLS (`execution: {options: {tls: {ca_file: …, cert: …, key: …}}}`), or set"
            " `insecure: true` there if everybody on this network may run code as you."
        )


def _check_adapt(made: Any, given: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse what Dask's own ``adapt`` would ignore without a word.

    Raises:
        TypeError: a name is not known.
    """
    is_own = getattr(made.adapt, "__module__", "").partition(".")[0] == "distributed"
    for name in given:
        if is_own and name not in known:
            raise TypeError(f"adapt() got an unexpected keyword argument '{name}'")


def is_safe(address: str) -> bool:
    """True if an address is encrypted or cannot be reached from other machines.

    >>> is_safe("tcp://127.0.0.1:8786"), is_safe("tcp://10.0.0.5:8786"), is_safe("tls://a:1")
    (True, False, True)
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise UsageError(f"the scheduler's address {address} is none: {error}.") from None
    if parts.scheme in ("inproc", "tls", "wss"):
        return True
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == LOCALHOST


def _local(n_threads: int) -> Any:
    """Make a cluster in this process: nothing of it can be reached, calls have their processes."""
    from distributed import LocalCluster

    # Dask's own default address of its pages is reachable from everywhere.
    return LocalCluster(
        n_workers=1,
        threads_per_worker=n_threads,
        processes=False,
        protocol="inproc",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        memory_limit=0,
        silence_logs=50,
    )
