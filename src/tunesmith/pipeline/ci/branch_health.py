"""Findings of ``tunesmith doctor`` about workflows that do not run for experiments' branches."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.config.prefixes import Prefixes
from tunesmith.formats import FormatError, yaml
from tunesmith.pipeline.ci.health import FOLDER, CheckFinding

GITLAB = ".gitlab/tunesmith.yml"
COMMITS = "tunesmith ci commit"
"""Command of the jobs on the branches of experiments, and of no other generated job."""
REGEX = re.compile(r"=~ /((?:\\.|[^/\\])*)/")
NAME = "ci branches"


def branch_findings(root: Path, prefixes: Prefixes) -> Iterator[CheckFinding]:
    """Look whether jobs start for the branches of experiments.

    Workflows that commit no results are not looked at, nor those that name no branches.

    Args:
        root: of the repository.
        prefixes: of these branches.
    """
    for git_host, patterns in (("github", _github(root / FOLDER)), ("gitlab", _gitlab(root))):
        if not patterns:
            continue
        idle = [p for p in prefixes.both if not any(p2.match(f"{p}x") for p2 in patterns)]
        if idle:
            names = " and ".join(f"`{prefix}NAME`" for prefix in idle)
            yield CheckFinding(
                False,
                f"no workflow runs for {names}, as the configuration calls branches of"
                " experiments.\nWrite the workflows anew, with the options that you gave before:"
                f" `tunesmith ci init {git_host} --force`.",
                NAME,
            )


def _github(folder: Path) -> list[re.Pattern[str]]:
    """The names of branches that start workflows which commit results."""
    patterns = []
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        try:
            text = path.read_text(encoding="utf-8")
            data: Any = yaml.read(text)
        except (OSError, UnicodeDecodeError, FormatError):
            continue
        if COMMITS in text and isinstance(data, dict):
            # YAML 1.1 reads the key `on` as true.
            patterns += [_glob(name) for name in _pushed(data.get("on", data.get(True)))]
    return patterns


def _pushed(on: Any) -> list[str]:
    """Patterns of the branches that a push starts a workflow for."""
    if on == "push" or (isinstance(on, list) and "push" in on):
        return ["**"]
    if not isinstance(on, dict) or "push" not in on:
        return []
    push = on["push"] if isinstance(on["push"], dict) else {}
    # On GitHub a push that names tags alone starts for no branch.
    named = push.get("branches", [] if "tags" in push else "**")
    listed = named if isinstance(named, list) else [named]
    return [str(name) for name in listed if not str(name).startswith("!")]


def _glob(pattern: str) -> re.Pattern[str]:
    """A pattern of GitHub's for branches."""
    parts = re.split(r"(\*\*|\*)", pattern)
    wild = {"**": ".*", "*": "[^/]*"}
    return re.compile("".join(wild.get(part) or re.escape(part) for part in parts) + r"\Z")


def _gitlab(root: Path) -> list[re.Pattern[str]]:
    try:
        text = (root / GITLAB).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    patterns = []
    for pattern in REGEX.findall(text):
        try:
            patterns.append(re.compile(pattern))
        except re.error:
            continue
    return patterns if COMMITS in text else []
