from pathlib import Path

import pytest
from tests.cli.conftest import Run

TUNING = """
study: s
objective:
  estimator: sklearn.svm.SVC
  data: {path: data.csv, target: y}
  metric: accuracy
space: {C: [0.1, 1.0]}
search: {method: grid}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text("x,y\n" + "".join(f"{n},{n % 2}\n" for n in range(20)))
    path = tmp_path / "tuning.yaml"
    path.write_text(TUNING)
    return path


def test_a_ledger_in_a_file_has_no_workers(tunesmith: Run, config: Path) -> None:
    done = tunesmith("worker", "-c", str(config))
    assert done.returncode == 2
    assert "needs a ledger on a PostgreSQL server" in done.stderr


def test_a_server_elsewhere_needs_tls(tunesmith: Run, config: Path) -> None:
    url = "postgresql://ann:canary@db.example.org/x"
    done = tunesmith("worker", "-c", str(config), "--ledger", url)
    assert done.returncode == 2
    assert "sslmode=verify-full" in done.stderr
    assert "canary" not in done.stderr


def test_times_are_read(tunesmith: Run, config: Path) -> None:
    done = tunesmith("worker", "-c", str(config), "--idle-timeout", "soon")
    assert done.returncode == 2
    assert "--idle-timeout" in done.stderr


def test_an_example_is_written_once(tunesmith: Run, config: Path) -> None:
    done = tunesmith("worker", "-c", str(config), "--example", "slurm")
    assert done.returncode == 0
    assert "sbatch tunesmith-workers.sh" in done.stdout
    assert "names no PostgreSQL server" in done.stderr
    file = config.with_name("tunesmith-workers.sh")
    file.write_text("mine")
    again = tunesmith("worker", "-c", str(config), "--example", "slurm")
    assert again.returncode == 2
    assert "already there" in again.stderr
    assert file.read_text() == "mine"


def test_an_example_takes_the_named_configuration(tunesmith: Run, config: Path) -> None:
    config.rename(config.with_name("other.yaml"))
    named = str(config.with_name("other.yaml"))
    assert tunesmith("worker", "-c", named, "--example", "kubernetes").returncode == 0
    text = config.with_name("tunesmith-workers.yaml").read_text()
    assert "exec tunesmith worker -c other.yaml --workers" in text
