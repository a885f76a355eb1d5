import pytest

from tunesmith.config.program import EnvironmentSection
from tunesmith.objective.program.environment import MARK, Surroundings


def environ(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], **section: object
) -> dict[str, str]:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    restored = {"PYTHONPATH": "users", "OMP_NUM_THREADS": None}
    environment = EnvironmentSection(**section)  # type: ignore[arg-type]
    return Surroundings(environment, restored, 3, "m1").environ({"TUNESMITH_FOLD": "2"})


def test_secrets_and_the_ci_runners_files_are_kept_back(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["GITHUB_TOKEN", "GITHUB_ENV", "GITHUB_OUTPUT", "ACTIONS_RUNTIME_TOKEN", "DB_PASSWORD"]
    found = environ(monkeypatch, dict.fromkeys(names, "canary"), keep="DB_*")
    assert [name for name in names if name in found] == ["DB_PASSWORD"]
    assert found["PATH"]


def test_the_users_own_values_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    found = environ(monkeypatch, {"PYTHONPATH": "workers", "OMP_NUM_THREADS": "1"})
    assert found["PYTHONPATH"] == "users"
    assert found["OMP_NUM_THREADS"] == "3"


def test_what_is_set_wins_and_the_mark_is_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    found = environ(monkeypatch, {"A": "1"}, set={"A": "2", "OMP_NUM_THREADS": "7"})
    assert (found["A"], found["OMP_NUM_THREADS"]) == ("2", "7")
    assert (found[MARK], found["TUNESMITH_FOLD"]) == ("m1", "2")
