import numpy as np
from sklearn.metrics import get_scorer

from tunesmith.models.answers import FoldAnswers
from tunesmith.models.prepared import prepared


def test_scorers_score_prepared_answers() -> None:
    y = np.array([0, 1, 1])
    chances = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    model = prepared(
        FoldAnswers({"predict": np.array([0, 0, 1]), "predict_proba": chances}, np.array([0, 1]))
    )
    assert get_scorer("roc_auc")(model, np.zeros((3, 1)), y) == 1
    assert get_scorer("accuracy")(model, np.zeros((3, 1)), y) == 2 / 3
    assert not hasattr(model, "decision_function")
    line = prepared(FoldAnswers({"predict": np.array([1.0, 2.0])}))
    assert get_scorer("r2")(line.fit(None), np.zeros((2, 1)), np.array([1.0, 2.0])) == 1
