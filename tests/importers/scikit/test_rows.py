import ast
from typing import Any

from tunesmith.importers.draft import Draft
from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.scikit.rows import put_rows


def data(text: str) -> Any:
    module = PythonModule(ast.parse(f"import pandas as pd\n{text}\nsearch = Search()\n"))
    draft = Draft("tool", "a.py:1")
    call = next(call for call, name in module.calls() if name == "Search")
    put_rows(draft, module, call, lambda place: f"a.py:{place[0]}")
    return draft.content["objective"]["data"]


def test_nothing_is_guessed() -> None:
    assert data("x = 1") == {"path": "data.csv", "target": "target"}
    assert data("a = pd.read_csv('a.csv')\nb = pd.read_csv('b.csv')")["path"] == "data.csv"
    assert data("a = pd.read_csv('/home/me/a.csv')")["path"] == "data.csv"
    assert data("a = pd.read_csv('a.csv', sep=';')")["path"] == "data.csv"


def test_the_only_table_and_its_target() -> None:
    assert data("a = pd.read_csv('d/a.csv')\ny = a['kind'].values") == {
        "path": "d/a.csv",
        "target": "kind",
    }


def drafted(text: str) -> Draft:
    module = PythonModule(ast.parse(f"import pandas as pd\ndf = pd.read_csv('a.csv')\n{text}"))
    draft = Draft("tool", "a.py:1")
    draft.put(("objective", "data"), {"groups": "group"} if "groups" in text else {})
    call = next(call for call, name in module.calls() if name == "Search")
    put_rows(draft, module, call, lambda place: f"a.py:{place[0]}")
    return draft


def test_the_columns_that_fit_is_given() -> None:
    draft = drafted(
        "Search().fit(df.drop(columns=['t', 'id', 'site']), df['t'], groups=df['site'])"
    )
    assert draft.content["objective"]["data"] == {
        "path": "a.csv",
        "target": "t",
        "groups": "site",
        "drop": ["id"],
    }
    draft = drafted(
        "s = Search()\ny = df.pop('t')\ns.fit(df[['a', 'b']], y, sample_weight=df['w'])"
    )
    assert draft.content["objective"]["data"] == {
        "path": "a.csv",
        "target": "t",
        "weights": "w",
        "features": ["a", "b"],
    }


def test_columns_that_are_not_read_are_named_with_their_line() -> None:
    draft = drafted("X = df.iloc[:, 1:]\nSearch().fit(X, df['t'])")
    (note,) = draft.notes["objective", "data"]
    assert note.startswith("a.py:3 builds X by `df.iloc[:, 1:]`; say with `drop:` or `features:`")
    draft = drafted("Search().fit(df, np.log(df['t']), extra=1)")
    notes = draft.notes["objective", "data"]
    assert "a.py:3 builds `y` by `np.log(df['t'])`; name its column as `target:`" in notes
    assert "a.py:3 gives `fit` a `extra`, which is not taken over" in notes
    assert "no single `fit`" in drafted("s = Search()").notes["objective", "data"][0]
    (note,) = drafted("Search().fit(df, df['t'])").notes["objective", "data"]
    assert note == "a.py:3 learns from `t`, too; here it is no feature"


def test_data_sets_of_scikit_learn_are_named() -> None:
    for name, words in (
        ("load_boston", "scikit-learn 1.2 removed `load_boston`"),
        ("load_iris", "rows come from `load_iris`: write them to a file"),
    ):
        draft = drafted_without_table(f"from sklearn.datasets import {name}\nX = {name}()")
        (note,) = draft.notes["objective", "data", "path"]
        assert words in note


def drafted_without_table(text: str) -> Draft:
    module = PythonModule(ast.parse(f"{text}\nsearch = Search()\n"))
    draft = Draft("tool", "a.py:1")
    call = next(call for call, name in module.calls() if name == "Search")
    put_rows(draft, module, call, lambda place: f"a.py:{place[0]}")
    return draft
