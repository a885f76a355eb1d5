"""Hunt for differences from scikit-learn: ``make hunt MINUTES=10``.

    python -m hunts [--minutes M | --cases N] [--seed S] [--stratum shared|any|configured]
                    [--family NAME] [--first NUMBER] [--case NUMBER] [--save FILE]

Ends with exit code 1 if something differs; prints each difference as a program to run.
"""

import os

# Before NumPy is imported: tiny fits are slower with threads, and the sums depend on their number.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from itertools import count  # noqa: E402
from pathlib import Path  # noqa: E402

from hunts.case import Case  # noqa: E402
from hunts.compare import Verdict  # noqa: E402
from hunts.configured import configured, verdict_of  # noqa: E402
from hunts.draw import CONFIGURED, STRATA, draw_case  # noqa: E402
from hunts.faults import FAULTS, put_back  # noqa: E402
from hunts.figures import Figures, tables  # noqa: E402
from hunts.kinds import KINDS  # noqa: E402
from hunts.shrink import shrink  # noqa: E402

MAX_SHOWN = 20
"""So many differences are shrunk and printed; more are counted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the hunt; returns the exit code."""
    given = _parser().parse_args(arguments)
    if given.case is not None:
        return _one(given)
    if given.fault:
        with put_back(given.fault):
            return _all(given)
    return _all(given)


def _all(given: argparse.Namespace) -> int:
    strata = [given.stratum] if given.stratum else list(STRATA)
    found = [_hunt(given, stratum, len(strata)) for stratum in strata]
    print(f"\n{tables(found)}")
    return 1 if any(figures.total["differing"] for figures in found) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hunts", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="all strata together")
    parser.add_argument("--cases", type=int, help="of each stratum, instead of minutes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stratum", choices=STRATA, help="only this one")
    parser.add_argument("--family", choices=list(KINDS), help="only this one")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--step", type=int, default=1, help="to the next number")
    parser.add_argument("--case", type=int, help="run and print this one")
    parser.add_argument("--fault", choices=list(FAULTS), help="put an old fault back, and find it")
    parser.add_argument("--save", type=Path, help="where to keep the counts, one file a stratum")
    return parser


def _one(given: argparse.Namespace) -> int:
    for stratum in [given.stratum] if given.stratum else STRATA:
        verdict = verdict_of(draw_case(given.seed, stratum, given.case, given.family), stratum)
        if verdict is None:
            print(f"# {stratum}: cannot be written as a configuration")
            continue
        print(f"# {stratum}: {verdict.n_shared} scores from shared fits\n{verdict.case}")
        print(f"{configured(verdict.case)}\n" if stratum == CONFIGURED else "", end="")
        print(verdict.difference or "# no difference")
        if verdict.expected.error:
            print(f"# both: {verdict.expected.error}: {verdict.expected.message}")
    return 0


def _hunt(given: argparse.Namespace, stratum: str, n_strata: int) -> Figures:
    figures, began = Figures(stratum), time.monotonic()
    end = began + given.minutes * 60 / n_strata
    for number in count(given.first, given.step):
        is_over = figures.n_cases >= given.cases if given.cases else time.monotonic() >= end
        if is_over:
            break
        # A library that crashes takes the process along: this tells in which case.
        _note(given.save, f"{stratum} {number}")
        verdict = verdict_of(draw_case(given.seed, stratum, number, given.family), stratum)
        if verdict is None:
            continue
        figures.add(verdict)
        if verdict.difference:
            _show(verdict, number, figures)
        if figures.total["drawn"] % 200 == 0:
            _progress(figures, began)
            _save(figures, given.save)
    _progress(figures, began)
    _save(figures, given.save)
    return figures


def _show(verdict: Verdict, number: int, figures: Figures) -> None:
    case = verdict.case
    print(f"\n# {case.family}: {figures.stratum} case {number} differs")
    if figures.total["differing"] <= MAX_SHOWN:
        case = shrink(case, lambda smaller: _differs(smaller, figures.stratum))
        verdict = verdict_of(case, figures.stratum) or verdict
    told = verdict.difference.replace("\n", "\n#")
    program = configured(case) if figures.stratum == CONFIGURED else case
    print(f"{program}\n# {told}", flush=True)


def _differs(case: Case, stratum: str) -> bool:
    verdict = verdict_of(case, stratum)
    return verdict is not None and bool(verdict.difference)


def _progress(figures: Figures, began: float) -> None:
    total, elapsed = figures.total, time.monotonic() - began
    print(
        f"{figures.stratum}: {total['cases']:,} cases ({total['drawn']:,} drawn)"
        f" in {elapsed:.0f} s, {total['shared']:,} with shared fits,"
        f" {total['differing']} differing",
        file=sys.stderr,
        flush=True,
    )


def _save(figures: Figures, path: Path | None) -> None:
    if path:
        figures.save(path.with_suffix(f".{figures.stratum}.json"))


def _note(path: Path | None, text: str) -> None:
    if path:
        path.with_suffix(".last").write_text(text)


if __name__ == "__main__":
    sys.exit(main())
