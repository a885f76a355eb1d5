"""Provenance of a run, safe to keep for ever: no secrets, no host or user names."""

import hashlib
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.system import git
from tunesmith.system.installed_packages import packages
from tunesmith.system.portable.abilities import n_usable_cores
from tunesmith.system.redact import redact
from tunesmith.version import VERSION

DIFF = ("diff", "--no-color", "--full-index", "--no-ext-diff", "--no-textconv")
"""Options of `git diff`, with full digests of changed files, so that binary ones count, too."""
URL = re.compile(r"(https?|ssh|git)://")
SCP_LIKE = re.compile(r"(?!.*::)[^/]+:(?!//)")
"""``git@host:path``."""
CI_RUN_VARIABLES = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")


def collect(
    root: Path, definition: Mapping[str, Any], context: Mapping[str, str], seed: int
) -> dict[str, Any]:
    """The provenance of a run that begins now.

    Args:
        root: the project folder.
        definition: snapshot of the configuration.
        context: digests of data, code, versions…
        seed: the search's seed.
    """
    return {
        "tunesmith": VERSION,
        "definition": dict(definition),
        "context": dict(context),
        "seed": seed,
        "git": git_state(root),
        "python": platform.python_version(),
        "packages": dict(packages()),
        "machine": machine(),
        "ci_run": ci_run(os.environ),
        "dvc_stage": os.environ.get("DVC_STAGE"),
        "dvc_experiment": os.environ.get("DVC_EXP_NAME"),
    }


def git_state(root: Path) -> dict[str, Any] | None:
    """Commit, branch, and the tree's changes since the commit; ``None`` outside Git."""
    commit = git.answer(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    # Untracked files do not count: a run's own outputs and logs are often among them.
    changes = git.answer(root, "status", "--porcelain", "--untracked-files=no") or ""
    diff = git.answer(root, *DIFF, "HEAD") if changes else None
    return {
        "commit": commit,
        "branch": git.answer(root, "symbolic-ref", "--quiet", "--short", "HEAD"),
        "is_dirty": bool(changes),
        "diff": diff and hashlib.blake2b(diff.encode(), digest_size=16).hexdigest(),
        "remote": _remote(root),
    }


def _remote(root: Path) -> str | None:
    """Address at which the repository is published; for a clone of a folder, its name only."""
    url = git.answer(root, "remote", "get-url", "origin") or ""
    if URL.match(url):
        scheme, _, rest = url.partition("://")
        # Logins may contain any character, so that only the last @ is sure to end one.
        return f"{scheme}://{re.split('[?#;]', rest.rpartition('@')[2])[0]}"
    return url.rpartition("@")[2] if SCP_LIKE.match(url) else None


def machine() -> dict[str, Any]:
    """Operating system and processor, without names of the host or the user."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "cpu": _cpu_model(),
        # Cores that this process may use: `taskset` or a batch system may grant fewer than exist.
        "n_cores": n_usable_cores(),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def ci_run(environ: Mapping[str, str]) -> str | None:
    """Address of the CI run, if this is one."""
    parts = [environ.get(name) for name in CI_RUN_VARIABLES]
    if all(parts):
        server, repository, number = parts
        return f"{server}/{repository}/actions/runs/{number}"
    url = environ.get("CI_JOB_URL")
    return url and redact(url, {})
