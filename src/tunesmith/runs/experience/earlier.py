"""The best points of earlier studies of the same estimator or program, from a ledger.

On the same data their evaluations are known, so that they cost no fit. On other data they are a
guess where to look, which is dropped if the first of them is worse than the defaults.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from tunesmith.ledger.ledger import Ledger
from tunesmith.ledger.recorded_study import RecordedStudy
from tunesmith.ledger.records import StudyRecord
from tunesmith.runs.experience.mapping import mapped
from tunesmith.space import SearchSpace
from tunesmith.space.parameter import canonical_json
from tunesmith.types import Params

MOST = 3
"""Number of points of a study that come from earlier ones."""
MOST_STUDIES = 10
"""Number of earlier studies that are looked at, those with known evaluations first."""
MODEL = ("estimator", "steps", "factory", "estimators", "command", "preprocess")
"""Keys of the objective that say what is tuned."""


@dataclass(frozen=True)
class EarlierStudies:
    """Finds good points in the studies of a ledger.

    Args:
        ledger: open for reading.
        study: name of the present study, whose own trials need no second look.
        recorded: definition of the present study, as it would be recorded.
        data: digest of the present data.
    """

    ledger: Ledger
    study: str
    recorded: RecordedStudy
    data: str

    def points(self, space: SearchSpace, defaults: Params) -> list[Params]:
        """List the points of a space that are nearest to the best earlier ones, without repeats.

        Args:
            space: of the study.
            defaults: values of parameters that an earlier study did not have.
        """
        points: dict[str, Params] = {}
        for wanted in self._in_turn():
            point = mapped(space, wanted, defaults)
            if point is not None:
                points.setdefault(space.key(point), point)
            if len(points) == MOST:
                break
        return list(points.values())

    def _in_turn(self) -> Iterator[Params]:
        """Good configurations, the best one of each study first."""
        ranked = [_best_of(record) for record in self._records()]
        for turn in zip_longest(*ranked):
            yield from (params for params in turn if params is not None)

    def _records(self) -> list[StudyRecord]:
        """Earlier studies of the same thing, those on the same data first, then by name."""
        heads = [
            head
            for head in self.ledger.studies()
            if head.name != self.study and self._is_alike(head.recorded)
        ]
        heads.sort(key=lambda head: (head.context.get("data") != self.data, head.name))
        return [self.ledger.load(head.name) for head in heads[:MOST_STUDIES]]

    def _is_alike(self, other: RecordedStudy) -> bool:
        """True if a study tuned the same estimator or program by the same first metric."""
        if other.is_outer or other.objective is None or self.recorded.objective is None:
            return False
        contents = [one.objective.content for one in (other, self.recorded) if one.objective]
        is_same = all(contents[0].get(key) == contents[1].get(key) for key in MODEL)
        # What is tuned in memory may have no name, and then nothing tells two of them apart.
        is_same &= any(contents[0].get(key) for key in MODEL if key != "preprocess")
        return is_same and _first_metric(contents[0]) == _first_metric(contents[1])


def _first_metric(content: object) -> str:
    metrics = content.get("metric") if hasattr(content, "get") else None
    first = metrics[0] if isinstance(metrics, Sequence) and metrics else None
    return canonical_json(first)


def _best_of(record: StudyRecord) -> list[Params]:
    """The best points of a study, with the values that it held fixed."""
    metric = record.history.objectives[0]
    trials = sorted(
        record.history.admissible, key=lambda t: (-metric.sign * t.mean(metric.name), t.number)
    )
    objective = record.head.recorded.objective
    fixed = objective.content.get("params") if objective is not None else None
    given = dict(fixed) if isinstance(fixed, dict) else {}
    return [{**given, **trial.params} for trial in trials[:MOST]]
