"""The merge driver for histories: a line in ``.gitattributes``, and a setting in each clone."""

from pathlib import Path

from tunesmith.system import git
from tunesmith.system.files import exact_text

DRIVER = "tunesmith-history"
COMMAND = "tunesmith merge-history %O %A %B"
FILE = ".gitattributes"


def attributes(root: Path, history: str) -> tuple[Path, str | None, str]:
    """Return the ``.gitattributes`` of a project with the line for its history.

    Args:
        root: of the project.
        history: path of the history below it.

    Returns:
        The file, its text (``None`` if it is missing), and the text that it should have.
    """
    path = root / FILE
    before = exact_text(path)
    # Whoever has a line for it may have chosen another driver.
    if any(line.split()[:1] == [history] for line in (before or "").splitlines()):
        return path, before, before or ""
    gap = "" if not before or before.endswith("\n") else "\n"
    return path, before, f"{before or ''}{gap}{history} merge={DRIVER}\n"


def hint(root: Path) -> str:
    """Sentence with the command that registers the driver here; empty if it is registered."""
    if git.answer(root, "config", "--get", f"merge.{DRIVER}.driver"):
        return ""
    return (
        "Histories of two branches join by themselves once a clone knows how:"
        f" `git config merge.{DRIVER}.driver '{COMMAND}'`."
    )
