"""``dvc.lock`` of two jobs: each stage as whoever has run it left it."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import UsageError
from tunesmith.pipeline.dvc.lock import check_spliced
from tunesmith.pipeline.dvc.lock_merge import LockConflictError, merge_locks

NAMES = ("tune_a", "tune_b", "train@0", "prepare", "a-b")
Stages = dict[str, int]


def lock(stages: Stages) -> str:
    content = {
        name: {
            "cmd": f"run {name}",
            "outs": [{"path": f"{name}.md", "md5": f"{n:032x}", "size": n}],
        }
        for name, n in stages.items()
    }
    return str(yaml.safe_dump({"schema": "2.0", "stages": content}, sort_keys=False))


def of(text: str) -> Stages:
    return {name: s["outs"][0]["size"] for name, s in yaml.safe_load(text)["stages"].items()}


def test_two_stages_of_two_jobs() -> None:
    base = {"tune_a": 1, "tune_b": 1, "prepare": 1}
    ours, theirs = lock(base | {"tune_a": 2}), lock(base | {"tune_b": 3})
    assert of(merge_locks(lock(base), ours, theirs)) == {"tune_a": 2, "tune_b": 3, "prepare": 1}
    assert merge_locks(lock(base), ours, lock(base)) == ours


def test_line_ends_of_windows() -> None:
    base = {"tune_a": 1, "tune_b": 1}
    texts = [lock(s) for s in (base, base | {"tune_a": 2}, base | {"tune_b": 3})]
    plain = merge_locks(*texts)
    windows = [text.replace("\n", "\r\n") for text in texts]
    assert merge_locks(*windows) == plain.replace("\n", "\r\n")
    assert merge_locks(texts[0], windows[1], texts[2]) == plain


def test_neither_side_had_a_lock_before() -> None:
    ours, theirs = lock({"tune_a": 2}), lock({"tune_b": 3})
    assert of(merge_locks("", ours, theirs)) == {"tune_b": 3, "tune_a": 2}


def test_the_same_stage_run_twice() -> None:
    base, ours, theirs = (lock({"tune_a": n, "prepare": 1}) for n in (1, 2, 3))
    with pytest.raises(LockConflictError, match="`tune_a`"):
        merge_locks(base, ours, theirs)
    assert merge_locks(base, ours, ours) == ours


def test_what_is_no_lock() -> None:
    with pytest.raises(UsageError):
        merge_locks("", "stages: [1]\n", lock({"a": 1}))


@pytest.mark.parametrize("default_flow_style", [True, None])
def test_a_lock_that_somebody_has_formatted(default_flow_style: bool | None) -> None:
    base, ours, theirs = (lock({"tune_a": n, "tune_b": m}) for n, m in ((1, 1), (2, 1), (1, 3)))
    other = yaml.safe_dump(yaml.safe_load(ours), default_flow_style=default_flow_style)
    wanted = yaml.safe_load(merge_locks(base, ours, theirs))
    assert yaml.safe_load(merge_locks(base, other, theirs)) == wanted
    assert yaml.safe_load(merge_locks(base, theirs, other)) == wanted
    indented = ours.replace("\n  ", "\n      ")
    assert yaml.safe_load(merge_locks(base, indented, theirs)) == wanted


def test_what_cannot_be_put_together_is_told() -> None:
    with pytest.raises(UsageError, match="not as DVC writes it; remove the file, and `dvc repro`"):
        check_spliced("stages:\n  a:\n    cmd: x\n", {})


SIDES = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3), max_size=5)


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, SIDES)
def test_every_stage_is_that_of_the_side_that_changed_it(
    base: Stages, ours: Stages, theirs: Stages
) -> None:
    wanted, conflict = {}, False
    for name in NAMES:
        was, one, other = base.get(name), ours.get(name), theirs.get(name)
        if one not in (was, other) and other != was:
            conflict = True
        taken = other if one in (was, other) else one
        if taken is not None:
            wanted[name] = taken
    if not wanted or not ours or not theirs:
        return
    if conflict:
        with pytest.raises(LockConflictError):
            merge_locks(lock(base), lock(ours), lock(theirs))
        return
    assert of(merge_locks(lock(base), lock(ours), lock(theirs))) == wanted
