import numpy as np
import pandas as pd

from tunesmith.models.predictions import per_row


def test_repeats_are_averaged_per_row() -> None:
    table = pd.DataFrame(
        {
            "trial": 0,
            "row": [0, 1, 0, 1],
            "fold": [0, 0, 1, 1],
            "target": ["no", "yes", "no", "yes"],
            "prediction": ["no", "yes", "yes", "yes"],
            "probability_no": [0.9, 0.2, 0.4, 0.4],
            "probability_yes": [0.1, 0.8, 0.6, 0.6],
        }
    )
    mean = per_row(table)
    assert mean["prediction"].tolist() == ["no", "yes"]
    assert np.allclose(mean["probability_no"], [0.65, 0.3])
    assert mean["n_predictions"].tolist() == [2, 2]
    assert mean["target"].tolist() == ["no", "yes"]


def test_without_probabilities_the_most_frequent_class_counts() -> None:
    table = pd.DataFrame(
        {"trial": 0, "row": 0, "fold": [0, 1, 2], "target": 2, "prediction": [1, 2, 2]}
    )
    assert per_row(table)["prediction"].tolist() == [2]
