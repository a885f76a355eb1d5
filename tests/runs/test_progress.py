import io
from dataclasses import replace

import pytest

from tunesmith.history import FoldResult, Metric, Trial
from tunesmith.runs.progress import SparseProgress, line, watching
from tunesmith.study.progress import Progress

TRIAL = Trial(4, {"n": 1}, key='{"n":1}', origin="grid").told([FoldResult(0, {"recall": 0.9})])
MOMENT = Progress(
    objectives=(Metric("recall"),),
    n_told=10,
    n_trials=30,
    n_folds=5,
    n_evaluated=25,
    n_reused=25,
    n_fits=10,
    n_along=0,
    n_failed=1,
    n_pruned=3,
    n_workers=2,
    elapsed_s=12.5,
    fit_s=25.0,
    newest=TRIAL,
    best=TRIAL,
)


def test_the_line_says_it_all() -> None:
    assert line(MOMENT) == (
        "10/30 trials · 10 fits · 25 reused · 3 pruned · 1 failed · best recall 0.9 (trial 4)"
        " · 12s · 50s to go"
    )


def test_the_eta_counts_only_fits_that_were_made() -> None:
    assert MOMENT.eta_s() == 20 * 5 * 1.0 / 2
    assert replace(MOMENT, n_evaluated=1025, n_along=1000).eta_s() == 20 * 5 * 1.0 / 2
    assert replace(MOMENT, n_evaluated=0).eta_s() is None
    assert replace(MOMENT, n_trials=None).eta_s() is None


def test_sparse_progress_is_sparse() -> None:
    stream = io.StringIO()
    show = SparseProgress(stream, every_s=3600)
    for _ in range(100):
        show(MOMENT)
    assert stream.getvalue().count("\n") == 1


def test_sparse_progress_says_nothing_between_trials() -> None:
    stream = io.StringIO()
    SparseProgress(stream)(replace(MOMENT, newest=None))
    assert stream.getvalue() == ""


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(live=False, quiet=True) as show:
        show(MOMENT)
    assert capsys.readouterr() == ("", "")


def test_live_progress_draws_and_clears(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(live=True) as show:
        show(MOMENT)
    assert capsys.readouterr().out == ""
