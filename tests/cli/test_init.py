from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.cli.conftest import Run

TABLE = "a,b,churn\n" + "".join(f"{i},{i % 7},{i % 2}\n" for i in range(40))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/customers.csv").write_text(TABLE)
    (tmp_path / "mine/train.py").write_text("import this\n")
    return tmp_path / "mine"


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_first_configuration_beside_existing_code(
    tunesmith: Run, folder: Path, snapshot: SnapshotAssertion
) -> None:
    before = content(folder)
    done = tunesmith("init", cwd=folder)
    assert done.returncode == 0
    assert done.stdout + done.stderr == snapshot
    assert content(folder).keys() - before.keys() == {"tuning.yaml", "tuning.schema.json"}
    assert before.items() <= content(folder).items()
    assert (folder / "tuning.yaml").read_text() == snapshot
    assert tunesmith("check", cwd=folder).returncode == 0


def test_nothing_is_overwritten_unless_forced(tunesmith: Run, folder: Path) -> None:
    (folder / "tuning.yaml").write_text("mine\n")
    before = content(folder)
    refused = tunesmith("init", cwd=folder)
    assert refused.returncode == 2
    assert "  exists    tuning.yaml" in refused.stdout
    assert "--force" in refused.stderr
    assert content(folder) == before

    dry = tunesmith("init", "--dry-run", "--force", cwd=folder)
    assert dry.returncode == 0
    assert "  overwrite tuning.yaml" in dry.stdout
    assert content(folder) == before

    forced = tunesmith("init", "--force", cwd=folder)
    assert forced.returncode == 0
    assert content(folder)["tuning.yaml"] != b"mine\n"
    again = tunesmith("init", cwd=folder)
    assert again.returncode == 0
    assert again.stdout.count("unchanged") == 2


def test_the_next_step_can_be_pasted(tunesmith: Run, tmp_path: Path) -> None:
    done = tunesmith("init", "new dir", "--target", "churn", cwd=tmp_path)
    assert "put yours in place of data.csv" in done.stderr
    assert done.stderr.endswith("Next: cd 'new dir' && tunesmith check\n")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--data", "custmers.csv"), "custmers.csv does not exist. Did you mean `customers.csv`?"),
        (("--target", "chrun"), "Did you mean `churn`?"),
        (("--template", "demo", "--target", "churn"), "brings its own table"),
        (("--template", "mlops", "--data", "x.csv"), "mlops brings its own table"),
        (("--tight",), "--tight goes with --template mlops"),
        (("train.py",), "is a file"),
    ],
)
def test_wrong_usage_writes_nothing(
    tunesmith: Run, folder: Path, options: tuple[str, ...], words: str
) -> None:
    before = content(folder)
    done = tunesmith("init", *options, cwd=folder)
    assert done.returncode == 2
    assert words in done.stderr
    assert content(folder) == before
