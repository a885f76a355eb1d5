from dataclasses import replace

import numpy as np
import pytest
from tests.analysis.test_decision import GATE, decided, record

from tunesmith.analysis.choice.policy import Policy
from tunesmith.testing.records import make_record


@pytest.mark.parametrize(
    ("within", "margin"), [(0.002, 0.002), ("50%", 0.5), (None, 0.1), (0.0, 0.0)]
)
@pytest.mark.parametrize("origins", [["defaults"], ["current"], ["defaults", "current"]])
def test_the_margin_is_a_share_of_the_gain(
    within: float | str | None, margin: float, origins: list[str]
) -> None:
    summary = decided(record({"max_depth": 1}, origins=origins), replace(GATE, within=within))
    assert summary.best is not None
    # The defaults, if they were tried: they stay the same from study to study.
    gain = summary.best.means["score"] - summary.ranking[-1].means["score"]
    is_share = not isinstance(within, float)
    assert summary.margin == pytest.approx(margin * gain if is_share else margin)


def test_a_simpler_trial_has_to_be_shown_to_be_nearly_as_good() -> None:
    """Three folds of a trial at .968 and one at .999, of which a blind test tells nothing."""
    rng = np.random.default_rng(0)
    truth = np.concatenate([[0.968, 0.999], rng.uniform(0.7, 0.93, 58)])
    noise = np.where(np.arange(60) < 2, 0.01, 0.03)
    scores = (truth[:, None] + rng.normal(0, 1, (60, 3)) * noise[:, None]).tolist()
    points = [{"max_depth": 1}, {"max_depth": 9}, *({"max_depth": 10 + n} for n in range(58))]
    summary = decided(make_record(points, scores))
    assert summary.choices["simplest"] == summary.choices["best"] == 1
    assert decided(make_record(points, scores), replace(GATE, within=0.1)).choices["simplest"] == 0


def test_the_interval_is_that_of_the_chosen_trial() -> None:
    found = record()
    wide = Policy(selection="simplest", within=1.0)
    summary = decided(found, wide)
    assert summary.chosen is not None
    assert summary.optimism is not None
    assert summary.chosen.number == 0
    mean = summary.chosen.means["score"]
    assert summary.optimism.score <= mean
    assert summary.optimism.low < mean < summary.optimism.high
    best = decided(found).optimism
    assert best is not None
    assert best.low > summary.optimism.high
