import pytest
from syrupy.assertion import SnapshotAssertion

from tunesmith.config.document import SourceError
from tunesmith.config.yaml12 import read_yaml

REFUSED = {
    "tab": "study:\n\tname: x\n",
    "tab after a key": "study:\ts\n",
    "control character": "study: s\x00\n",
    "bell": 'study: "a\x07b"\n',
    "second colon": "study: a: b\n",
    "too deep": "study: s\n  objective: x\n",
    "open quote": 'study: "s\nobjective: {}\n',
    "open bracket": "study: s\nspace: {a: [1, 2\n",
    "percent": "study: %x\n",
    "at": "study: @x\n",
    "merge key": "base: &b {a: 1}\nspace:\n  <<: *b\n",
    "null key": "~: 1\n",
    "list as key": "? [a]\n: 1\n",
    "alias as key": "a: &a x\n*a : b\n",
    "python object": "study: !!python/object/apply:os.system [ls]\n",
    "standard tag": 'study: !!int "5"\n',
    "version": "%YAML 9.9\n---\nstudy: no\n",
    "key twice": "a: 1\nb: 2\na: 3\n",
}


@pytest.mark.parametrize("case", REFUSED)
def test_texts(case: str, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(SourceError) as caught:
        read_yaml(REFUSED[case])
    error = caught.value
    assert f"{error.line}:{error.column}: {error}" == snapshot


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~"])
def test_nothing_is_null(text: str) -> None:
    assert read_yaml(text).data is None


def test_windows_line_ends_and_directives_are_read() -> None:
    assert read_yaml("%YAML 1.2\n---\r\na: no\r\nb: 1e-3\r\n").data == {"a": "no", "b": 0.001}


def test_a_quoted_merge_key_is_a_key() -> None:
    assert read_yaml('"<<": 1').data == {"<<": 1}


def test_an_anchor_counts_as_often_as_it_is_used() -> None:
    row = f"a: &a [{', '.join(['x'] * 2000)}]\n"
    with pytest.raises(SourceError, match="more than 100,000 values"):
        read_yaml(row + "".join(f"b{i}: *a\n" for i in range(60)))
