"""Files that must not change while a study reads them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Identity = tuple[int, int, int, int]


@dataclass(frozen=True)
class FileWatch:
    """Files as they were when a run began."""

    files: dict[str, tuple[Path, Identity | None]]

    @classmethod
    def of(cls, root: Path, names: Iterable[str]) -> "FileWatch":
        """Record the present state of the files.

        Args:
            root: the folder that names are relative to.
            names: of files.
        """
        return cls({name: (root / name, _identity(root / name)) for name in names})

    def changes(self) -> list[str]:
        """Sentences on files that were deleted or written to since."""
        sentences = []
        for name, (path, before) in self.files.items():
            now = _identity(path)
            if now == before:
                continue
            what = "deleted" if now is None else "written to"
            sentences.append(
                f"{name} was {what} while the study ran: its results are those of the table as it"
                " was when the run began."
            )
        return sentences


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
