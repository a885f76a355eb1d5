from pathlib import Path
from random import Random

import pytest

from tunesmith.analysis.summary import Summary, summarise
from tunesmith.analysis.winner import Winner, winner_of
from tunesmith.ledger.ledger import Ledger
from tunesmith.parameters.texts import best_parameters
from tunesmith.reporting.best_text import best_text
from tunesmith.testing.ledger import begin_with, tell_some
from tunesmith.testing.records import make_record


@pytest.mark.parametrize("n_objectives", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_it_says_what_the_summary_says(tmp_path: Path, seed: int, n_objectives: int) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        head = begin_with(ledger, n_objectives)
        run = ledger.begin_run(head.id, {"definition": {}})
        for number in range(10):
            tell_some(ledger, head, run, number, Random(10 * seed + number))
        record = ledger.load(is_whole=False)
        winner = winner_of(record)
        texts = best_text(winner), best_parameters(winner, ".yaml")
        summary = summarise(ledger.load(), with_effects=False)
    assert isinstance(winner, Winner)
    assert texts == (best_text(summary), best_parameters(summary, ".yaml"))


def test_other_rules_need_all_trials() -> None:
    record = make_record([{"n": 1}, {"n": 2}])
    assert isinstance(winner_of(record), Winner | Summary)
