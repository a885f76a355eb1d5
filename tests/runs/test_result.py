from pathlib import Path
from typing import Any

import pytest

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.errors import UsageError
from tunesmith.testing.projects import TUNING, make_project


def test_a_result_tells_what_the_run_did_and_what_is_best(tmp_path: Path) -> None:
    text = f"{TUNING}execution: {{executor: serial}}\n"
    definition = load_definition(make_project(tmp_path, text=text))
    first = tune(definition)
    assert (first.n_evaluated, first.n_reused, first.exit_code) == (35, 1, 0)
    best = first.record.history.best()
    assert best is not None
    assert first.best_params == first.summary.chosen.params  # type: ignore[union-attr]
    columns = first.cv_results_
    assert len(columns["params"]) == 12
    assert columns["params"][list(columns["rank_test_score"]).index(1)] == best.params
    again = tune(definition)
    assert (again.n_evaluated, again.n_fits) == (0, 0)
    assert [item.changed for item in again.written] == [False] * len(again.written)


def test_what_a_result_does_not_have_is_told_in_words(tmp_path: Path) -> None:
    text = f"{TUNING}execution: {{executor: serial}}\n"
    result = tune(load_definition(make_project(tmp_path, text=text)))
    kind: Any
    for kind in (None, "averige", ["average"]):
        with pytest.raises(UsageError, match="there is no kind"):
            result.model(kind)
    number: Any
    for number in (0, -1, True, "all"):
        with pytest.raises(UsageError, match="no number of trials"):
            result.oof_predictions(number)
    with pytest.raises(UsageError, match=r"no form `pdf`\. Known: comment, html, json"):
        result.report("pdf")
