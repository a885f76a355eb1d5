from pathlib import Path

from tunesmith.config.load import load_definition
from tunesmith.runs.study_run import Run
from tunesmith.testing.projects import TUNING, make_project


def test_searches_of_nested_cross_validation_are_runs_that_say_nothing(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path, text=f"{TUNING}outer_folds: 3\n"))
    said: list[str] = []
    run = Run(definition=definition, say=said.append, restart=True)
    outer = run.outer_runs("digest of the rows")
    assert [one.definition.file.study for one in outer] == [f"small.outer{n}" for n in range(3)]
    assert all(one.restart and one.observer is run.observer for one in outer)
    outer[0].say("nobody reads this")
    assert said == []


def test_scores_of_shared_fits_are_used_unless_sharing_is_off(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path / "on"))
    assert Run(definition=definition).uses_shared_fits
    text = f"{TUNING}execution: {{share: 'off'}}\n"
    definition = load_definition(make_project(tmp_path / "off", text=text))
    assert not Run(definition=definition).uses_shared_fits
