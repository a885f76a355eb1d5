"""What decides the trials of a study, and how a change of it is told."""

from pathlib import Path

import pytest

from tunesmith.config.load import load_definition
from tunesmith.config.model import Definition
from tunesmith.ledger.records import StudyHead
from tunesmith.objective.choose import outline
from tunesmith.runs.causes import RENEWED, Causes
from tunesmith.runs.factory import build_sampler, identity
from tunesmith.runs.proposing import marks, window_of
from tunesmith.runs.tune import tune
from tunesmith.testing.projects import TUNING, make_project


def project(folder: Path, method: str, window: int | None = None, **changes: str) -> Definition:
    text = TUNING if window is None else TUNING.replace("seed: 3", f"seed: 3, window: {window}")
    for old, new in changes.items():
        text = text.replace(old, new)
    return load_definition(make_project(folder, text=text, method=method))


def identity_of(definition: Definition) -> str:
    return identity(definition, outline(definition))


@pytest.mark.parametrize("method", ["grid", "random", "sobol"])
def test_a_search_that_reads_no_results_keeps_the_identity_that_it_had(
    tmp_path: Path, method: str
) -> None:
    """Earlier releases recorded their default, 8."""
    assert identity_of(project(tmp_path, method)) == identity_of(project(tmp_path, method, 8))
    assert marks(project(tmp_path, method).file) == {"window": 8}


def test_another_look_ahead_is_another_study(tmp_path: Path) -> None:
    windows = (None, 1, 3, 8)
    found = {identity_of(project(tmp_path, "bayesian", window)) for window in windows}
    assert len(found) == len(windows)


def test_the_version_of_the_model_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = project(tmp_path, "bayesian", 8)
    before = identity_of(definition)
    monkeypatch.setattr("tunesmith.search.gp.GPSampler.version", 99)
    assert identity_of(definition) != before
    assert identity_of(project(tmp_path, "random")) == identity_of(project(tmp_path, "random", 8))


def test_the_default_depends_on_the_folds_alone(tmp_path: Path) -> None:
    study = project(tmp_path, "bayesian")
    sampler = build_sampler(study.file.search, study.space)
    assert [window_of(study.file, sampler, n) for n in (1, 3, 5, 10)] == [4, 3, 2, 1]
    assert window_of(project(tmp_path, "bayesian", 7).file, sampler, 5) == 7
    grid = project(tmp_path, "grid")
    assert window_of(grid.file, build_sampler(grid.file.search, grid.space), 10) == 8


def test_a_study_of_an_earlier_release_is_told_why_it_begins_anew(tmp_path: Path) -> None:
    tune(project(tmp_path, "bayesian", 8, TRIALS="4"))
    said: list[str] = []
    now = project(tmp_path, "bayesian", None, TRIALS="4")
    result = tune(now, say=said.append)
    assert any(text.startswith(RENEWED) for text in said)
    # The first points are the same, and so are their evaluations.
    assert result.n_reused > 0
    before = result.record.head
    for other, key in (
        (project(tmp_path, "random"), "search.method"),
        (project(tmp_path, "bayesian", None, **{"[1, 6]": "[1, 7]"}), "space"),
    ):
        assert f"`{key}`" in Causes(other, outline(other)).told(before)


def test_a_race_belongs_to_the_identity(tmp_path: Path) -> None:
    for method, default in (("bayesian", "auto"), ("random", "off"), ("grid", "off")):
        found = {
            race: project(tmp_path / method, method, None, **{"seed: 3": f"seed: 3{race}"})
            for race in ("", ", race: auto", ", race: off")
        }
        same = f", race: {default}"
        assert identity_of(found[""]) == identity_of(found[same])
        others = {identity_of(one) for race, one in found.items() if race not in ("", same)}
        assert identity_of(found[""]) not in others


def test_a_search_that_has_no_race_is_the_one_that_it_was(tmp_path: Path) -> None:
    """Several metrics, or a program that runs once, leave nothing to stop."""
    several = project(
        tmp_path, "bayesian", None, **{"metric: accuracy": "metric: [accuracy, balanced_accuracy]"}
    )
    assert "race" not in marks(several.file)
    assert marks(project(tmp_path, "bayesian").file)["race"] == 2


def test_the_order_of_a_grid_with_a_race_belongs_to_the_identity(tmp_path: Path) -> None:
    race = {"seed: 3": "seed: 3, race: auto"}
    assert marks(project(tmp_path, "grid", None, **race).file)["order"] == 1
    for other in (
        project(tmp_path, "grid", 4, **race),
        project(tmp_path, "grid", None),
        project(tmp_path, "random", None, **race),
    ):
        assert "order" not in marks(other.file)


def test_a_study_from_before_races_is_told_why_it_begins_anew(tmp_path: Path) -> None:
    now = project(tmp_path, "bayesian")
    content = now.as_json()
    del content["file"]["search"]["race"]
    context = outline(now).context
    before = StudyHead(
        id=1, name="s", generation=1, identity="other", context=context, definition=content
    )
    assert Causes(now, outline(now)).reasons(before) == [RENEWED]
    off = project(tmp_path, "bayesian", None, **{"seed: 3": "seed: 3, race: off"})
    assert Causes(off, outline(off)).reasons(before) == ["`search.race` changed"]
