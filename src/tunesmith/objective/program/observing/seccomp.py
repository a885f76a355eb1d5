"""Linux's user notification of seccomp: every call that names a file waits for an answer.

A thread puts the filter on itself, which needs no privileges. Everything that it starts inherits
the filter, in any language. The kernel then passes each call to the holder of the listener. The
price is that ``no_new_privs`` is set: programs that are started this way cannot use ``sudo``.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
import threading
import time
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from tunesmith.objective.program.observing.syscalls import (
    BLOCKED,
    CALLS,
    EMPTY_PATH_ALLOWED,
    MOUNTING,
)
from tunesmith.system.portable.abilities import is_forced

with suppress(ImportError):  # of Windows, where nothing is watched
    import fcntl

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER, GET_ACTION_AVAIL = 1, 2
SPEC_ALLOW, NEW_LISTENER, WAIT_KILLABLE = 1 << 2, 1 << 3, 1 << 5
"""Flags; the first leaves the processor's speculation alone, which keeps programs fast."""
ALLOW, NOTIFY, ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000
PR_SET_NO_NEW_PRIVS = 38
RECEIVE, SEND, IS_VALID, SET_FLAGS = 0xC0502100, 0xC0182101, 0x40082102, 0x40082104
SYNC_WAKE_UP = 1
CONTINUE = 1
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
AT_EMPTY_PATH, AT_FDCWD = 0x1000, 0xFFFFFF9C
PAGE, TEXT = 4096, 512
"""Most bytes of a path, and bytes that are read at once."""
ARGUMENTS_AT = 16
"""Offset of the arguments in ``struct seccomp_data``; number and architecture are at 0 and 4.

The lower halves come first on the two architectures.
"""


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("jt", ctypes.c_ubyte),
        ("jf", ctypes.c_ubyte),
        ("k", ctypes.c_uint),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


class Notification(NamedTuple):
    """A call that waits; a tuple, since there is one for every call."""

    id: int
    thread: int
    number: int
    is_native: bool
    """True for this machine's own architecture; calls of another one have other numbers."""
    arguments: tuple[int, ...]


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def blocker() -> str:
    """Reason why the system cannot do this, as far as is known without trying; else empty."""
    machine = platform.machine()
    if is_forced():
        return "the portable mode does not use it"
    if sys.platform != "linux" or machine not in AUDIT_ARCH:
        return f"not made for {sys.platform} on {machine}"
    if struct.calcsize("P") != 8:
        return "this Python is a 32-bit program"
    release = tuple(int(part) for part in platform.release().split(".")[:2] if part.isdecimal())
    if release < (5, 5):
        return f"Linux {platform.release()} is older than 5.5"
    action = ctypes.c_uint32(NOTIFY)
    if _library().syscall(SYS_SECCOMP[machine], GET_ACTION_AVAIL, 0, ctypes.byref(action)):
        return f"the system forbids it ({os.strerror(ctypes.get_errno())})"
    return ""


@cache
def refusal() -> str:
    """Try it on a thread that ends at once; return the system's error, or an empty text."""
    if problem := blocker():
        return problem
    said: list[str] = []

    def attempt() -> None:
        try:
            os.close(filter_this_thread())
        except OSError as error:
            said.append(told(error))

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return said[0] if said else ""


def told(error: OSError) -> str:
    """Describe a refusal."""
    if error.errno == errno.EBUSY:
        return "this process is being watched in the same way, which works once only"
    return f"the system refuses it ({error.strerror or error})"


def filter_this_thread() -> int:
    """Put the filter on the calling thread and on all that it starts from now on.

    Returns:
        The listener's descriptor, which is closed when a program is executed.

    Raises:
        OSError: the system does not allow it, or there is a listener already.
    """
    library, machine = _library(), platform.machine()
    if library.prctl(PR_SET_NO_NEW_PRIVS, *(ctypes.c_ulong(n) for n in (1, 0, 0, 0))):
        raise _error(ctypes.get_errno())
    steps = _instructions(machine)
    content = (_Instruction * len(steps))(*(_Instruction(*one) for one in steps))
    program = _Program(len(steps), content)
    # Linux before 5.19 lacks the flag by which only fatal signals interrupt a waiting call.
    for flags in (SPEC_ALLOW | NEW_LISTENER | WAIT_KILLABLE, SPEC_ALLOW | NEW_LISTENER):
        listener = library.syscall(
            SYS_SECCOMP[machine], SET_MODE_FILTER, flags, ctypes.byref(program)
        )
        if listener >= 0:
            return int(listener)
        if ctypes.get_errno() != errno.EINVAL:
            break
    raise _error(ctypes.get_errno())


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _instructions(machine: str) -> list[tuple[int, int, int, int]]:
    """Build the filter: calls that name files wait; a few that name them in secret are refused."""
    names = 0 if machine == "x86_64" else 1
    given = (call.numbers[names] for call in (*CALLS, *MOUNTING))
    watched = sorted(number for number in given if number is not None)
    blocked = sorted(numbers[names] for numbers in BLOCKED)
    empty = [(numbers[names], at) for numbers, at in EMPTY_PATH_ALLOWED]
    # Calls of another architecture have other numbers, so all of them wait.
    steps = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, AUDIT_ARCH[machine]), (RETURN, 0, 0, NOTIFY)]
    steps.append((LOAD, 0, 0, 0))
    for number in blocked:
        # As on an older kernel, which makes programs fall back to calls that can be watched.
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | errno.ENOSYS)]
    for number, at in empty:
        # Asked about an open file, not about a path.
        steps += [
            (EQUAL, 0, 6, number),
            (LOAD, 0, 0, ARGUMENTS_AT + 8 * at),
            (ANY_BIT, 0, 3, AT_EMPTY_PATH),
            (LOAD, 0, 0, ARGUMENTS_AT),
            (EQUAL, 1, 0, AT_FDCWD),
            (RETURN, 0, 0, ALLOW),
            (RETURN, 0, 0, NOTIFY),
        ]
    done = {number for number, _ in empty}
    for number in watched:
        if number not in done:
            steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, NOTIFY)]
    steps.append((RETURN, 0, 0, ALLOW))
    return steps


