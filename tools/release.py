"""Releases: the name of the repository, the version, the changelog, and whether they agree.

``python tools/release.py name you/tunesmith`` fills the placeholder everywhere, ``prepare 0.2.0``
sets the version and writes the changelog, ``check v0.2.0`` refuses a tag that fits neither.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACEHOLDER = "OWNER" + "/tunesmith"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)+")
VERSION = re.compile(r'VERSION = "([^"]+)"')
NUMBER = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
SPEAKING_OF_IT = ("CONTRIBUTING.md", "docs/release.md", "docs/zensical.toml", "tests/", "tools/")
"""Files that explain the placeholder, and so keep it."""


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Run one step, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python tools/release.py")
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("name").add_argument("repository", help="you/tunesmith, or its whole address")
    steps.add_parser("prepare").add_argument("version")
    steps.add_parser("check").add_argument("tag")
    given = parser.parse_args(arguments)
    if given.step == "name":
        return fill(root, given.repository)
    if given.step == "prepare":
        return prepare(root, given.version)
    problems = blockers(root, given.tag)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


def fill(root: Path, repository: str) -> int:
    """Replace the placeholder by the name of a repository, in every file of Git."""
    name = re.sub(r"^https://[^/]+/", "", repository).removesuffix(".git").strip("/")
    if not NAME.fullmatch(name):
        sys.stderr.write(f"`{repository}` names no repository; write you/tunesmith.\n")
        return 2
    for file in placeholders(root):
        path = root / file
        path.write_text(path.read_text().replace(PLACEHOLDER, name))
        sys.stdout.write(f"{file}\n")
    return 0


def placeholders(root: Path) -> list[str]:
    """Files of Git in which the placeholder stands."""
    command = ["git", "grep", "-lIF", PLACEHOLDER]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    return [name for name in done.stdout.splitlines() if not name.startswith(SPEAKING_OF_IT)]


def version_of(root: Path) -> str:
    """Return the package's version."""
    found = VERSION.search((root / "src/tunesmith/version.py").read_text())
    return found[1] if found else ""


def prepare(root: Path, version: str) -> int:
    """Set the version, and move the fragments into the changelog."""
    if not NUMBER.fullmatch(version):
        sys.stderr.write(f"`{version}` is no version such as 0.2.0 or 0.2.0rc1.\n")
        return 2
    path = root / "src/tunesmith/version.py"
    path.write_text(VERSION.sub(f'VERSION = "{version}"', path.read_text()))
    command = [sys.executable, "-m", "towncrier", "build", "--yes", "--version", version]
    return subprocess.run(command, cwd=root, check=False).returncode  # noqa: S603


def blockers(root: Path, tag: str) -> list[str]:
    """Reasons why a tag must not be published; empty if there are none."""
    version, reasons = version_of(root), list[str]()
    if tag != f"v{version}":
        reasons.append(f"The tag {tag} is not v{version}, the version in src/tunesmith/version.py.")
    if f"\n## {version} (" not in (root / "CHANGELOG.md").read_text():
        step = f"python tools/release.py prepare {version}"
        reasons.append(f"CHANGELOG.md has no section {version}; `{step}` writes it.")
    if left := placeholders(root):
        step = "python tools/release.py name you/tunesmith"
        reasons.append(f"{PLACEHOLDER} stands in {', '.join(left)}; `{step}` fills it.")
    return reasons


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
