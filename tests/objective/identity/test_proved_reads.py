import pytest

from tunesmith.objective.identity.proved_reads import (
    is_proved_builtin,
    is_proved_package,
    is_reader,
)


@pytest.mark.parametrize("name", ["open", "eval", "exec", "input", "globals", "id", "__import__"])
def test_builtins_that_read_more_than_their_arguments_are_not_proved(name: str) -> None:
    assert not is_proved_builtin(name)


@pytest.mark.parametrize("name", ["read_csv", "load", "fetch_openml", "memmap", "rand", "sample"])
def test_readers_of_files_and_draws_are_known(name: str) -> None:
    assert is_reader(name)


def test_only_listed_packages_are_proved() -> None:
    assert is_proved_package("numpy.linalg")
    assert not any(map(is_proved_package, ("os", "random", "requests", "my_numpy", "")))
