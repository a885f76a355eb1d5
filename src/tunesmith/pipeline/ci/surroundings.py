"""Files of a repository that new workflows depend on, or that run beside them."""

import codecs
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.errors import UsageError

NAME = "tunesmith"
NAMED = re.compile(r"(?:^|[\s/\\=@#&])tunesmith(?=$|[\s\[<>=!~;@._#-])", re.IGNORECASE)
INCLUDED = re.compile(r"^(?:-r|--requirement|-c|--constraint)[\s=]+(?P<file>\S+)")
EDITABLE = re.compile(r"^(?:-e\s+|--editable[\s=]+)")
FOLDER = re.compile(
    r"^(?P<path>\.{1,2}(?:/[^\s\[;]*)?|[^\s\[;:@=]+/)(?:\[(?P<extras>[\w, .-]+)\])?$"
)
WORKFLOWS = ".github/workflows"


def check_requirements(path: Path, name: str) -> None:
    """Refuse a file of requirements that does not install Tunesmith, which every job calls.

    Args:
        path: of the file; one that is missing is not looked at.
        name: of the file, for the message.

    Raises:
        UsageError: Tunesmith is not among the requirements.
    """
    if path.is_file() and not installs_tunesmith(path):
        raise UsageError(
            f"{name} does not name `{NAME}`, which every job of these workflows calls.\n"
            f"  Add a line for it (`{NAME}`, or the Git address that you install it from), or name"
            " another file with --requirements."
        )


def installs_tunesmith(path: Path, depth: int = 0) -> bool:
    """Tell whether a file of requirements names Tunesmith, itself or in a file that it includes."""
    # Files may include each other in a circle.
    if depth > 5 or not path.is_file():
        return False
    for line in _lines(path):
        included, plain = INCLUDED.match(line), EDITABLE.sub("", line)
        # Constraints install nothing by themselves.
        if included and not line.startswith(("-c", "--constraint")):
            if installs_tunesmith(path.parent / included["file"], depth + 1):
                return True
        # Other options name indexes and the like.
        elif included or plain.startswith("-"):
            continue
        elif NAMED.search(plain) or _project_needs_it(path.parent, plain):
            return True
    return False


def _lines(path: Path) -> Iterator[str]:
    text = _decoded(path.read_bytes()).replace("\r\n", "\n").replace("\\\n", " ")
    for line in text.splitlines():
        # As pip reads it: within a word, as in `#egg=name`, a `#` begins no comment.
        plain = re.sub(r"(^|\s)#.*$", "", line).strip()
        if plain:
            yield plain


def _decoded(data: bytes) -> str:
    # PowerShell's `pip freeze > requirements.txt` writes UTF-16, which pip reads.
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if is_wide else "utf-8-sig", errors="replace")


def _project_needs_it(base: Path, line: str) -> bool:
    """Tell whether a project that is installed from its folder depends on Tunesmith."""
    named = FOLDER.match(line)
    if named is None:
        return False
    folder = base / named["path"]
    wanted = {name.strip() for name in (named["extras"] or "").split(",")}
    content = _toml(folder / "pyproject.toml")
    project: Any = content.get("project")
    if project is None or "dependencies" in project.get("dynamic", ()):
        poetry: Any = content.get("tool", {}).get("poetry", {}).get("dependencies", {})
        # What a `setup.py` requires cannot be told without running it.
        return NAME in poetry or any((folder / f"setup.{end}").is_file() for end in ("py", "cfg"))
    extras = project.get("optional-dependencies", {})
    chosen = [item for name, group in extras.items() if name in wanted for item in group]
    needed = [*project.get("dependencies", []), *chosen]
    return project.get("name") == NAME or any(NAMED.search(str(item)) for item in needed)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}


def pull_request_workflows(root: Path, planned: set[Path]) -> list[str]:
    """Workflows that run on pull requests already, relative to the repository.

    Args:
        root: of the repository.
        planned: paths of the workflows that are about to be written.
    """
    from tunesmith.config.source import parse_document

    paths = []
    for path in sorted((root / WORKFLOWS).glob("*.y*ml")):
        if path in planned:
            continue
        try:
            data = parse_document(path.read_text(encoding="utf-8"), path).data
        except (UsageError, OSError, UnicodeDecodeError):
            continue
        events = data.get("on") if isinstance(data, dict) else None
        names = [events] if isinstance(events, str) else list(events or ())
        if {"pull_request", "pull_request_target"} & set(map(str, names)):
            paths.append(path.relative_to(root).as_posix())
    return paths
