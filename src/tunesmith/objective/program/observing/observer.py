"""Watching of a run: files that its processes look for, open and change, in any language.

Every call that names a file waits until it has been recorded (``seccomp``). The ground (``Ground``)
decides if the call may continue, and may first replace a shared file by a private copy.
"""

import errno
import os
import platform
import subprocess
import threading
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Protocol

from tunesmith.objective.program.observing import seccomp
from tunesmith.objective.program.observing.syscalls import (
    CALLS,
    CREAT,
    LSTAT,
    MOUNTING,
    NOFOLLOW,
    OPENAT2,
    Does,
    Named,
    SystemCall,
)

END = "/tunesmith-has-ended"
"""Path that the thread with the filter looks for, to report the end."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
READING = (Does.LOOK, Does.ASK, Does.FOLLOW, Does.OPEN, Does.RUN)
UNSEEN_S = 5.0


@dataclass(frozen=True, slots=True)
class FileAccess:
    """An action of a process on a file."""

    does: Does
    path: str
    """Absolute and free of dots; links in it are not followed."""
    flags: int = 0
    thread: int = 0

    @property
    def writes(self) -> bool:
        """True if the action changes something."""
        if self.does is Does.OPEN:
            return bool(self.flags & WRITING)
        return self.does in (Does.CHANGE, Does.PLACE, Does.MAKE)


class Ground(Protocol):
    """Rules for the files of a run."""

    def tread(self, step: FileAccess) -> int:
        """Record an action before it happens; return an error number if it is refused."""

    def passes(self, path: bytes, thread: int) -> bool:
        """True if a path that is looked for or read, as the caller names it, needs no record."""


@dataclass
class Observer:
    """Watches one run. Start programs with ``start``; call ``stop`` when all of them have ended."""

    ground: Ground
    _: KW_ONLY
    problem: str = ""
    """Reason why actions may have been missed; empty if all were seen."""
    _listener: seccomp.Listener | None = None
    _filtered: "threading.Thread | None" = None
    _supervisor: threading.Thread | None = None
    _has_listener: threading.Event = field(default_factory=threading.Event)
    _is_served: threading.Event = field(default_factory=threading.Event)
    _has_started: threading.Event = field(default_factory=threading.Event)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _result: Any = None

    def start(self, *arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        """Start a program like ``subprocess.Popen``, watched if possible; else ``problem`` is set.

        Raises:
            OSError: the program cannot be started.
        """
        # With ``vfork`` this process would hold its breath until the program is executed, which
        # in turn waits for an answer of this process.
        setattr(subprocess, "_USE_VFORK", False)  # noqa: B010 - a name for such cases
        self._filtered = threading.Thread(
            target=self._work_filtered, args=(arguments, options), daemon=True
        )
        self._filtered.start()
        self._has_listener.wait()
        if self._listener is None:
            return subprocess.Popen(*arguments, **options)  # noqa: S603 - as asked for
        # Not from the thread with the filter: it would wait for its own answers.
        self._supervisor = threading.Thread(target=self._serve, daemon=True)
        self._supervisor.start()
        self._is_served.set()
        self._has_started.wait()
        if isinstance(self._result, BaseException):
            raise self._result
        process: subprocess.Popen[bytes] = self._result
        return process

    def stop(self) -> None:
        """End watching; all processes that were started must have ended."""
        self._is_over.set()
        if self._filtered is not None:
            self._filtered.join(UNSEEN_S)
        if self._supervisor is not None:
            self._supervisor.join(UNSEEN_S)
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _work_filtered(self, arguments: Any, options: Any) -> None:
        try:
            self._listener = seccomp.Listener(seccomp.filter_this_thread())
        except OSError as error:
            self.problem = seccomp.told(error)
            return
        finally:
            self._has_listener.set()
        self._is_served.wait()
        try:
            self._result = subprocess.Popen(*arguments, **options)  # noqa: S603
        except BaseException as error:  # noqa: BLE001 - raised where it was asked for
            self._result = error
        self._has_started.set()
        self._is_over.wait()
        os.path.lexists(END)

    def _serve(self) -> None:
        listener, filtered = self._listener, self._filtered
        assert listener is not None  # noqa: S101 - there is one before this thread is started
        assert filtered is not None  # noqa: S101
        calls = Calls(listener, self.ground)
        is_over = False
        while not is_over:
            heard, error = None, 0
            try:
                heard = listener.receive()
                if heard is None:
                    continue
                if heard.thread == filtered.native_id:
                    is_over = self._is_over.is_set()
                elif not heard.is_native:
                    self.problem = "a program of another architecture was run, which is not seen"
                else:
                    error = calls.heard(heard)
                    self.problem = self.problem or calls.problem
            except OSError as broken:
                if broken.errno == errno.EBADF:
                    return
                # A caller that was killed meanwhile opens nothing.
                if heard is None or listener.is_waiting(heard):
                    self.problem = f"a call could not be read ({broken.strerror or broken})"
            except Exception as broken:  # noqa: BLE001 - the program must not wait for ever
                self.problem = f"a call was not understood ({broken})"
            if heard is not None:
                listener.answer(heard, error)


class Calls:
    """Turns calls into actions."""

    def __init__(self, listener: seccomp.Listener, ground: Ground) -> None:
        self._listener, self._ground = listener, ground
        machine = 0 if platform.machine() == "x86_64" else 1
        self._calls = {
            call.numbers[machine]: call for call in CALLS if call.numbers[machine] is not None
        }
        self._mounting = {call.numbers[machine] for call in MOUNTING}
        self.problem = ""
        """Reason why paths are no longer known; empty if they are."""

    def heard(self, heard: seccomp.Notification) -> int:
        """Record all files that a call names; return the error with which it must fail, or zero."""
        call = self._calls.get(heard.number)
        if call is None:
            if heard.number in self._mounting:
                self.problem = "a program has changed what paths mean (as `chroot`, `mount`)"
            return 0
        flags = self._flags(call, heard)
        for named in call.named:
            text = self._text(named, heard)
            reads = call.does in READING and not (call.does is Does.OPEN and flags & WRITING)
            if reads and self._ground.passes(text, heard.thread):
                continue  # most calls of a program: it looks for its libraries
            path = self._path(named, heard, os.fsdecode(text))
            if path is not None:
                step = FileAccess(named.does or call.does, path, flags, heard.thread)
                if error := self._ground.tread(step):
                    return error
        if call.does is Does.RUN:
            self._listener.forget()
        return 0

    def _text(self, named: Named, heard: seccomp.Notification) -> bytes:
        address = 0 if named.path is None else heard.arguments[named.path]
        return self._listener.text(heard.thread, address) if address else b""

    def _flags(self, call: SystemCall, heard: seccomp.Notification) -> int:
        if call.numbers[0] == CREAT:
            return os.O_CREAT | os.O_WRONLY | os.O_TRUNC
        if call.flags is None:
            return NOFOLLOW if call.numbers[0] == LSTAT else 0
        flags = heard.arguments[call.flags]
        if call.numbers[0] == OPENAT2:
            flags = self._listener.number_at(heard.thread, flags)
        return flags & 0xFFFFFFFF

    def _path(self, named: Named, heard: seccomp.Notification, text: str) -> str | None:
        if text.startswith("/"):
            return plain(text, heard.thread)
        try:
            folder = os.readlink(self._folder(named, heard))  # noqa: PTH115 - hot
        except OSError:
            return None
        if not folder.startswith("/"):
            return None  # a pipe, a socket
        return plain(f"{folder}/{text}" if text else folder, heard.thread)

    def _folder(self, named: Named, heard: seccomp.Notification) -> str:
        process = f"/proc/{heard.thread}"
        if named.folder is None:
            return f"{process}/cwd"
        # The kernel reads 32 bits here; the rest of the register may hold anything.
        descriptor = heard.arguments[named.folder] & 0xFFFFFFFF
        return f"{process}/cwd" if descriptor == seccomp.AT_FDCWD else f"{process}/fd/{descriptor}"


def plain(path: str, thread: int) -> str:
    """Remove the dots of a path; a link before ``..`` is followed, as the system does.

    >>> plain("/usr/./bin//env", 1)
    '/usr/bin/env'
    >>> plain("//etc", 1)
    '/etc'
    """
    # `self` would be this process and not the one that calls.
    if path.startswith("/proc/self/"):
        path = f"/proc/{thread}/{path[11:]}"
    if path.startswith("/proc/"):
        parts = path.split("/", 5)
        n = 4 if len(parts) > 3 and parts[3] in ("cwd", "root") else 5
        if len(parts) > n - 1 and (n == 4 or parts[3] == "fd"):
            begin = "/".join(parts[:n])
            path = "/".join([os.path.realpath(begin), *parts[n:]])
    if "/.." in path:
        before, _, last = path.rpartition("/..")
        if not last or last.startswith("/"):
            path = os.path.realpath(f"{before}/..") + last
    path = f"/{path.lstrip('/')}"  # POSIX keeps two slashes at the beginning
    return os.path.normpath(path) if "//" in path or "/." in path or path.endswith("/") else path
