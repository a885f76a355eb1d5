import os

import pytest

from tunesmith.system.threads import NO_THREADS, n_threads, one_thread, with_threads


def test_one_thread_count_holds_for_all_libraries() -> None:
    found = with_threads({"OMP_NUM_THREADS": "8", "JE_ARROW_MALLOC_CONF": "own", "A": "1"}, 2)
    assert (found["OMP_NUM_THREADS"], found["OPENBLAS_NUM_THREADS"], found["A"]) == ("2", "2", "1")
    assert found["JE_ARROW_MALLOC_CONF"] == "own"
    assert with_threads({}, 1).items() >= NO_THREADS.items()


def test_imports_with_one_thread_leave_the_environment_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    with one_thread():
        assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("1", "1")
    assert dict(os.environ) == before


def test_threads_are_counted() -> None:
    assert n_threads() >= 1
