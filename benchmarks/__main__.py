"""Run every benchmark, and write ``benchmarks/results.md``: ``make bench``.

    python -m benchmarks [--only SECTION [--case TEXT]] [--quick | --full] [--dask FOLDER]

The usual scale takes about a quarter of an hour on two cores, ``--quick`` a fifth of that,
``--full`` hours; other work on the machine makes it longer. A part alone is printed, not written.
"""

import argparse
import io
import os
import platform
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks import (
    budgets,
    curves,
    dvc_noop,
    orphans,
    overhead,
    prefix_scoring,
    programs,
    report_page,
    sample_efficiency,
    sharing,
    statistics,
    suggest_overhead,
)
from benchmarks.cases import SCALES
from tunesmith.execute.choose import n_cores

RESULTS = Path(__file__).with_name("results.md")
LIBRARIES = ("scikit-learn", "optuna", "xgboost-cpu", "lightgbm", "catboost", "numpy")


@dataclass(frozen=True)
class Section:
    """A benchmark, and its arguments at each scale."""

    title: str
    main: Callable[[list[str]], None]
    arguments: dict[str, str] = field(default_factory=dict)


SECTIONS = {
    "sharing": Section(
        "Shared fits, beside what users would pick instead",
        sharing.main,
        {scale: f"--scale {scale}" for scale in SCALES},
    ),
    "prefix_scoring": Section(
        "Scores along a path, beside scikit-learn's scorers",
        prefix_scoring.main,
        {"quick": "--rows 500"},
    ),
    "curves": Section(
        "What curves are worth", curves.main, {"quick": "--trials 8 --seeds 2 --trees 30"}
    ),
    "overhead": Section(
        "What the machinery costs a trial",
        overhead.main,
        {"quick": "--trials 1000 --peer-sqlite-trials 100"},
    ),
    "programs": Section(
        "What a study costs a run of a program", programs.main, {"quick": "--runs 40"}
    ),
    "orphans": Section("Who outlives a run", orphans.main),
    "dvc_noop": Section(
        "What a finished study costs in a pipeline", dvc_noop.main, {"quick": "--repeats 3"}
    ),
    "budgets": Section(
        "Budgets, beside full training", budgets.main, {"quick": "--seeds 1 --total 270"}
    ),
    "suggest_overhead": Section(
        "What one suggestion costs",
        suggest_overhead.main,
        {"quick": "--trials 100 --cycles 5", "usual": "--trials 100 1000"},
    ),
    "report_page": Section(
        "How large the HTML report is, and how quick",
        report_page.main,
        {"quick": "--trials 100 1000"},
    ),
    "sample_efficiency": Section(
        "How few trials a good score takes",
        sample_efficiency.main,
        {"quick": "--trials 10 --seeds 2 --only Branin", "usual": "--trials 30 --seeds 3"},
    ),
    "statistics": Section(
        "What the report's statements are worth",
        statistics.main,
        {"quick": "--repeats 50 --nulls 20", "full": "--repeats 2000 --nulls 500"},
    ),
}


class Tee(io.StringIO):
    """Keeps what is printed, and prints it."""

    def write(self, text: str) -> int:
        """Both."""
        sys.__stdout__.write(text)
        sys.__stdout__.flush()
        return super().write(text)


def head(scale: str) -> str:
    """What was run, and where."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    load, cores = os.getloadavg()[0], n_cores()
    busy = " **Other work was running**: times of both sides suffer." if load > cores / 2 else ""
    return (
        "# Benchmarks\n\n"
        f"Written by `make bench`, at the scale `{scale}`, and never by hand. {cores} cores, Python"
        f" {platform.python_version()}, {libraries}. Load when it began: {load:.1f}.{busy}\n\n"
        "Ratios come from one run, side by side; seconds are of this machine on that day.\n"
    )


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=SECTIONS, help="one section, printed alone")
    parser.add_argument("--case", default="", help="of the section `sharing`: titles with this")
    scales = parser.add_mutually_exclusive_group()
    for scale in ("quick", "full"):
        scales.add_argument(f"--{scale}", dest="scale", action="store_const", const=scale)
    parser.add_argument("--dask", default="", help="folder that has dask-ml")
    options = parser.parse_args()
    os.environ.setdefault(sharing.DASK, options.dask)
    with redirect_stdout(Tee()) as tee:
        print(head(scale := options.scale or "usual"))
        for name in [options.only] if options.only else SECTIONS:
            section = SECTIONS[name]
            print(f"\n## {section.title}\n", flush=True)
            case = ["--only", options.case] if options.case and name == "sharing" else []
            section.main([*section.arguments.get(scale, "").split(), *case])
    if not options.only:
        RESULTS.write_text(tee.getvalue())


if __name__ == "__main__":
    main()
