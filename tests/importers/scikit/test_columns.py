import ast

import pytest

from tunesmith.importers.python.module import PythonModule
from tunesmith.importers.refusal import Refused
from tunesmith.importers.scikit.columns import ColumnReader

TABLE = "import pandas as pd\ndf = pd.read_csv('a.csv')\n"


def argument(text: str) -> tuple[ColumnReader, ast.expr]:
    module = PythonModule(ast.parse(text if "read_csv" in text else TABLE + text))
    return ColumnReader(module), next(c for c, name in module.calls() if name == "use").args[0]


@pytest.mark.parametrize(
    ("text", "selected", "dropped"),
    [
        ("use(df)", None, ()),
        ("use(df.drop(columns=['t', 'id']))", None, ("t", "id")),
        ("use(df.drop(columns='t'))", None, ("t",)),
        ("use(df.drop('t', axis=1))", None, ("t",)),
        ("use(df.drop(['t'], axis='columns').copy())", None, ("t",)),
        ("use(df.drop(labels=['t'], axis=1).drop(columns='id'))", None, ("t", "id")),
        ("names = ['a', 'b']\nX = df[names].values\nuse(X)", ["a", "b"], ()),
        ("use(df.loc[:, ['a']])", ["a"], ()),
        ("use(df[['a', 'b']].drop(columns='b'))", ["a"], ("b",)),
        ("ids = df.pop('id')\ny = df.pop('t')\nuse(df)", None, ("id", "t")),
        ("X = df\ny = df.pop('t')\nuse(X)", None, ("t",)),
        ("X = df[['a']]\ny = df.pop('a')\nuse(X)", ["a"], ()),
        ("del df['id']\nuse(df)", None, ("id",)),
        ("df.drop(columns=['id'], inplace=True)\nuse(df)", None, ("id",)),
        ("df = df.drop(columns=['id'])\nuse(df)", None, ("id",)),
        ("import pandas\nuse(pandas.read_csv('a.csv', usecols=['a']))", ["a"], ()),
        ("import pandas\nuse(pandas.read_csv('a.csv', index_col='id'))", None, ("id",)),
        ("a, b, c, d = train_test_split(df[['a']], df['t'])\nuse(a)", ["a"], ()),
    ],
)
def test_columns_of_x(text: str, selected: object, dropped: object) -> None:
    reader, node = argument(text)
    columns = reader.columns(node)
    assert (columns.selected, columns.dropped) == (selected, dropped)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("use(df.iloc[:, :-1])", "df.iloc[:, :-1]"),
        ("use(df[[c for c in df.columns if c != 't']])", "df[["),
        ("use(df[df['a'] > 0])", "df[df['a'] > 0]"),
        ("use(df.drop([0, 1]))", "df.drop([0, 1])"),
        ("use(df.drop('t'))", "df.drop('t')"),
        ("use(df.drop(columns=NAMES))", "df.drop(columns=NAMES)"),
        ("use(pd.get_dummies(df))", "pd.get_dummies(df)"),
        ("df['new'] = df['a'] * 2\nuse(df)", "df['new'] = "),
        ("df.columns = ['x', 'y']\nuse(df)", "df.columns = "),
        ("df.dropna(inplace=True)\nuse(df)", "df.dropna(inplace=True)"),
        ("if flag:\n  df.drop(columns='id', inplace=True)\nuse(df)", "df.drop("),
        ("if flag:\n  df = df.drop(columns='id')\nuse(df)", "df"),
        ("X = df\ndf.insert(0, 'n', 1)\nuse(X)", "df.insert"),
        ("use(make(df))", "make(df)"),
        ("use(X)", "X"),
        ("import pandas\nuse(pandas.read_csv('a.csv', index_col=0))", "index_col=0"),
    ],
)
def test_other_forms_are_refused_by_their_text(text: str, named: str) -> None:
    reader, node = argument(text)
    with pytest.raises(Refused) as refused:
        reader.columns(node)
    assert str(refused.value).startswith("`")
    assert named in str(refused.value)
    assert refused.value.place[0] > 0


@pytest.mark.parametrize(
    "text",
    [
        "use(df['t'])",
        "use(df.t.values)",
        "use(df.pop('t'))",
        "use(df[['t']].to_numpy().ravel())",
        "y = df.pop('t')\nuse(y)",
        "a, b, c, d = train_test_split(df[['a']], df['t'])\nuse(d)",
    ],
)
def test_the_column_of_y(text: str) -> None:
    reader, node = argument(text)
    assert reader.column(node) == "t"


@pytest.mark.parametrize("text", ["use(np.log(df['t']))", "use(df[['t', 'u']])", "use(y)"])
def test_other_targets_are_refused(text: str) -> None:
    reader, node = argument(text)
    with pytest.raises(Refused):
        reader.column(node)
