"""``tunesmith track`` as a person types it."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run

from tunesmith import registry
from tunesmith.runs.tracking.seam import TrackedEnd, TrackedStudy, TrackedTrial


class Flaky:
    """A tracker in a folder, which is away while there is a file `away` in it."""

    def __init__(self, address: str | None) -> None:
        self.folder = Path(address or "tracked")

    def begin(self, study: TrackedStudy) -> None:
        self.folder.mkdir(exist_ok=True)
        if (self.folder / "away").exists():
            raise ConnectionError("https://me:hunter2@tracker is away")

    def numbers(self) -> set[int]:
        return {int(path.stem) for path in self.folder.glob("*.trial")}

    def trial(self, trial: TrackedTrial) -> None:
        (self.folder / f"{trial.number}.trial").write_text(str(trial.state))

    def finish(self, end: TrackedEnd) -> None:
        for name, text in end.texts.items():
            (self.folder / name).write_text(text)


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILTIN["trackers"], "flaky", "tests.cli.test_track:Flaky")


def test_what_was_not_sent_is_sent_by_the_next_call(tunesmith: Run, finished: Path) -> None:
    (finished / "tracked").mkdir()
    (finished / "tracked" / "away").touch()
    done = tunesmith("track", "flaky")
    assert done.returncode == 74
    assert "0 trials were sent, and 12 were not: " in done.stderr
    assert "is away" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Send them with `tunesmith track flaky` later: none is lost." in done.stderr
    (finished / "tracked" / "away").unlink()
    done = tunesmith("track", "flaky")
    assert done.stdout == "12 trials sent; flaky has all 12 trials now.\n"
    assert (finished / "tracked" / "report.md").read_text().startswith("# Tuning results")
    assert len((finished / "tracked" / "trials.csv").read_text().splitlines()) == 13
    assert tunesmith("track", "flaky").stdout == "Nothing new: flaky has all 12 trials.\n"
    content = json.loads(tunesmith("track", "flaky", "--to", "other", "--json").stdout)
    assert (content["n_sent"], content["n_lacking"], content["problem"]) == (12, 0, "")


def test_what_cannot_be_tracked_is_told(tunesmith: Run, project: Path) -> None:
    done = tunesmith("track", "flakey")
    assert (done.returncode, "Did you mean `flaky`" in done.stderr) == (2, True)
    done = tunesmith("track", "flaky")
    assert (done.returncode, "has not been run yet" in done.stderr) == (2, True)
    assert not (project / "tracked").exists()
