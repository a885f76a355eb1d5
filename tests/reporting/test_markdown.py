from dataclasses import replace
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt
from syrupy.assertion import SnapshotAssertion

from tunesmith.analysis.summary import summarise
from tunesmith.history import Metric
from tunesmith.reporting.markdown import MAX_BYTES, SECTIONS, fitted, render
from tunesmith.reporting.sections.trials import every_trial, least_of_every_trial
from tunesmith.testing.records import make_record

SPACE = {
    "boxes": [{"depth": {"int": [1, 6]}, "mode": ["a", "b"], "rate": {"float": [0.1, 0.9]}}],
    "constraints": [],
}
POINTS = [
    {"depth": 1 + n % 6, "mode": "ab"[n % 2], "rate": round(0.1 + 0.03 * n, 2)} for n in range(12)
]
HOSTILE = [
    "a|b",
    "`code`",
    "<script>alert(1)</script>",
    "@team",
    "#1",
    "https://example.org",
    "line\nbreak",
    "<!-- x -->",
    "![x](y)",
    "\x1b[31mred",
    "</details>",
]


def tables(text: str) -> list[list[int]]:
    """Cells a row of every table, as a reader's parser counts them."""
    found: list[list[int]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append(0)
        elif token.type in ("td_open", "th_open"):
            found[-1][-1] += 1
    return found


def test_a_study_with_references_and_a_failure(snapshot: SnapshotAssertion) -> None:
    scores: list[list[float] | str] = [
        [0.8 + 0.01 * n, 0.82 + 0.01 * n, 0.78 + 0.012 * n] for n in range(11)
    ]
    scores.append("depth must be > 0")
    origins = ["defaults", "current", *["bayesian"] * 10]
    record = make_record(POINTS, scores, origins=origins, space=SPACE)
    assert render(summarise(record)) == snapshot


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_corrected_score_below_the_mean_of_all_is_put_in_words(direction: str) -> None:
    # Each trial is the best in one fold and the worst in another: what is chosen on some folds
    # is poor on the others.
    sign = 1 if direction == "maximize" else -1
    luck = [
        [sign * (0.5 + 0.1 * (f == i) - 0.1 * (f == i + 1)) for f in range(5)] for i in range(4)
    ]
    metric = Metric("score", direction)  # type: ignore[arg-type]
    told = "no better than the mean of all trials"
    assert told in render(summarise(make_record(POINTS[:4], luck, metrics=(metric,))))
    clear = [[sign * (0.5 + 0.1 * i + 0.001 * f) for f in range(5)] for i in range(4)]
    assert told not in render(summarise(make_record(POINTS[:4], clear, metrics=(metric,))))


def test_trials_without_a_bar_are_counted() -> None:
    record = make_record(POINTS[:4], [[0.1], "no", [0.3], [0.2]])
    text = render(summarise(record))
    assert "No bar stands for 1 trial that failed." in text
    assert 'x-axis "trial" [0, 2, 3]' in text
    assert "the line is the best so far" in text


def test_the_same_history_gives_the_same_bytes() -> None:
    assert render(summarise(make_record(POINTS))) == render(summarise(make_record(POINTS)))


def test_the_same_parameters_are_at_the_top_once() -> None:
    text = render(summarise(make_record([{"n": 1}, {"n": 2}, {"n": 1}], [[0.9], [0.8], [0.9]])))
    head = text[text.index("## Top") :]
    assert head.startswith("## Top 2 of 3 trials\n")
    assert (head.count("`n=1`"), head.count("`n=2`")) == (1, 1)


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_few_trials_render(n: int) -> None:
    text = render(summarise(make_record(POINTS[:n])))
    assert text.startswith("# Tuning results: `example`")
    assert all(len(set(rows)) == 1 for rows in tables(text))


def test_all_failed_says_why() -> None:
    text = render(summarise(make_record(POINTS[:3], ["no memory"] * 3)))
    assert "**Wrote nothing**: all 3 trials failed." in text
    assert "3 trials of 3 failed with `ValueError`: `no memory` (first: trial 0)." in text


def test_ties_share_a_rank_and_stay_in_trial_order() -> None:
    ranking = summarise(make_record(POINTS[:4], [[0.5], [0.7], [0.7], [0.6]])).ranking
    assert [(t.rank, t.number) for t in ranking] == [(1, 1), (1, 2), (3, 3), (4, 0)]


def test_hostile_text_stays_inert() -> None:
    points = [{f"p{i}": word, word: i} for i, word in enumerate(HOSTILE)]
    scores: list[list[float] | str] = [[0.5 + i / 100] * 3 for i in range(len(points) - 1)]
    scores.append("|`</details>` <img src=x onerror=alert(1)> @team")
    record = make_record(points, scores, study="<b>|`x`", stopped_by="1 trials")
    text = render(summarise(record))
    html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    for bad in ("<script", "<img", "<!--", "\x1b", 'href="https://example'):
        assert bad not in html
    assert html.count("<details>") == html.count("</details>") == text.count("<details>")
    assert all(len(set(rows)) == 1 for rows in tables(text))


def test_a_huge_study_stays_below_the_limit() -> None:
    points = [{"name": f"{n}" * 100, "other": f"{n}" * 50} for n in range(3000)]
    text = render(summarise(make_record(points)))
    assert len(text.encode()) <= MAX_BYTES
    assert text.endswith("_Left out because of their size: all trials. See `tunesmith trials`._\n")
    assert "## Top 10 of 3,000 trials" in text


def test_several_objectives_show_the_front() -> None:
    metrics = [Metric("gain"), Metric("cost", "minimize")]
    record = make_record(POINTS[:5], metrics=metrics, n_objectives=2)
    text = render(summarise(record))
    assert "## Pareto front" in text
    assert "mean_test_cost" in text


def test_minimized_scores_rank_upwards() -> None:
    record = make_record(POINTS[:5], metrics=[Metric("loss", "minimize")])
    means = [trial.means["loss"] for trial in summarise(record).ranking]
    assert all(left <= right for left, right in pairwise(means))


def test_a_table_that_cannot_fit_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    summary = summarise(make_record([{"x": n} for n in range(40)]))
    drawn = every_trial(summary)
    # It says less than the table has, and not much less.
    assert 0.3 * len(drawn) < least_of_every_trial(summary) < len(drawn)
    whole = fitted(summary, lambda text: len(text) <= 100_000)
    some = fitted(summary, lambda text: len(text) < len(drawn))
    assert len(some) < len(drawn) < len(whole)

    def must_not(_summary: object) -> str:
        raise AssertionError

    sections = [replace(s, render=must_not) if s.name == "all trials" else s for s in SECTIONS]
    monkeypatch.setattr("tunesmith.reporting.markdown.SECTIONS", sections)
    limit = least_of_every_trial(summary)
    assert "all trials. See" in fitted(summary, lambda text: len(text) < limit)
