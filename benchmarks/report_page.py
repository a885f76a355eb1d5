"""How large the HTML report is, and how long it takes to make and to open.

Opening is measured in a headless Chromium, where there is one and Playwright is installed: from
navigation to the first figure, and from a word in the filter to the table that shows it.

    python -m benchmarks.report_page [--trials 100 1000 10000] [--params 12]
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tunesmith.analysis.summary import summarise
from tunesmith.history import Metric
from tunesmith.ledger.records import StudyRecord
from tunesmith.reporting.page.render import render
from tunesmith.testing.records import make_record

N_FOLDS = 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def study(n_trials: int, n_params: int) -> StudyRecord:
    """Random continuous params, so that no column is shorter than it must be."""
    rng = np.random.default_rng(0)
    names = [f"parameter_{i}" for i in range(n_params)]
    points = [
        dict(zip(names, map(float, rng.random(n_params)), strict=True)) for _ in range(n_trials)
    ]
    means = [0.9 - 0.1 * (point["parameter_0"] - 0.5) ** 2 for point in points]
    scores = [(mean + rng.normal(0, 0.01, N_FOLDS)).tolist() for mean in means]
    return make_record(points, scores, metrics=(Metric("roc_auc"),))


@contextmanager
def browser() -> Iterator[Any]:
    """A headless Chromium, or ``None``."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        found = None
    if found is None:
        yield None
        return
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def opened(chromium: Any, text: str) -> tuple[float, float]:
    """Milliseconds to the first figure, and to a filtered table."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_text(text, encoding="utf-8")
        page = chromium.new_page()
        began = time.perf_counter()
        page.goto(file.as_uri())
        page.wait_for_selector(".canvas svg")
        shown = time.perf_counter()
        page.fill("#filter", "parameter_0>0.99")
        page.wait_for_selector(".count")
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        filtered = time.perf_counter()
        page.close()
    return 1e3 * (shown - began), 1e3 * (filtered - shown)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--params", type=int, default=12)
    options = parser.parse_args(arguments)
    print("| trials | size, kB | summary, s | page, s | open, ms | filter, ms |")
    print("|---:|---:|---:|---:|---:|---:|")
    # What is imported on first use belongs to no row.
    render(study(20, options.params))
    with browser() as chromium:
        for n in options.trials:
            record = study(n, options.params)
            began = time.perf_counter()
            summary = summarise(record)
            summed = time.perf_counter()
            text = render(record, summary)
            made = time.perf_counter()
            times = ["–", "–"]
            if chromium is not None:
                times = [f"{ms:,.0f}" for ms in opened(chromium, text)]
            cells = [f"{n:,}", f"{len(text.encode()) / 1e3:,.0f}"]
            cells += [f"{summed - began:.2f}", f"{made - summed:.2f}", *times]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
