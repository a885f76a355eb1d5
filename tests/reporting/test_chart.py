import json
import math
import shutil
import subprocess
from pathlib import Path

import pytest

from tunesmith.reporting.chart import MAX_BARS, decimals, history_chart, shown_trials

HERE = Path(__file__).parent / "mermaid"
NODE = shutil.which("node")
SERIES: dict[str, list[float]] = {
    "usual": [0.7, 0.8, 0.75, 0.9],
    "failures": [math.nan, 0.5, math.nan, 0.6, math.nan],
    "equal": [0.5, 0.5, 0.5],
    "zero": [0.0, 0.0],
    "tiny": [1e-9, 2e-9, 3e-9],
    "huge": [1e15, 2e15, -3e15],
    "losses": [-1e-5, -2e-5, -0.5],
    "many": [math.sin(n) for n in range(5000)],
}
LABELS = ["score", 'a"b', "]\n%%{init}%%", "größe µ", "x" * 500, "", "`|<script>", "end", "面积"]


def best_of(scores: list[float]) -> list[float]:
    found, best = [], math.nan
    for score in scores:
        best = score if math.isfinite(score) and not score <= best else best
        found.append(best)
    return found


def chart(scores: list[float], label: str = "score") -> str:
    return history_chart(best_of(scores), scores, label)


@pytest.mark.parametrize("name", SERIES)
def test_numbers_are_fixed_point_and_few(name: str) -> None:
    text = chart(SERIES[name])
    for line in text.splitlines():
        if line.strip().startswith(("bar", "line")):
            numbers = json.loads(line.split(maxsplit=1)[1])
            assert 2 <= len(numbers) <= MAX_BARS
            assert "e" not in line.split("[")[1]
            assert "nan" not in line
    low, high = (float(x) for x in text.split('y-axis "score" ')[1].split("\n")[0].split(" --> "))
    assert low < high


def test_small_differences_are_seen() -> None:
    text = chart([0.5, 0.5 + 1e-9, 0.5 + 3e-9])
    assert len(set(json.loads(text.split("line ")[1].split("\n")[0]))) == 3
    assert decimals(0) == 6


def test_one_trial_is_no_history() -> None:
    assert chart([0.5]) == ""
    assert chart([math.nan, math.nan]) == ""


def numbers_of(text: str, word: str) -> list[list[float]]:
    """The lists of a word in a chart."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith(word)]
    return [json.loads(line[line.index("[") :]) for line in lines]


def test_trials_without_a_score_have_no_bar() -> None:
    text = chart([0.7, math.nan, 0.8, math.nan, 0.75])
    assert numbers_of(text, "x-axis") == [[0, 2, 4]]
    assert numbers_of(text, "bar") == [[0.7, 0.8, 0.75]]
    assert numbers_of(text, "line") == [[0.7, 0.8, 0.8]]


def test_the_current_parameters_are_a_level_line() -> None:
    scores = [0.7, 0.8, 0.75]
    text = history_chart(best_of(scores), scores, "score", 0.6)
    assert numbers_of(text, "line") == [[0.7, 0.8, 0.8], [0.6, 0.6, 0.6]]
    low = float(text.split('y-axis "score" ')[1].split(" --> ")[0])
    assert low < 0.6


def test_of_many_trials_those_remain_that_were_the_best_yet() -> None:
    scores = [0.5] * 300
    scores[100], scores[207], scores[3] = 0.7, 0.8, math.nan
    shown = shown_trials(best_of(scores), scores)
    assert len(shown) == MAX_BARS == len(set(shown))
    assert {0, 100, 207, 299} <= set(shown)
    assert 3 not in shown
    # If each trial is better than those before it, the last ones count.
    rising = [i / 300 for i in range(300)]
    assert set(range(290, 300)) <= set(shown_trials(rising, rising))


@pytest.mark.slow
@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.skipif(
    not (HERE / "node_modules/mermaid").is_dir(),
    reason="Mermaid is not installed: run `npm install` in tests/reporting/mermaid",
)
def test_mermaid_parses_every_chart() -> None:
    assert NODE is not None
    texts = [chart(scores) for scores in SERIES.values()]
    texts += [chart(SERIES["usual"], label) for label in LABELS]
    texts.append(history_chart(best_of(SERIES["usual"]), SERIES["usual"], "score", 0.6))
    charts = [text.removeprefix("```mermaid\n").removesuffix("```") for text in texts]
    wrong = "xychart-beta\n    bar [1e-05, nan]\n"
    done = subprocess.run(
        [NODE, "parse.mjs"],
        cwd=HERE,
        input=json.dumps([*charts, wrong]),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    *found, complaint = json.loads(done.stdout)
    assert found == [""] * len(charts)
    assert complaint, "the parser takes everything"
