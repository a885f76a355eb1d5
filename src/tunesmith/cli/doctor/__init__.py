"""``tunesmith doctor``."""

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunesmith.cli.common.options import config_option, find_config, json_option, print_json
from tunesmith.cli.common.streams import show
from tunesmith.errors import ExitCode, TunesmithError
from tunesmith.system.portable.abilities import n_usable_cores, weaknesses
from tunesmith.system.redact import printable

if TYPE_CHECKING:
    from tunesmith.config.prefixes import Prefixes
    from tunesmith.pipeline.dvc.health import StageFinding
    from tunesmith.runs.plan.run_plan import RunPlan

PACKAGES = ("scikit-learn", "numpy", "scipy", "pandas", "optuna", "SQLAlchemy", "pydantic")
EXTRAS = {"cmaes": "CMA-ES search", "pyarrow": "Parquet and Feather tables"}
MIN_FREE_MB = 200
INDENT = 25
Check = tuple[str, bool | None, str]
"""Name, verdict (``None``: optional and absent), detail."""


@click.command("doctor")
@config_option
@click.option("--repair", is_flag=True, help="Save what can be saved of a damaged ledger.")
@json_option
def command(config: Path | None, *, repair: bool, as_json: bool) -> None:
    """Check Python, packages, disk, git, the configuration and the ledger."""
    if repair:
        from tunesmith.cli.doctor.repair import repair_ledger

        repair_ledger(find_config(config), as_json=as_json)
        return
    checks = [check for probe in (_machine, _packages, _git) for check in probe()]
    checks += _project(config)
    if as_json:
        rows = [{"name": n, "ok": ok, "detail": detail} for n, ok, detail in checks]
        print_json("doctor", {"checks": rows})
    else:
        for name, verdict, detail in checks:
            mark = {True: "ok", False: "FAILED", None: "-"}[verdict]
            show(f"  {mark:7} {name:14} {detail}".replace("\n", "\n" + " " * INDENT))
        show(_verdict([name for name, verdict, _ in checks if verdict is False]))
    if any(verdict is False for _, verdict, _ in checks):
        sys.exit(int(ExitCode.USAGE))


def _verdict(failed: list[str]) -> str:
    return f"To be mended: {', '.join(failed)}." if failed else "Nothing is wrong."


def _machine() -> Iterator[Check]:
    yield "python", sys.version_info >= (3, 11), platform.python_version()
    # Not `os.cpu_count`, which counts cores that this process may not use.
    yield "cores", True, f"{n_usable_cores()} usable"
    free_mb = shutil.disk_usage(".").free // 2**20
    yield from (("system", None, sentence) for sentence in weaknesses())
    yield "disk", free_mb >= MIN_FREE_MB, f"{free_mb:,} MB free here"


def _packages() -> Iterator[Check]:
    for name in PACKAGES:
        version = _version(name)
        yield name, version is not None, version or "not installed"
    for name, purpose in EXTRAS.items():
        yield name, True if _version(name) else None, _version(name) or f"absent ({purpose})"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git() -> Iterator[Check]:
    path = shutil.which("git")
    yield "git", True if path else None, "found" if path else "absent (no commit in provenance)"


def _project(config: Path | None) -> list[Check]:
    from tunesmith.config.load import load_definition
    from tunesmith.pipeline.dvc.health import findings
    from tunesmith.runs.plan.planner import plan_run

    try:
        path = find_config(config)
    except TunesmithError as error:
        # A file that was named has to be there; a usual one may be missing.
        if config is not None:
            return [("configuration", False, str(error))]
        return [("configuration", None, "none in this folder; `tunesmith init` writes one")]
    checks: list[Check] = []
    try:
        definition = load_definition(path)
        checks.append(("configuration", True, str(path)))
        # Each by itself: a plan that fails must not hide what is wrong with the ledger.
        checks.append(_attempt("plan", lambda: _plan(plan_run(definition))))
        checks.append(_attempt("ledger", lambda: _ledger(definition.ledger)))
        checks += _pipeline(lambda: findings(definition))
        checks += _ci(definition.root, definition.file.branches)
    except TunesmithError as error:
        checks.append(("configuration", False, str(error)))
    return checks


def _pipeline(probe: "Callable[[], list[StageFinding]]") -> list[Check]:
    try:
        return [(f.name, f.is_well, printable(f.detail)) for f in probe()]
    except TunesmithError as error:
        return [("dvc", False, str(error))]


def _ci(root: Path, prefixes: "Prefixes") -> list[Check]:
    """Checks of pull requests; the rules of the repository are asked only with a token."""
    from tunesmith.pipeline.ci.base import default_branch
    from tunesmith.pipeline.ci.branch_health import branch_findings
    from tunesmith.pipeline.ci.checkout import Checkout
    from tunesmith.pipeline.ci.health import RequiringHost, findings
    from tunesmith.pipeline.git_host.host import git_host_here

    try:
        git_host = git_host_here()
        checkout = Checkout.in_ci(root, git_host)
        branch = default_branch(checkout, git_host, prefixes)
        required = None
        host: object = git_host
        # Without a token the rules of a repository cannot be asked for.
        if isinstance(host, RequiringHost) and host.login and branch is not None:
            required = host.required_checks(branch)
    except TunesmithError:
        # No repository, or a token without the right: the files alone are looked at then.
        required = None
        try:
            checkout = Checkout.in_ci(root, None)
        except TunesmithError:
            return []
    ci_findings = findings(checkout.root, required)
    ci_findings += branch_findings(checkout.root, prefixes)
    return [(f.name, f.is_well, printable(f.detail)) for f in ci_findings]


def _plan(plan: "RunPlan") -> str:
    from tunesmith.analysis.numbers import counted

    if plan.n_fits is None:
        return "the number of fits is open"
    return f"{counted(plan.n_fits, 'fit')} at most"


def _attempt(name: str, probe: Callable[[], str]) -> Check:
    try:
        return name, True, probe()
    except TunesmithError as error:
        return name, False, str(error)


def _ledger(location: str | Path) -> str:
    from tunesmith.analysis.numbers import counted
    from tunesmith.ledger.ledger import Ledger

    if isinstance(location, Path) and not location.is_file():
        return "none yet"
    with Ledger.open(location, create=False, most_bytes=sys.maxsize) as ledger:
        return counted(len(ledger.studies()), "study")
