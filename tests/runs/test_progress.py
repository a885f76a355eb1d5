import io
import re
from dataclasses import replace

import pytest
from rich.console import Console
from rich.progress import Progress as Bar

from tunesmith.history import FoldResult, Metric, Trial
from tunesmith.runs.progress import LiveProgress, SparseProgress, columns, line, watching
from tunesmith.study.progress import Progress

TRIAL = Trial(4, {"n": 1}, key='{"n":1}', origin="grid").completed([FoldResult(0, {"recall": 0.9})])
MOMENT = Progress(
    objectives=(Metric("recall"),),
    n_completed=10,
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
    folds_per_trial=5.0,
    seconds_each=0.5,
    newest=TRIAL,
    best=TRIAL,
)


def test_the_line_says_it_all() -> None:
    assert line(MOMENT) == (
        "10/30 trials · 10 fits · 25 reused · 3 pruned · 1 failed · best recall 0.9000 (trial 4)"
        " · 12s · 50s to go"
    )


def test_on_a_narrow_terminal_the_line_keeps_what_matters() -> None:
    for width in (20, 40, 60, 80):
        text = line(MOMENT, width)
        assert len(text) <= width
        assert "50s to go" in text
    assert line(MOMENT, 60) == "10/30 trials · best recall 0.9000 (trial 4) · 50s to go"


def test_at_80_columns_bar_and_eta_are_there() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=80, force_terminal=True, color_system=None)
    with Bar(*columns(console), console=console) as bar:
        LiveProgress(bar, bar.add_task("starting", total=None))(MOMENT)
    (last, *_) = [text for text in re.split("[\r\n]", stream.getvalue()) if "to go" in text]
    assert "━" in last
    assert "10/30 trials" in last
    assert "50s to go" in last


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