class Listener:
    """The other end of the filter: receives calls and answers them. For one thread."""

    # `struct seccomp_notif`: id, pid and flags, then the call's number, architecture, instruction
    # pointer and six arguments.
    _NOTIFICATION = struct.Struct("=QIIiIQ6Q")
    # `struct seccomp_notif_resp`: id, value, error and flags.
    _ANSWER = struct.Struct("=QqiI")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._arch = AUDIT_ARCH[platform.machine()]
        self._received = bytearray(self._NOTIFICATION.size)
        self._blank = bytes(self._NOTIFICATION.size)
        self._answered = bytearray(self._ANSWER.size)
        self._memory = Memory()
        with suppress(OSError):  # Linux before 6.6: somewhat slower
            fcntl.ioctl(descriptor, SET_FLAGS, SYNC_WAKE_UP)

    def receive(self) -> Notification | None:
        """Receive the next call; ``None`` if the caller is gone.

        Raises:
            OSError: the listener is closed.
        """
        # The kernel refuses a buffer that is not zeroed.
        self._received[:] = self._blank
        try:
            fcntl.ioctl(self.descriptor, RECEIVE, self._received)
        except OSError as error:
            # The caller may be killed after its call was announced, or a signal may reach this
            # thread.
            if error.errno in (errno.ENOENT, errno.EINTR):
                return None
            raise
        fields = self._NOTIFICATION.unpack(self._received)
        return Notification(fields[0], fields[1], fields[3], fields[4] == self._arch, fields[6:])

    def answer(self, call: Notification, error: int = 0) -> None:
        """Let the call continue, or make it fail with an error number."""
        self._ANSWER.pack_into(self._answered, 0, call.id, 0, -error, 0 if error else CONTINUE)
        try:  # noqa: SIM105 - quicker than `suppress`
            fcntl.ioctl(self.descriptor, SEND, self._answered)
        except OSError:
            pass  # the caller was killed meanwhile

    def is_waiting(self, call: Notification) -> bool:
        """True if the caller still waits, and was not killed meanwhile."""
        try:
            fcntl.ioctl(self.descriptor, IS_VALID, call.id.to_bytes(8, sys.byteorder))
        except OSError:
            return False
        return True

    def text(self, thread: int, address: int) -> bytes:
        """Read the bytes up to the next null byte in a caller's memory.

        Raises:
            OSError: they cannot be read.
        """
        content = b""
        while len(content) <= PAGE:
            part = self._memory.read(thread, address, TEXT)
            end = part.find(b"\0")
            if end >= 0:
                return content + part[:end]
            content += part
            address += len(part)
        return content[:PAGE]

    def number_at(self, thread: int, address: int) -> int:
        """Read a 64-bit number in a caller's memory.

        Raises:
            OSError: it cannot be read.
        """
        return int.from_bytes(self._memory.read(thread, address, 8), "little")

    def forget(self) -> None:
        """Note that the caller is about to run another program, in other memory."""
        self._memory.close()

    def close(self) -> None:
        """Leave the calls alone; callers without an answer get ``ENOSYS``."""
        self._memory.close()
        os.close(self.descriptor)


class Memory:
    """Reads the memory of other processes, one after the other.

    A file of ``/proc`` that stays open for a moment is read in half the time of
    ``process_vm_readv``. It belongs to the memory that a thread had when it was opened: a program
    that is executed gets another one, and numbers of threads are used again.
    """

    KEPT_S = 0.05

    def __init__(self) -> None:
        self._file = self._thread = -1
        self._until = 0.0

    def read(self, thread: int, address: int, n: int) -> bytes:
        """Read up to ``n`` bytes, at least one: fewer if the next page does not exist.

        Raises:
            OSError: they cannot be read.
        """
        is_open = thread == self._thread and time.monotonic() < self._until
        # Memory that is no more gives nothing: the thread has another one by now.
        content = os.pread(self._file, n, address) if is_open else b""
        if not content:
            self._open(thread)
            content = os.pread(self._file, n, address)
        if not content:
            raise _error(errno.ESRCH)
        return content

    def _open(self, thread: int) -> None:
        self.close()
        self._file = os.open(f"/proc/{thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
        self._thread, self._until = thread, time.monotonic() + self.KEPT_S

    def close(self) -> None:
        """Close the file; the next reader opens it again."""
        if self._file >= 0:
            os.close(self._file)
        self._file = self._thread = -1
