"""The identity of objects in memory, and edits of the project's files."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from sklearn.svm import SVC

from tunesmith.errors import UsageError
from tunesmith.objective.identity.content import Contents
from tunesmith.objective.identity.context import (
    MemoryContext,
    context_of,
    edited,
    function_context,
    process_start,
    recognised,
)

CODE = "def helper(params):\n    return params['x'] + 1\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "my_helpers_of_memory.py").write_text(CODE)
    importlib.invalidate_caches()
    return tmp_path


def test_a_file_that_is_edited_after_its_import_is_noticed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helpers = importlib.import_module("my_helpers_of_memory")
    monkeypatch.delitem(sys.modules, "my_helpers_of_memory", raising=False)
    monkeypatch.setitem(sys.modules, "my_helpers_of_memory", helpers)
    name = "my_helpers_of_memory:helper"
    assert edited([name], project) == []
    # Comments and other places in the file are no other code.
    (project / "my_helpers_of_memory.py").write_text(f"# moved\n\n{CODE}")
    assert edited([name], project) == []
    before = function_context(helpers.helper, Contents())
    assert not before.doubts
    (project / "my_helpers_of_memory.py").write_text(CODE.replace("+ 1", "+ 2"))
    assert edited([name], project) == ["my_helpers_of_memory.py"]
    after = function_context(helpers.helper, Contents())
    assert list(after.doubts) == ["my_helpers_of_memory.py was edited after it was imported"]
    assert after.digests["code"] != before.digests["code"]


def test_plain_estimators_have_the_digests_that_they_had() -> None:
    first = context_of(SVC(), ([1], [2]), SVC.score, ({}, {}, False), Contents())
    assert first == context_of(SVC(), ([1], [2]), SVC.score, ({}, {}, False), Contents())
    other = context_of(SVC(C=2), ([1], [2]), SVC.score, ({}, {}, False), Contents())
    assert first.digests["objective"] != other.digests["objective"]
    assert first.digests["data"] == other.digests["data"]


def test_doubts_make_a_context_of_its_own() -> None:
    sure = MemoryContext({"code": "a"}, {})
    unsure = MemoryContext({"code": "a"}, {"it reads a file": None})
    assert sure.never_again() is sure
    assert unsure.never_again().digests != unsure.never_again().digests
    assert unsure.vouched("1").digests == unsure.vouched("1").digests != unsure.vouched("2").digests
    with pytest.raises(UsageError, match=r"ledger: it reads a file\. Define functions"):
        recognised(unsure)
    assert recognised(sure) == {"code": "a"}


def test_the_process_began_before_now() -> None:
    made = Path(f"/proc/{os.getpid()}").stat().st_mtime
    assert 0 < process_start() <= max(made, process_start()) + 1


def test_labels_that_code_reads_change_the_objective() -> None:
    def names(version: str) -> MemoryContext:
        held: dict[str, Any] = {"__name__": "__main__"}
        code = f"class A{version}: pass\nQ = A{version}\ndef f(params): return Q.__name__"
        exec(code, held)  # noqa: S102 - as a notebook does
        return function_context(held["f"], Contents())

    assert names("1") == names("1")
    assert names("1").digests["objective"] != names("2").digests["objective"]
