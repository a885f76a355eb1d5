"""Reading that no digest covers is named; writing, and what runs by hand, is not."""

from pathlib import Path

import pytest

from tunesmith.objective.identity.unwatched import unwatched


def described(root: Path, code: str) -> str:
    (root / "model.py").write_text(code)
    return " ".join(unwatched(["model.make"], root))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("K = open('k.txt').read()", "open"),
        ("K = open('k.txt', mode='rb').read()", "open"),
        ("import gzip\n\nK = gzip.open('a', 'rt').read()", "open"),
        ("from pathlib import Path\n\nK = Path('k.txt').read_text()", "read_text"),
        ("from pathlib import Path\n\nK = Path('k.txt').open().read()", "open"),
        ("import pandas as pd\n\ndef make(): return pd.read_csv('d.csv')", "read_csv"),
        ("import joblib\n\nclass A:\n    def fit(self): self.m = joblib.load('m')", "load"),
        ("import os\n\nK = os.environ['K']", "environ"),
        ("from os import getenv\n\nK = getenv('K')", "getenv"),
        ("import importlib\n\ndef make(n): return importlib.import_module(n)", "import_module"),
    ],
)
def test_what_code_reads_is_named(tmp_path: Path, code: str, name: str) -> None:
    text = described(tmp_path, code)
    line = 1 + max(i for i, each in enumerate(code.splitlines()) if name in each)
    assert f"model.py:{line} (`{name}`)" in text
    assert "`tunesmith run --restart`" in text


@pytest.mark.parametrize(
    "code",
    [
        "def make(): return 1",
        "open('out.txt', 'w').write('')",
        "from pathlib import Path\n\nPath('a').open('ab')",
        "open('out.txt', mode='x')",
        "import gzip\n\ngzip.open('a', 'wb')",
        "from sklearn.datasets import load_iris\n\nX = load_iris()",
        "if __name__ == '__main__':\n    print(open('data.csv').read())",
        "def make(:",
    ],
)
def test_all_else_is_not(tmp_path: Path, code: str) -> None:
    assert described(tmp_path, code) == ""


def test_modules_that_are_imported_count_and_few_are_shown(tmp_path: Path) -> None:
    (tmp_path / "own_helper.py").write_text("open('a')\n" * 5)
    text = described(tmp_path, "import own_helper\nimport sklearn\n")
    first = ", ".join(f"own_helper.py:{line} (`open`)" for line in (1, 2, 3))
    assert f"{first} and 2 more" in text
