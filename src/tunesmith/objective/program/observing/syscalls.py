"""System calls that name files: their numbers, and the places of their arguments."""

from dataclasses import dataclass
from enum import Enum

Numbers = tuple[int | None, int | None]
"""Numbers on x86_64 and aarch64; ``None`` if there is no such call."""


class Does(Enum):
    """Effect of a call on the file that it names."""

    LOOK = "look"
    """Asks if it exists, or for its properties."""
    ASK = "ask"
    """Asks if it may be read, written or executed; the flags say which."""
    FOLLOW = "follow"
    """Asks where a link leads."""
    OPEN = "open"
    """Opens it; the flags say how."""
    RUN = "run"
    ENTER = "enter"
    """Makes it the working folder."""
    CHANGE = "change"
    """Changes its content, or its attributes."""
    PLACE = "place"
    """Replaces or removes an entry of the folder that it lies in."""
    MAKE = "make"
    """Makes an entry that is not there yet."""
    MOUNT = "mount"
    """Makes paths lead to other files from now on."""


@dataclass(frozen=True)
class Named:
    """Place of a path among the arguments."""

    path: int | None
    """Index of the path; ``None`` if only a descriptor names the file."""
    folder: int | None = None
    """Index of the descriptor of the folder that a relative path starts at."""
    does: Does | None = None
    """Effect on this path, if it differs from that of the whole call."""


@dataclass(frozen=True)
class SystemCall:
    """A system call."""

    numbers: Numbers
    does: Does
    named: tuple[Named, ...] = (Named(0),)
    flags: int | None = None
    """Index of its flags, if they matter."""
    are_flags_pointed_to: bool = False


_AT = (Named(1, 0),)
_LOOK, _OPEN, _CHANGE = Does.LOOK, Does.OPEN, Does.CHANGE
_PLACE, _MAKE = Does.PLACE, Does.MAKE

CREAT, OPENAT2, LSTAT = 85, 437, 6
NOFOLLOW = 0x100
"""Flag of calls that ask about a link itself."""
CALLS = (
    # These are open, creat, openat and openat2; aarch64 has only those with a folder.
    SystemCall((2, None), _OPEN, flags=1),
    SystemCall((CREAT, None), _OPEN),
    SystemCall((257, 56), _OPEN, _AT, flags=2),
    SystemCall((OPENAT2, OPENAT2), _OPEN, _AT, flags=2, are_flags_pointed_to=True),
    # These are stat, lstat, access, readlink, getxattr and lgetxattr.
    SystemCall((4, None), _LOOK),
    SystemCall((LSTAT, None), _LOOK),
    SystemCall((21, None), Does.ASK, flags=1),
    SystemCall((89, None), Does.FOLLOW),
    SystemCall((191, 8), _LOOK),
    SystemCall((192, 9), _LOOK),
    # These are newfstatat, readlinkat, faccessat, faccessat2 and statx.
    SystemCall((262, 79), _LOOK, _AT, flags=3),
    SystemCall((267, 78), Does.FOLLOW, _AT),
    SystemCall((269, 48), Does.ASK, _AT, flags=2),
    SystemCall((439, 439), Does.ASK, _AT, flags=2),
    SystemCall((332, 291), _LOOK, _AT, flags=2),
    # These are execve, execveat and chdir.
    SystemCall((59, 221), Does.RUN),
    SystemCall((322, 281), Does.RUN, _AT),
    SystemCall((80, 49), Does.ENTER),
    # These are truncate, chmod, chown, lchown, utime, utimes, and setxattr and removexattr with and
    # without following a link.
    SystemCall((76, 45), _CHANGE),
    SystemCall((90, None), _CHANGE),
    SystemCall((92, None), _CHANGE),
    SystemCall((94, None), _CHANGE),
    SystemCall((132, None), _CHANGE),
    SystemCall((235, None), _CHANGE),
    SystemCall((188, 5), _CHANGE),
    SystemCall((189, 6), _CHANGE),
    SystemCall((197, 14), _CHANGE),
    SystemCall((198, 15), _CHANGE),
    # These are fchownat, futimesat, fchmodat, fchmodat2, utimensat, and fchmod, fchown, fsetxattr
    # and fremovexattr, which name the file by its descriptor alone.
    SystemCall((260, 54), _CHANGE, _AT),
    SystemCall((261, None), _CHANGE, _AT),
    SystemCall((268, 53), _CHANGE, _AT),
    SystemCall((452, 452), _CHANGE, _AT),
    SystemCall((280, 88), _CHANGE, _AT),
    SystemCall((91, 52), _CHANGE, (Named(None, 0),)),
    SystemCall((93, 55), _CHANGE, (Named(None, 0),)),
    SystemCall((190, 7), _CHANGE, (Named(None, 0),)),
    SystemCall((199, 16), _CHANGE, (Named(None, 0),)),
    # These are mkdir, rmdir, unlink, mknod, symlink, rename and link.
    SystemCall((83, None), _MAKE),
    SystemCall((84, None), _PLACE),
    SystemCall((87, None), _PLACE),
    SystemCall((133, None), _MAKE),
    SystemCall((88, None), _MAKE, (Named(1),)),
    SystemCall((82, None), _PLACE, (Named(0, does=_CHANGE), Named(1))),
    SystemCall((86, None), _MAKE, (Named(0, does=_CHANGE), Named(1))),
    # These are mkdirat, mknodat, unlinkat, symlinkat, renameat, renameat2 and linkat.
    SystemCall((258, 34), _MAKE, _AT),
    SystemCall((259, 33), _MAKE, _AT),
    SystemCall((263, 35), _PLACE, _AT),
    SystemCall((266, 36), _MAKE, (Named(2, 1),)),
    SystemCall((264, 38), _PLACE, (Named(1, 0, _CHANGE), Named(3, 2))),
    SystemCall((316, 276), _PLACE, (Named(1, 0, _CHANGE), Named(3, 2))),
    SystemCall((265, 37), _MAKE, (Named(1, 0, _CHANGE), Named(3, 2))),
)
_MOUNT = Does.MOUNT
MOUNTING = (
    SystemCall((161, 51), _MOUNT),
    SystemCall((155, 41), _MOUNT),
    SystemCall((165, 40), _MOUNT),
    SystemCall((429, 429), _MOUNT),
    SystemCall((308, 268), _MOUNT),
)
"""``chroot``, ``pivot_root``, ``mount``, ``move_mount``, ``setns``."""
BLOCKED = ((304, 265), (425, 425))
"""``open_by_handle_at`` and ``io_uring_setup`` would open files unseen: programs do without."""
EMPTY_PATH_ALLOWED = (((262, 79), 3), ((332, 291), 2))
"""``newfstatat`` and ``statx``, with the place of their flags: mostly asked about open files."""
