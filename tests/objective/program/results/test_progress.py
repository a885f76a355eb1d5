from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.history import FoldResult, Metric
from tunesmith.objective.program.results.progress import MAX_POINTS, StreamedValues
from tunesmith.study.early_stopping import held_against

ACC = Metric("acc")


class Scripted:
    """Values that come in portions."""

    def __init__(self, portions: list[list[tuple[int, float]]]) -> None:
        self._portions = portions
        self.names = {"acc", "other"}

    def new(self) -> Iterable[tuple[int, Mapping[str, float]]]:
        portion = self._portions.pop(0) if self._portions else []
        return [(step, {"acc": value, "other": 2 * value}) for step, value in portion]

    rest = new


def test_values_are_kept_by_step_and_the_later_one_counts() -> None:
    course = StreamedValues(ACC, {}, Scripted([[(2, 0.2), (1, 0.1)], [(2, 0.3)]]))
    assert not course.is_enough()
    assert not course.is_enough()
    assert course.curve() == ((1, 0.1), (2, 0.3))
    assert course.scores() == {"acc": 0.3, "other": 0.6}


def test_a_run_that_falls_short_is_enough() -> None:
    course = StreamedValues(ACC, {2: 0.5}, Scripted([[(1, 0.1)], [(2, 0.2), (3, 0.9)]]))
    assert not course.is_enough()
    assert course.is_enough()
    assert course.stopped_at == 2
    assert course.scores() == {"acc": 0.2}
    assert course.curve() == ((1, 0.1), (2, 0.2))


@given(
    st.lists(st.tuples(st.integers(1, 20), st.floats(-1, 1)), min_size=1, max_size=15),
    st.dictionaries(st.integers(1, 20), st.floats(-1, 1), max_size=3),
    st.integers(1, 14),
)
def test_when_values_were_seen_changes_nothing_and_later_thresholds_agree(
    values: list[tuple[int, float]], thresholds: dict[int, float], cut: int
) -> None:
    values = sorted(dict(values).items())
    at_once = StreamedValues(ACC, thresholds, Scripted([values]))
    in_parts = StreamedValues(ACC, thresholds, Scripted([values[:cut], values[cut:]]))
    at_once.is_enough()
    in_parts.is_enough() or in_parts.is_enough()
    if in_parts.stopped_at is None or at_once.stopped_at is None:
        assert in_parts.stopped_at == at_once.stopped_at
    assert in_parts.scores() == at_once.scores()
    assert in_parts.curve() == at_once.curve()
    whole = StreamedValues(ACC, {}, Scripted([values]))
    whole.is_enough()
    known = held_against(
        FoldResult(0, {"acc": values[-1][1]}, progress=whole.curve()), thresholds, ACC
    )
    assert known is not None
    assert (known.stopped_at, known.progress) == (at_once.stopped_at, at_once.curve())


def test_long_courses_are_thinned_out_and_keep_what_decides() -> None:
    values = [(step, step / 1e5) for step in range(50_000)]
    course = StreamedValues(ACC, {777: -1.0}, Scripted([values]))
    course.is_enough()
    steps = [step for step, _ in course.curve()]
    assert len(steps) <= MAX_POINTS + 2
    assert {0, 777, 49_999} <= set(steps)
