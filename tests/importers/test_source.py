import json
from pathlib import Path

import pytest

from tunesmith.errors import ConfigError, UsageError
from tunesmith.importers.source import Source, read_source


def test_a_notebook_has_lines_of_cells(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "source": ["%matplotlib inline\n", "x = 1\n"]},
        {"cell_type": "markdown", "source": "text"},
        {"cell_type": "code", "source": "!pip install a\ny = 2"},
        {"cell_type": "code", "source": "%%bash\nls"},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    source = read_source(path)
    assert source.tree is not None
    assert str(source.position((4, 1))) == f"{path}#cell2:2:1"


def test_a_notebook_of_format_3_is_read(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "heading", "level": 1, "source": ["text"]},
        {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "language": "python"},
        {"cell_type": "code", "input": "z = 3"},
    ]
    path = tmp_path / "a.ipynb"
    sheets = [{"cells": cells[:2]}, {"cells": cells[2:]}]
    path.write_text(json.dumps({"nbformat": 3, "worksheets": sheets}))
    source = read_source(path)
    assert source.text == "x = 1\ny = 2\nz = 3\n"
    assert str(source.position((3, 1))) == f"{path}#cell2:1:1"
    for broken in ('{"worksheets": [{}]}', '{"cells": 3}', "[]"):
        path.write_text(broken)
        with pytest.raises(UsageError, match="not a notebook"):
            read_source(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [("a.py", "print 'x'", "not valid Python 3"), ("a.yaml", "a: [", "not valid YAML")],
)
def test_a_broken_file_names_its_place(name: str, text: str, message: str) -> None:
    source = Source(Path(name), text)
    with pytest.raises(ConfigError, match=f"{name}:1.*{message}"):
        assert source.tree or source.documents


def test_cells_that_are_no_python_can_be_left_out() -> None:
    source = Source(Path("a.ipynb"), "x = 1\nif so\n  this\ny = 2\n", (1, 2, 4))
    assert source.without_foreign_cells.text == "x = 1\n\n\ny = 2\n"
    script = Source(Path("a.py"), "if so")
    assert script.without_foreign_cells is script


def test_a_script_may_declare_its_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("# coding: latin-1\nx = 'ü'\n".encode("latin-1"))
    assert "x = 'ü'" in read_source(tmp_path / "a.py").text
    (tmp_path / "b.py").write_bytes(b"# coding: none-such\n")
    with pytest.raises(UsageError, match=r"b.py: not text: .*none-such"):
        read_source(tmp_path / "b.py")


def test_documents_keep_their_lines() -> None:
    source = Source(Path("a.yaml"), "---\na: 1\n---\nb: 2\n")
    assert [document.data for document in source.documents] == [{"a": 1}, {"b": 2}]
    assert source.documents[1].positions.find(("b",)) == (4, 1)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"\xff")
    for path in (tmp_path, tmp_path / "none.py", tmp_path / "a.py"):
        with pytest.raises(UsageError, match=str(path)):
            read_source(path)


def test_the_program_is_named_from_the_configuration(tmp_path: Path) -> None:
    assert Source(tmp_path / "src/a.py", "", root=tmp_path).program == "src/a.py"
