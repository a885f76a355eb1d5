"""``trials``: filtered, sorted, as a table."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run


def test_trials_are_filtered_sorted_and_cut(tunesmith: Run, finished: Path) -> None:
    def numbers(*options: str) -> list[int]:
        document = json.loads(tunesmith("trials", "--json", *options).stdout)
        return [row["params"]["max_depth"] for row in document["trials"]]

    assert sorted(numbers("--filter", "max_depth > 4")) == [5, 5, 6, 6]
    assert numbers("--sort", "max_depth")[:2] == [1, 1]
    assert numbers("--sort", "-max_depth", "--top", "1") == [6]
    assert numbers("--sort", "accuracy") == numbers("--sort", "mean_test_score")
    assert numbers("--sort", "-accuracy") == numbers("--sort", "-mean_test_score")
    assert numbers("--filter", "state == 'failed'") == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sort", "max_dept"), "Did you mean `max_depth`?"),
        (("--filter", "max_dept > 3"), "Did you mean `max_depth`?"),
        (("--filter", "__import__('os')"), "--filter"),
    ],
)
def test_a_wrong_column_is_named(
    tunesmith: Run, finished: Path, options: tuple[str, ...], words: str
) -> None:
    done = tunesmith("trials", *options)
    assert done.returncode == 2
    assert words in done.stderr


def test_markdown_has_one_row_a_trial(tunesmith: Run, finished: Path) -> None:
    assert len(tunesmith("trials", "--md", "--top", "3").stdout.splitlines()) == 5
