from tunesmith.importers.commands import RESERVED, flags, program_words, put_command, put_program
from tunesmith.importers.draft import Draft
from tunesmith.objective.program.passing.argv import PLACES


def test_a_program_takes_every_parameter() -> None:
    draft = Draft("tool", "a:1")
    draft.fixed("epochs", 3)
    draft.parameter("lr", [0.1, 0.2], (1, 1))
    put_program(draft, None, "a note")
    command = draft.content["objective"]["command"]
    assert command == ["python", "train.py", "--epochs={epochs}", "--lr={lr}"]
    put_command(draft, ["a"])
    assert list(draft.content["objective"]) == ["command", "params"]


def test_braces_of_the_program_are_plain() -> None:
    assert program_words("run.py --x '{a}'") == ["run.py", "--x", "{{a}}"]
    assert program_words("un'closed") == ["un'closed"]
    assert flags(["a-b"]) == ["--a-b={a-b}"]


def test_reserved_names_are_replaced_in_braces_alone() -> None:
    draft = Draft("tool", "a:1")
    draft.parameter("seed", [1, 2], (1, 1), "a note")
    draft.parameter("x", {"values": [1, 2], "when": {"seed": 1}}, (2, 1))
    put_program(draft, None)
    assert draft.content["objective"]["command"][2:] == ["--seed={seed_}", "--x={x}"]
    assert draft.content["space"] == {
        "seed_": [1, 2],
        "x": {"values": [1, 2], "when": {"seed_": 1}},
    }
    assert draft.notes["space", "seed_"] == ["a note"]
    assert draft.place(("space", "seed_")) == (1, 1)
    assert {*RESERVED} == {*PLACES}


def test_variables_of_a_shell_are_set_by_env() -> None:
    draft = Draft("a", "b")
    draft.content["space"] = {"lr": [1, 2]}
    put_command(draft, ["A=1", "python", "train.py"])
    assert draft.content["objective"]["command"] == ["env", "A=1", "python", "train.py"]
