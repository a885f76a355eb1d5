from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.history import Failure, FoldResult, Metric, Trial
from tunesmith.study.keeping import KeepingBest
from tunesmith.study.recorder import NoRecorder

LOSS = Metric("loss", "minimize")


def trial(number: int, loss: float | None) -> Trial:
    result = (
        FoldResult(0, {}, failure=Failure("exit", "1"))
        if loss is None
        else FoldResult(0, {"loss": loss})
    )
    return Trial(number, {}, key=str(number), origin="grid").completed([result])


@given(st.lists(st.none() | st.floats(-1, 1)), st.integers(1, 4))
def test_only_the_best_keep_what_they_have(losses: list[float | None], n_best: int) -> None:
    dropped: list[str] = []

    def drop(keys: Sequence[str]) -> None:
        dropped.extend(keys)

    keeping = KeepingBest(NoRecorder(), LOSS, n_best, drop)
    for number, loss in enumerate(losses):
        keeping.completed(trial(number, loss), [str(number)])
    scored = sorted((loss, n) for n, loss in enumerate(losses) if loss is not None)
    kept = {str(n) for _, n in scored[:n_best]}
    assert sorted(dropped) == sorted({str(n) for n in range(len(losses))} - kept)
