from tunesmith.errors import ConfigError, ExitCode, FilePosition, Violation, did_you_mean, dotted


def test_a_violation_says_where_what_and_the_fix() -> None:
    violation = Violation(
        ("space", "learning_rate"),
        "low 0.0 is not allowed with log: true.",
        "A log scale needs low > 0. Did you mean low: 1.0e-5?",
        FilePosition("tuning.yaml", 14, 9),
    )
    assert str(violation) == (
        "tuning.yaml:14:9: space.learning_rate: low 0.0 is not allowed with log: true.\n"
        "  A log scale needs low > 0. Did you mean low: 1.0e-5?"
    )


def test_places_without_numbers_are_just_the_file() -> None:
    assert str(FilePosition("tuning.toml")) == "tuning.toml"
    assert str(FilePosition("tuning.toml", 3)) == "tuning.toml:3"


def test_a_config_error_holds_all_violations() -> None:
    error = ConfigError([Violation(("a",), "first"), Violation((), "second")])
    assert str(error) == "a: first\nsecond"
    assert error.exit_code == ExitCode.USAGE


def test_dotted_paths_show_indices() -> None:
    assert dotted(("space", 0, "depth")) == "space[0].depth"
    assert dotted((0, "depth")) == "[0].depth"


def test_did_you_mean_lists_all_when_nothing_is_near() -> None:
    assert did_you_mean("zzz", ["grid", "random"]) == "Known: grid, random."


def test_addresses_of_objects_reach_no_message() -> None:
    from tunesmith.errors import UsageError
    from tunesmith.objective.failure import failure_of

    odd = object()
    assert "0x" not in str(UsageError(f"cannot use {odd!r} or {[odd]}"))
    assert "0x" not in failure_of(ValueError(f"no {odd!r}, {str!r}")).message
    assert str(UsageError("seed 0x1F at 0x10 bytes")) == "seed 0x1F at 0x10 bytes"
