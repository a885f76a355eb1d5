from pathlib import Path

import pytest

from tunesmith import tune
from tunesmith.config.load import load_definition
from tunesmith.history import FoldResult
from tunesmith.models.keeper import Delivery
from tunesmith.models.store import ModelStore
from tunesmith.runs.models.keeping import Deliveries, store_of
from tunesmith.testing.projects import TUNING, make_project

SERIAL = f"{TUNING}execution: {{executor: serial}}\n"


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_the_best_models_stay_and_need_no_fit(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path, text=f"{SERIAL}models: {{keep: 2}}\n"))
    result = tune(definition)
    store = store_of(definition)
    assert store is not None
    n_folds = len(result.record.history[0].folds)
    # A shared fit may hold models of several trials, so that there are at most so many files.
    assert 0 < len(list(store.folder.iterdir())) <= 2 * n_folds
    built = result.model("average")
    assert (built.n_fits, built.n_kept) == (0, n_folds)
    # A later run that evaluates nothing finds the same files.
    again = tune(definition).model("average")
    assert again.n_fits == 0


def test_nothing_is_kept_unless_it_is_asked_for(tmp_path: Path) -> None:
    definition = load_definition(make_project(tmp_path, text=SERIAL))
    result = tune(definition)
    assert store_of(definition) is None
    assert not (definition.root / ".tunesmith" / "models").exists()
    assert result.model("average").n_fits == len(result.record.history[0].folds)


def test_models_of_another_user_are_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = load_definition(make_project(tmp_path, text=f"{SERIAL}models: {{}}\n"))
    tune(definition)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    built = tune(definition).model("average")
    assert built.n_fits > 0
    assert built.n_kept == 0


def test_models_of_earlier_data_make_room(tmp_path: Path) -> None:
    text = f"{SERIAL}models: {{keep: 2, size: 100MB}}\n"
    project = make_project(tmp_path, text=text)
    first = load_definition(project)
    tune(first)
    store = store_of(first)
    assert store is not None
    old, leftover = {path.name for path in store.folder.iterdir()}, f".0-{'a' * 24}.99"
    (store.folder / leftover).write_bytes(b"x" * store.n_bytes)
    # Less than both need: without the old ones, the new ones find room.
    size = str(int(store.n_bytes * 0.9))
    project.write_text(project.read_text().replace("100MB", size))
    data = next(first.root.rglob("*.csv"))
    data.write_text("\n".join(data.read_text().splitlines()[:-1]) + "\n")
    built = tune(load_definition(project)).model("average")
    assert (built.n_fits, built.n_kept > 0) == (0, True)
    names = {path.name for path in store.folder.iterdir()}
    assert leftover not in names
    assert not old <= names


@pytest.mark.parametrize(
    ("section", "kept"),
    [("models: {}", "models"), ("outputs: {predictions: oof.csv}", "answers")],
)
def test_it_is_told_once_if_nothing_can_be_kept(tmp_path: Path, section: str, kept: str) -> None:
    definition = load_definition(make_project(tmp_path, text=f"{SERIAL}{section}\n"))
    state = definition.root / ".tunesmith"
    state.mkdir(exist_ok=True)
    # Root may write into every folder, but into no file as if it were one.
    (state / kept).write_text("a file of that name")
    said: list[str] = []
    result = tune(definition, progress=False, say=said.append)
    told = [text for text in said if "nothing can be kept" in text]
    assert len(told) == 1
    assert str(state / kept) in told[0]
    assert f"Make {state / kept} writable" in told[0]
    n_folds = len(result.record.history[0].folds)
    assert result.model("average").n_fits == n_folds
    assert (definition.root / "oof.csv").exists() == (kept == "answers")


def test_it_is_told_if_there_can_be_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    definition = load_definition(make_project(tmp_path / "p", text=f"{SERIAL}models: {{}}\n"))
    said: list[str] = []
    tune(definition, progress=False, say=said.append)
    (told,) = [text for text in said if "nothing can be kept" in text]
    assert "set XDG_STATE_HOME" in told


def test_a_disk_that_fills_up_is_told_once(tmp_path: Path) -> None:
    store, said = ModelStore(tmp_path, b"secret", 10**6), list[str]()
    deliveries = Deliveries(store, "models", said.append)
    for _ in range(3):
        deliveries(FoldResult(0, {}, delivery=Delivery(problem="OSError: no space left")))
    deliveries(FoldResult(0, {}))
    assert len(said) == 1
    assert "no space left" in said[0]
