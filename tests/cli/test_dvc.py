"""``dvc init`` as a person uses it; what it writes is looked at in tests/pipeline/dvc."""

from pathlib import Path

from tests.cli.conftest import Run


def test_a_diff_is_shown_and_nothing_written_unless_agreed(project: Path, tunesmith: Run) -> None:
    (project / ".dvc").mkdir()
    (project / ".dvc/config").write_text("")
    shown = tunesmith("dvc", "init", "--dry-run", "--training", "sh train.sh")
    assert shown.returncode == 0
    assert "+++ b/dvc.yaml" in shown.stdout
    assert "Nothing was written" in shown.stderr
    unasked = tunesmith("dvc", "init", "--training", "sh train.sh")
    assert (unasked.returncode, unasked.stdout) == (2, shown.stdout)
    assert "with --yes" in unasked.stderr
    assert not (project / "dvc.yaml").exists()
    done = tunesmith("dvc", "init", "--yes", "--training", "sh train.sh")
    assert (done.returncode, done.stdout) == (0, shown.stdout)
    again = tunesmith("dvc", "init")
    assert (again.returncode, again.stdout) == (0, "")
    assert "Nothing to do" in again.stderr
    assert "dvc order" in tunesmith("doctor").stdout
    (project / "dvc.yaml").write_text("a: [")
    broken = tunesmith("dvc", "init")
    assert (broken.returncode, broken.stdout) == (2, "")
    assert "dvc.yaml:1:5: not valid YAML" in broken.stderr
    assert "FAILED  dvc" in tunesmith("doctor").stdout
