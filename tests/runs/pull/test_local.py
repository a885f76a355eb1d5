import pytest

from tunesmith.errors import LostError
from tunesmith.execute.executor import CallTimeoutError
from tunesmith.execute.serial import SerialExecutor
from tunesmith.ledger.leases.seam import AnswerKind, Lease
from tunesmith.runs.pull.local import LocalRunner

FAILURES = {"late": CallTimeoutError("late"), "lost": LostError("lost"), "bad": ValueError("bad")}


class Words:
    def item(self, text: str) -> str:
        return text

    def answer(self, item: str, result: str) -> str:
        return f"{item} -> {result}"


def call(word: str) -> str:
    if word in FAILURES:
        raise FAILURES[word]
    return word.upper()


@pytest.fixture
def runner() -> LocalRunner:
    return LocalRunner(lambda: SerialExecutor(call), Words())


def test_answers_have_a_kind(runner: LocalRunner) -> None:
    words = ("fine", "late", "lost", "bad")
    for number, word in enumerate(words):
        runner.start(Lease(number, 1, word))
    answers = [answer for _ in words for answer in runner.ended(0.1)]
    assert answers == [
        (0, AnswerKind.RESULT, "fine -> FINE"),
        (1, AnswerKind.TIMEOUT, "late"),
        (2, AnswerKind.DIED, "lost"),
        (3, AnswerKind.ERROR, "ValueError: bad"),
    ]
    assert runner.ended(0.1) == []
    runner.close()


def test_a_call_that_was_stopped_gives_no_answer(runner: LocalRunner) -> None:
    for number in range(2):
        runner.start(Lease(number, 1, "word"))
    runner.stop(0)
    assert [task for task, *_ in runner.ended(0.1)] == [1]
    assert runner.ended(0.1) == []


def test_nothing_starts_before_the_first_call() -> None:
    runner = LocalRunner(lambda: pytest.fail("too early"), Words())
    assert runner.ended(0.1) == []
    runner.close()
