import json

from tunesmith.history import Metric
from tunesmith.models.build import Built, Cost, Member
from tunesmith.models.worth import Worth
from tunesmith.reporting.model_card import card, content, plain

AUC = Metric("roc_auc")
ENSEMBLE = Built(
    kind="ensemble",
    model=None,
    members=(Member(3, {"C": 1.0, "k": "a|b`"}, 0.75), Member(5, {"C": 2.0}, 0.25)),
    n_fits=1,
    n_kept=9,
    worth=Worth(0.93, 0.91, (0.9, 0.92)),
    single=Worth(0.92, 0.905, (0.9, 0.91)),
    default=Worth(0.92, 0.92, (0.92, 0.92)),
    cost=Cost(10, 1_200_000, 12.0),
    single_cost=Cost(1, 90_000, 1.5),
    holdout=0.9,
    single_holdout=0.88,
)


def test_a_reviewer_sees_worth_and_cost() -> None:
    text = card(ENSEMBLE, "churn", AUC, ("A seed is missing",))
    for part in (
        "| models that predict | 10 | 1 |",
        "| size | 1.2 MB | 90.0 kB |",
        "| roc_auc on the held-out rows | 0.9000 | 0.8800 |",
        "roc_auc 0.9300, which flatters",
        "scored on it: 0.9100",
        "Gain over the best single trial, chosen likewise (0.9050): +0.0050",
        "The folds do not show that the ensemble is better",
        "1 fit was made for it after the search; 9 models of the search had been kept.",
        "A seed is missing.",
    ):
        assert part in text
    assert "trial 3" in plain(ENSEMBLE, "churn", AUC)
    assert "|---" not in plain(ENSEMBLE, "churn", AUC)


def test_values_from_data_break_no_table() -> None:
    row = next(line for line in card(ENSEMBLE, "churn", AUC).splitlines() if "trial 3" in line)
    assert row.replace("\\|", "").count("|") == 4


def test_nan_is_no_json() -> None:
    odd = Built(
        kind="ensemble",
        model=None,
        members=(),
        n_fits=0,
        n_kept=0,
        worth=Worth(float("nan"), float("nan"), (float("nan"),)),
    )
    json.dumps(content(odd), allow_nan=False)
    assert "flatters" in card(odd, "s", AUC)
