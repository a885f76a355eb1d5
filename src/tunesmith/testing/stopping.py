"""The contract of stopping criteria: subclass ``StoppingContract`` to test your own."""

from collections.abc import Sequence

from tunesmith.history import Failure, FoldResult, History, Metric, Trial, TrialLog
from tunesmith.search.stopping import Criterion


class StoppingContract:
    """Tests of one criterion: override ``make``, ``spent`` and ``going``.

    Histories are given as one row of fold scores a trial; an empty row is a failed trial.
    """

    elapsed_s = 10.0
    """Seconds that the study has lasted when the criterion ends it."""

    def make(self) -> Criterion:
        """A fresh criterion for a metric that is maximized."""
        raise NotImplementedError

    def mirrored(self) -> Criterion:
        """The same for the negated metric, minimized."""
        return self.make()

    def spent(self) -> Sequence[Sequence[float]]:
        """Scores of the shortest study that the criterion ends."""
        raise NotImplementedError

    def going(self) -> Sequence[Sequence[float]]:
        """Return scores of a study that continues, even after ``elapsed_s`` less a little."""
        return self.spent()[:-1]

    def test_it_ends_a_study_with_a_readable_reason(self) -> None:
        reason = self.make().is_spent(history_of(self.spent()), self.elapsed_s)
        assert isinstance(reason, str)
        assert reason == reason.strip() != ""
        assert "\n" not in reason

    def test_it_lets_a_study_go_on(self) -> None:
        assert self.make().is_spent(history_of(self.going()), self.elapsed_s - 1e-6) is None

    def test_a_study_without_trials_goes_on(self) -> None:
        assert self.make().is_spent(history_of(()), 0.0) is None

    def test_a_study_whose_first_trials_are_running_goes_on(self) -> None:
        log = TrialLog((Metric("score"),))
        for number in range(len(self.spent()) + 1):
            log.ask({"n": number}, str(number), "test")
        assert self.make().is_spent(log.view(), 0.0) is None

    def test_running_trials_change_nothing(self) -> None:
        for rows in (self.spent(), self.going()):
            alone = self.make().is_spent(history_of(rows), self.elapsed_s)
            assert self.make().is_spent(history_of(rows, n_running=9), self.elapsed_s) == alone

    def test_the_answer_depends_on_its_arguments_alone(self) -> None:
        criterion = self.make()
        full, part = history_of(self.spent()), history_of(self.going())
        first = criterion.is_spent(full, self.elapsed_s)
        criterion.is_spent(part, self.elapsed_s)
        assert criterion.is_spent(full, self.elapsed_s) == first
        assert self.make().is_spent(history_of(self.spent()), self.elapsed_s) == first

    def test_the_moment_can_be_found_again_in_a_longer_study(self) -> None:
        log = log_of([*self.spent(), *self.spent()])
        # A criterion that reads the log beyond its view would see the second half.
        then = log.view(len(self.spent()))
        first = self.make().is_spent(history_of(self.spent()), self.elapsed_s)
        assert self.make().is_spent(then, self.elapsed_s) == first

    def test_directions_are_mirror_images(self) -> None:
        down = Metric("score", "minimize")
        for rows in (self.spent(), self.going()):
            negated = [[-score for score in row] for row in rows]
            up = self.make().is_spent(history_of(rows), self.elapsed_s - 1e-6)
            reason = self.mirrored().is_spent(history_of(negated, down), self.elapsed_s - 1e-6)
            assert (reason is None) == (up is None)


def log_of(rows: Sequence[Sequence[float]], metric: Metric = Metric("score")) -> TrialLog:  # noqa: B008 - frozen
    """A log of finished trials with these fold scores; an empty row is a failed trial."""
    log = TrialLog((metric,))
    for number in range(len(rows)):
        log.ask({"n": number}, str(number), "test")
    for trial, row in zip(log.trials, rows, strict=True):
        log.tell(_completed(trial, row, metric.name))
    return log


def history_of(
    rows: Sequence[Sequence[float]],
    metric: Metric = Metric("score"),  # noqa: B008 - frozen
    n_running: int = 0,
) -> History:
    """Return the history of such a log, with further pending trials."""
    log = log_of(rows, metric)
    for number in range(len(rows), len(rows) + n_running):
        log.ask({"n": number}, str(number), "test")
    return log.view()


def _completed(trial: Trial, row: Sequence[float], metric: str) -> Trial:
    if not row:
        failure = Failure("ValueError", "bad")
        return trial.completed([FoldResult(fold, {}, failure=failure) for fold in range(3)])
    return trial.completed([FoldResult(fold, {metric: score}) for fold, score in enumerate(row)])
