from contextlib import suppress
from pathlib import Path

from tunesmith.objective.program.checkpoints import Checkpoints
from tunesmith.objective.program.folds import ProgramFold

FOLD = ProgramFold(0)


def run(checkpoints: Checkpoints, epochs: int, lr: float = 0.1, fold: ProgramFold = FOLD) -> str:
    """What a run finds; it leaves how far it has come."""
    with checkpoints.of({"epochs": epochs, "lr": lr}, fold) as folder:
        state = folder / "state"
        found = state.read_text() if state.exists() else ""
        state.write_text(str(epochs))
    return found


def test_a_larger_budget_goes_on_where_the_smaller_one_ended(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "epochs", "code")
    assert [run(checkpoints, n) for n in (1, 3, 9)] == ["", "1", "3"]


def test_other_params_and_folds_have_states_of_their_own(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "epochs", "code")
    run(checkpoints, 1)
    assert run(checkpoints, 3, lr=0.2) == ""
    assert run(checkpoints, 3, fold=ProgramFold(1)) == ""


def test_a_smaller_budget_does_not_see_a_larger_one(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "epochs", "code")
    run(checkpoints, 9)
    assert run(checkpoints, 3) == ""


def test_what_fails_leaves_no_state(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "epochs", "code")
    run(checkpoints, 1)
    with suppress(ZeroDivisionError), checkpoints.of({"epochs": 3, "lr": 0.1}, FOLD) as folder:
        (folder / "state").write_text("half")
        raise ZeroDivisionError
    assert run(checkpoints, 3) == "1"


def test_a_crash_in_the_middle_leaves_no_state(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "epochs", "code")
    run(checkpoints, 1)
    begun = checkpoints.of({"epochs": 3, "lr": 0.1}, FOLD)
    (begun.__enter__() / "state").write_text("half")
    assert run(checkpoints, 9) == "1"


def test_what_other_code_has_left_is_no_state(tmp_path: Path) -> None:
    run(Checkpoints(tmp_path, "epochs", "code"), 1)
    changed = Checkpoints(tmp_path, "epochs", "changed code")
    assert run(changed, 3) == ""
    changed.remove_leftovers()
    assert [folder.name for folder in tmp_path.iterdir()] == ["changed code"]


def test_leftovers_are_what_no_run_can_go_on_with(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, "epochs", "code")
    run(checkpoints, 1)
    begun = checkpoints.of({"epochs": 3, "lr": 0.1}, FOLD)
    unfinished = begun.__enter__()
    checkpoints.remove_leftovers()
    assert not unfinished.exists()
    assert run(checkpoints, 9) == "1"
