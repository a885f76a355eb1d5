from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.system.fingerprint import (
    array_digest,
    code_digest,
    digest,
    file_digest,
    project_sources,
    reached,
    versions,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON))
def test_the_order_of_keys_does_not_matter(content: dict[str, object]) -> None:
    assert digest(content) == digest(dict(reversed(content.items())))


def test_digests_are_pinned() -> None:
    # Ledgers on disk hold them: a change here makes everything be evaluated again.
    assert digest({"a": [1, None, True, "é"]}) == "531c5c6409640c90b7813349fe56087f"
    assert array_digest(np.arange(3)) == "0c43c833245c7edb0f7211b479830b7a"


@pytest.mark.parametrize(
    "other",
    [
        np.array([1, 2, 4]),
        np.array([1.0, 2.0, 3.0]),
        np.array([[1, 2, 3]]),
        np.array([1, 2, 3], dtype=np.int32),
        np.array(["1", "2", "3"], dtype=object),
    ],
)
def test_arrays_differ_by_value_type_and_shape(other: np.ndarray) -> None:
    assert array_digest(other) != array_digest(np.array([1, 2, 3]))


def test_memory_order_does_not_matter() -> None:
    array = np.arange(6.0).reshape(2, 3)
    assert array_digest(array) == array_digest(np.asfortranarray(array))


def test_files_are_told_apart_from_their_concatenation(tmp_path: Path) -> None:
    for name, text in (("a", "12"), ("b", "3"), ("c", "1"), ("d", "23")):
        (tmp_path / name).write_text(text)
    one = file_digest([tmp_path / "a", tmp_path / "b"])
    assert one != file_digest([tmp_path / "c", tmp_path / "d"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text("import features\nimport xgboost\n")
    (tmp_path / "features.py").write_text("from helpers.maths import double\n")
    (tmp_path / "helpers").mkdir()
    (tmp_path / "helpers" / "maths.py").write_text("from . import more\n")
    (tmp_path / "unused.py").write_text("1\n")
    (tmp_path / "src" / "inner").mkdir(parents=True)
    (tmp_path / "src" / "inner" / "__init__.py").write_text("import train\n")
    return tmp_path


def test_code_counts_with_what_it_imports(project: Path) -> None:
    files, elsewhere = reached({"train"}, project)
    assert [file.name for file in files] == ["features.py", "maths.py", "train.py"]
    assert elsewhere == {"xgboost"}


@pytest.mark.parametrize(
    ("file", "changes"), [("train.py", True), ("helpers/maths.py", True), ("unused.py", False)]
)
def test_editing_what_is_reached_changes_the_digest(
    project: Path, file: str, *, changes: bool
) -> None:
    before = code_digest(["train:build"], project)
    (project / file).write_text("x = 1\n")
    assert (code_digest(["train:build"], project) != before) is changes


def test_the_src_folder_is_searched(project: Path) -> None:
    files, _ = reached({"inner"}, project)
    assert len(files) == 4


def test_code_is_read_not_run(project: Path) -> None:
    (project / "train.py").write_text("raise SystemExit(1)\n")
    assert code_digest(["train:build"], project)


def test_broken_code_has_a_digest(project: Path) -> None:
    (project / "train.py").write_text("def (:\n")
    assert code_digest(["train.build"], project)


def test_installed_code_has_none(project: Path) -> None:
    assert code_digest(["sklearn.svm.SVC"], project) == ""


def test_versions_name_what_computes(project: Path) -> None:
    found = versions(["sklearn.svm.SVC"])
    assert {"python", "numpy", "scikit-learn"} <= found.keys()
    (project / "train.py").write_text("import pytest\n")
    assert "pytest" in versions(["train:build"], project)
    assert "pytest" not in versions(["train:build"])


def test_a_module_goes_before_a_folder_of_its_name(project: Path) -> None:
    # As in Python: `train/` may hold pictures and a script, `import train` means `train.py`.
    (project / "train").mkdir()
    (project / "train" / "notes.py").write_text("1\n")
    assert project_sources(project, "train") == [project / "train.py"]
    (project / "train" / "__init__.py").write_text("")
    assert {file.name for file in project_sources(project, "train")} == {"__init__.py", "notes.py"}


def test_a_folder_does_not_hide_the_package_in_src(project: Path) -> None:
    (project / "inner").mkdir()
    (project / "inner" / "notes.py").write_text("1\n")
    found = project_sources(project, "inner")
    assert found == [project / "src" / "inner" / "__init__.py"]


def test_code_that_python_warns_of_still_counts(project: Path) -> None:
    (project / "train.py").write_text("import features\npattern = '\\d'\n")
    files, _ = reached({"train"}, project)
    assert "features.py" in [file.name for file in files]


def test_contents_cannot_imitate_the_end_of_a_file(tmp_path: Path) -> None:
    mark = b"\0end of file\0"
    for name, content in (("a", b"1"), ("b", b"2"), ("c", b"1" + mark + b"2")):
        (tmp_path / name).write_bytes(content)
    assert file_digest([tmp_path / "a", tmp_path / "b"]) != file_digest([tmp_path / "c"])


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3)),
        np.array(5),
        np.array(["a", "bcd"]),
        np.array(["2020-01-01"], dtype="M8[ns]"),
        np.arange(6.0)[::2],
    ],
)
def test_every_kind_of_array_has_a_digest(array: np.ndarray) -> None:
    assert array_digest(array) == array_digest(array.copy()) != array_digest(array, array)
