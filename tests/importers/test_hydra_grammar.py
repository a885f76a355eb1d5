import pytest

from tunesmith.importers.hydra_grammar import (
    Choice as ChoiceSweep,
)
from tunesmith.importers.hydra_grammar import (
    GrammarError,
    parse,
)
from tunesmith.importers.hydra_grammar import (
    Interval as IntervalSweep,
)
from tunesmith.importers.hydra_grammar import (
    Range as RangeSweep,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,2.5,a b,null,True", ChoiceSweep((1, 2.5, "a b", None, True))),
        ("choice([1,2],[3])", ChoiceSweep(([1, 2], [3]))),
        ("choice('a,b', \"c\")", ChoiceSweep(("a,b", "c"))),
        ("range(4)", RangeSweep(0, 4)),
        ("range(start=1,stop=9,step=2)", RangeSweep(1, 9, 2)),
        ("shuffle(range(1,4))", RangeSweep(1, 4, 1, is_shuffled=True)),
        ("int(interval(1.0, 8))", IntervalSweep(1, 8)),
        ("interval(1, 8)", IntervalSweep(1.0, 8.0)),
        ("tag(a, log, interval(1e-3, 1))", IntervalSweep(0.001, 1, frozenset({"a", "log"}))),
        ("{a:1,b:[x]}", {"a": 1, "b": ["x"]}),
        ("path/to:8080", "path/to:8080"),
        ("-1e-3", -0.001),
    ],
)
def test_values(text: str, value: object) -> None:
    # By their texts, because 1 and 1.0 are equal and make different parameters.
    assert repr(parse(text)) == repr(value) or (parse(text) == value and "tag" in text)


@pytest.mark.parametrize(
    "text", ["", "choice(", "[1", "glob(*)", "range(1,2),3", "tag(log,choice(1,2))", "interval(1)"]
)
def test_no_values(text: str) -> None:
    with pytest.raises(GrammarError):
        parse(text)


SAME = (
    *("1,2,3", "0.1,0.01", "1e-3,1e-4", "1e3,1E3", "00,01", "1_000,2", "0x10", "1.,2.", "-1,+2"),
    *("true,false,null", "a b,c d", "a/b,c:d", "x.y,1.2.3", "[1,2],[3]", "{a:1},{a:2}", "5", "a"),
    *("choice(1,a)", "range(5)", "range(1,9,2)", "range(0.5,2.0,0.5)", "range(start=1,stop=5)"),
    *("interval(1,5)", "int(interval(1,5))", "float(interval(1,5))", "tag(log,interval(1,5))"),
    *("tag(log,int(interval(1,5)))", "float(1,2)", "int(choice(1.5,2))", "str(1,2)", "bool(1,0)"),
    *("shuffle(range(1,4))", "float(range(1,4))", "range(1,0,-1)", "tag(a,b,choice(1,2))"),
)


@pytest.mark.parametrize("text", SAME)
def test_hydra_itself_reads_the_same(text: str) -> None:
    pytest.importorskip("hydra")
    from hydra.core.override_parser import types
    from hydra.core.override_parser.overrides_parser import OverridesParser

    override = OverridesParser.create().parse_overrides([f"key={text}"])[0]
    value, ours = override.value(), parse(text)
    if isinstance(value, types.ChoiceSweep):
        assert repr(ours.values) == repr(tuple(override.sweep_iterator(types.Transformer.identity)))
    elif isinstance(value, types.RangeSweep):
        assert repr((ours.start, ours.stop, ours.step)) == repr(
            (value.start, value.stop, value.step)
        )
        assert ours.is_shuffled == value.shuffle
    elif isinstance(value, types.IntervalSweep):
        assert repr((ours.start, ours.end)) == repr((value.start, value.end))
        assert ours.tags == value.tags
    else:
        assert repr(ours) == repr(value)
