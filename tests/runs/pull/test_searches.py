"""Nested cross-validation by pull workers, and the runner of its searches."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.forest import STUDY, TUNING
from tests.runs.pull.conftest import Start, trials_of

import tunesmith
from tunesmith.config.load import load_definition
from tunesmith.execute.serial import SerialExecutor
from tunesmith.ledger.leases.seam import AnswerKind, Lease
from tunesmith.runs.factory import build_objective
from tunesmith.runs.project_code import project_on_path
from tunesmith.runs.pull.local import LocalRunner
from tunesmith.runs.pull.searches import PullSearch, Searches, SearchRunner
from tunesmith.runs.pull.wants import OUTER, Wants, WorkerDiffersError

NESTED = TUNING.replace("trials: 5", "trials: 3") + "outer_folds: 2\n"
NAMES = (STUDY, f"{STUDY}.outer0", f"{STUDY}.outer1")


class Words:
    def item(self, text: str) -> str:
        return text

    def answer(self, item: str, result: str) -> str:
        return f"{item} -> {result}"


def test_each_search_has_processes_of_its_own() -> None:
    made: list[int | None] = []
    closed: list[int | None] = []

    def make(number: int | None) -> LocalRunner:
        made.append(number)

        class Executor(SerialExecutor):
            def close(self) -> None:
                closed.append(number)

        return LocalRunner(lambda: Executor(lambda text: f"{number} {len(text)}"), Words())

    runner = SearchRunner(make)
    texts = ("{}", '{"search": 0}', '{"search": 1}')
    for task, text in enumerate((*texts, texts[0])):
        runner.start(Lease(task, 1, text))
    # All are busy, so that none is closed.
    assert (made, closed) == ([None, 0, 1], [])
    runner.stop(1)
    answers: list[Any] = []
    while len(answers) < 3:
        answers += runner.ended(0.1)
    assert sorted(answers) == [
        (0, AnswerKind.RESULT, "{} -> None 2"),
        (2, AnswerKind.RESULT, '{"search": 1} -> 1 13'),
        (3, AnswerKind.RESULT, "{} -> None 2"),
    ]
    assert runner.ended(0.1) == []
    runner.start(Lease(9, 1, '{"search": 2}'))
    # The processes of earlier searches go.
    assert sorted(map(str, closed)) == ["0", "1", "None"]
    runner.close()
    assert closed[-1] == 2


def test_the_search_that_is_wanted_is_compared(project: Path) -> None:
    (project / "tuning.yaml").write_text(NESTED)
    study = load_definition(project / "tuning.yaml")
    with project_on_path(project):
        objective = build_objective(study)
        searches = Searches(PullSearch.of(study, objective))
        outer = study.outer_searches(objective.context["data"])[1]
        wanted = Wants(outer, build_objective(outer)).content()
        assert wanted[OUTER] == 1
        admitted = searches.admit(wanted)
        assert admitted.definition.file.study == f"{STUDY}.outer1"
        assert searches[1] is admitted
        with pytest.raises(WorkerDiffersError, match="the data differ"):
            searches.admit({**wanted, OUTER: 0})
        with pytest.raises(WorkerDiffersError, match=r"outer fold 2 is wanted, .* is 2 here"):
            searches.admit({**wanted, OUTER: 2})
        own = Wants(study, objective).content()
        assert searches.admit(own) is searches[None]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nested_searches_are_those_of_one_process(
    project: Path, database: str, start: Start, tmp_path: Path
) -> None:
    (project / "tuning.yaml").write_text(NESTED + "execution: {executor: serial}\n")
    result = tunesmith.tune(project / "tuning.yaml", progress=False)
    expected = [trials_of(project / ".tunesmith/ledger.db", name) for name in NAMES]
    shutil.rmtree(project / ".tunesmith")
    (project / "best.yaml").unlink()
    more = f"ledger: '{database}'\nexecution: {{executor: pull}}\n"
    (project / "tuning.yaml").write_text(NESTED + more)
    log, gate = tmp_path / "fits", tmp_path / "gate"
    run = start("run", "-q")
    # Three trials of three folds are the study's own search.
    first = start("worker", "--workers", "1", "--max-fits", "9")
    assert first.ends() == 0, first.said
    gate.touch()
    doomed = start("worker", "--workers", "1", FITS_LOG=str(log), FITS_GATE=str(gate))
    # The worker and the run are killed in the middle of an outer search.
    doomed.until(log.exists)
    assert f"taking fits of `{NAMES[1]}`" in doomed.said
    doomed.process.kill()
    run.process.kill()
    run.process.wait()
    gate.unlink()
    again = start("run", "-q")
    start("worker", "--workers", "1")
    assert again.ends() == 0, again.said
    assert [trials_of(database, name) for name in NAMES] == expected
    # Once more, with nothing left to do: the nested score is that of one process.
    text = (project / "tuning.yaml").read_text().replace("executor: pull", "executor: serial")
    (project / "tuning.yaml").write_text(text)
    repeated = tunesmith.tune(project / "tuning.yaml", progress=False)
    assert repeated.n_fits == 0
    assert repeated.summary.nested == result.summary.nested
